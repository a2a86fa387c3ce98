/**
 * The people: who takes part and where they are, who is nearby, how coming into a workspace goes. Kept from what the
 * engine and the shell tell; decides nothing, and asks only for the state it starts from.
 */
import type { Client } from "../api/client";
import type { Asking, Event, Invitation, Joining, LinkState, Member, Nearby, Place, Presence, Role, Signal, Together } from "../api/generated";
import { Emitter } from "../base/emitter";

const ALONE: Together = { members: [], link: { kind: "alone" }, invitation: null, asking: [], addresses: [], removedBy: null };
const NOBODY: Nearby = {
  people: [],
  network: { addresses: [], name: null, vpns: [], isVisible: false, person: "", port: 0, lookingSinceMs: null },
};

/** How an avatar is drawn. */
export type Whereabouts = "here" | "elsewhere" | "past" | "away" | "offline";

/** What changed from one state of the workspace's people to the next. */
export interface TogetherChange {
  before: Together;
  now: Together;
}

export interface Signalled {
  device: string;
  person: string;
  signal: Signal;
}

export class People {
  together = $state.raw<Together>(ALONE);
  presences = $state.raw<ReadonlyMap<string, Presence>>(new Map());
  nearby = $state.raw<Nearby>(NOBODY);
  /** How coming into a workspace goes; null when nobody tries. */
  joining = $state.raw<Joining | null>(null);
  /** Device of the person whose view is followed. Set by the following. */
  followed = $state<string | null>(null);
  /** Devices of people whose carets are not to be seen here. Set by the following. */
  muted = $state.raw<ReadonlySet<string>>(new Set());
  /** Who let this device in a moment ago, before the workspace is opened; taken by whoever acts on it. */
  welcomedBy = $state<string | null>(null);

  /** All who take part, oneself first; those that were removed are left out. */
  readonly members = $derived(this.together.members.filter((one) => one.role !== null));
  readonly self = $derived<Member | null>(this.together.members.find((one) => one.isSelf) ?? null);
  readonly others = $derived(this.members.filter((one) => !one.isSelf));
  readonly here = $derived(this.others.filter((one) => one.isConnected));
  readonly owners = $derived(this.others.filter((one) => one.role === "owner"));
  /** Told apart from who that is and how far they are, which changes with every key. */
  readonly isSomeoneHere = $derived(this.here.length > 0);
  readonly isAlone = $derived(this.others.length === 0);
  /** What the person here may do. Alone: everything. */
  readonly role = $derived<Role | null>(this.self === null ? "owner" : this.self.role);
  readonly isViewer = $derived(this.role === "viewer");
  readonly isOwner = $derived(this.role === "owner");
  /** An owner took this computer out. */
  readonly isRemoved = $derived(this.self !== null && this.self.role === null);
  readonly link = $derived<LinkState>(this.together.link);
  /** As the pill says it: nobody to be connected with is no news. */
  readonly standing = $derived<LinkState>(this.link.kind !== "needsYou" && (this.isAlone || this.isRemoved) ? { kind: "alone" } : this.link);
  readonly invitation = $derived<Invitation | null>(this.together.invitation);
  readonly asking = $derived<readonly Asking[]>(this.together.asking);

  readonly #changed = new Emitter<TogetherChange>();
  readonly #signalled = new Emitter<Signalled>();
  readonly #nearbyChanged = new Emitter<Nearby>();
  readonly #joiningChanged = new Emitter<Joining>();
  /** After who takes part, or how far they are, changed. Not for the state a workspace is opened with. */
  readonly onChanged = this.#changed.on;
  readonly onSignalled = this.#signalled.on;
  readonly onNearby = this.#nearbyChanged.on;
  readonly onJoining = this.#joiningChanged.on;
  #isKnown = false;

  constructor(private readonly client: Client) {
    client.onEvent((event) => this.#handle(event));
    client.onAppEvent((event) => {
      if (event.event === "nearby") this.#setNearby(event.data);
      // Whoever called it off knows, and may be at the next try already.
      else if (event.event === "joining" && event.data.kind !== "cancelled") {
        this.joining = event.data;
        this.#joiningChanged.fire(event.data);
      }
    });
  }

  #handle(event: Event): void {
    if (event.event === "together") this.#setTogether(event.data);
    else if (event.event === "presence") this.#setPresence(event.data);
    else if (event.event === "signalled") this.#signalled.fire(event.data);
  }

  #setTogether(now: Together): void {
    const before = this.together;
    this.together = now;
    const gone = [...this.presences.keys()].filter((device) => !now.members.some((one) => one.device === device && one.isConnected));
    if (gone.length > 0) this.presences = new Map([...this.presences].filter(([device]) => !gone.includes(device)));
    if (this.#isKnown) this.#changed.fire({ before, now });
    this.#isKnown = true;
  }

  #setPresence(presence: Presence): void {
    const presences = new Map(this.presences);
    if (presence.place === null) presences.delete(presence.device);
    else presences.set(presence.device, presence);
    this.presences = presences;
  }

  #setNearby(nearby: Nearby): void {
    this.nearby = nearby;
    this.#nearbyChanged.fire(nearby);
  }

  /** A workspace was opened: as it is now. */
  async start(): Promise<void> {
    this.stop();
    const asked = [this.client.get("together", { cmd: "together" }), this.client.get("presences", { cmd: "presences" })] as const;
    const [together, places] = await Promise.allSettled(asked);
    // An event that came meanwhile is newer than the answer; and what was not answered is told with the next change.
    if (!this.#isKnown && together.status === "fulfilled") this.#setTogether(together.value);
    if (places.status === "rejected") return;
    const known = places.value.presences.filter((one) => one.place !== null && !this.presences.has(one.device));
    this.presences = new Map([...this.presences, ...known.map((one): [string, Presence] => [one.device, one])]);
  }

  /** The workspace goes away. */
  stop(): void {
    this.#isKnown = false;
    this.together = ALONE;
    this.presences = new Map();
    this.followed = null;
    this.muted = new Set();
  }

  /** From now on who is nearby is told. */
  async startNearby(): Promise<void> {
    this.#setNearby(await this.client.getApp("nearby", { cmd: "nearby" }));
  }

  /** Looks for others at once, for a list that somebody looks at; and reads anew what is known of the network. */
  async lookAround(): Promise<void> {
    await this.client.app({ cmd: "lookAround" });
    await this.startNearby();
  }

  member(device: string): Member | null {
    return this.together.members.find((one) => one.device === device) ?? null;
  }

  /** As the person is called on the screen: with the computer's name when two have the same (MSG-PEER-4). */
  nameOf(device: string): string {
    const member = this.member(device);
    if (member === null) return "Somebody";
    const isTwice = this.members.some((one) => one.device !== device && one.person === member.person);
    return isTwice && member.deviceName !== null ? `${member.person} (${member.deviceName})` : member.person;
  }

  /** What the owners are called on the screen. */
  get ownerNames(): string[] {
    return this.owners.map((one) => this.nameOf(one.device));
  }

  /** The names that may stand for a person in a message: as they are called here, and as they call themselves. */
  namesOf(device: string): string[] {
    const person = this.member(device)?.person;
    return [...new Set([this.nameOf(device), ...(person === undefined ? [] : [person])])];
  }

  presenceOf(device: string): Presence | null {
    return this.presences.get(device) ?? null;
  }

  /** Null: not connected, or not told yet. */
  placeOf(device: string): Place | null {
    return this.presences.get(device)?.place ?? null;
  }

  /** When something was typed there last, Unix milliseconds; 0 for never. */
  typedMs(device: string): number {
    return this.presences.get(device)?.typedMs ?? 0;
  }

  /** Where a person is, as seen from a file (null: none is open here). */
  whereabouts(device: string, path: string | null): Whereabouts {
    const member = this.member(device);
    if (member?.isSelf === true) return "here";
    if (member?.isConnected !== true) return "offline";
    const place = this.placeOf(device);
    if (place === null) return "elsewhere";
    if (place.isAway) return "away";
    if (place.pastMs !== null) return "past";
    return place.path !== null && place.path === path ? "here" : "elsewhere";
  }
}
