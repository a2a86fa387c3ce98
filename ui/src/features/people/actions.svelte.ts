/**
 * What is done about other people: inviting, joining, letting in, roles, removing. Holds what is open of it; who takes
 * part is in `People`. Knows the workbench only by `Surroundings`.
 */
import type { Client } from "../../api/client";
import type { AskAnswer, CodeCheck, Member, NearbyPerson, Role } from "../../api/generated";
import { askedToEdit, ownersAway } from "../../base/messages";
import type { People } from "../../state/people.svelte";

export interface Surroundings {
  client: Client;
  people: People;
  /** Role that is proposed for newcomers. */
  defaultRole(): Role;
  toast(text: string): void;
  fail(cause: unknown): void;
  /** The copy is there: shows it. */
  open(root: string): Promise<unknown>;
}

/** How somebody comes in: with a code, or by asking whoever is nearby. */
export type JoinBy = { kind: "code" } | { kind: "ask"; person: NearbyPerson };

/** Asked before it is done; or, where the words differed, what to do instead. */
export type Question = { kind: "remove"; member: Member } | { kind: "leave" } | { kind: "wordsDiffer"; person: string };

/** For a list that somebody looks at. */
const LOOK_EVERY_MS = 10_000;
const NAME_OF_A_COPY = "shared-workspace";

export class PeopleActions {
  isInviteShown = $state(false);
  /** What the invitation that is open, or the next one, is like. */
  isLong = $state(false);
  sharesPast = $state(true);
  /** The code that is shown took the place of one that was still open. */
  hasReplaced = $state(false);
  joinBy = $state.raw<JoinBy | null>(null);
  /** As typed so far. */
  code = $state("");
  /** Where whoever gave the code is, if they are not found by themselves. */
  address = $state("");
  /** Absolute path of the folder for the copy. */
  folder = $state("");
  question = $state.raw<Question | null>(null);
  isCheckShown = $state(false);
  /** Answered here, and still in the list until the engine says otherwise. */
  answered = $state.raw<ReadonlySet<number>>(new Set());
  #lookTimer: ReturnType<typeof setInterval> | undefined;
  #n_looking = 0;

  constructor(readonly around: Surroundings) {}

  get people(): People {
    return this.around.people;
  }

  // --- inviting

  /** Shows the invitation; makes one where none is open. */
  async showInvite(): Promise<void> {
    this.isInviteShown = true;
    this.hasReplaced = false;
    if (this.people.invitation?.state === "open") return;
    try {
      await this.invite(this.around.defaultRole());
    } catch (cause) {
      // Without any code there is nothing to show; whoever asked is told why.
      this.isInviteShown = this.people.invitation !== null;
      throw cause;
    }
  }

  async invite(role: Role, isLong = this.isLong, sharesPast = this.sharesPast): Promise<void> {
    await this.around.client.ask({ cmd: "invite", args: { role, isLong, sharePast: sharesPast } });
    this.isLong = isLong;
    this.sharesPast = sharesPast;
  }

  /** Another code, in place of the one that is open, with these things otherwise. */
  async reinvite(change: { role?: Role; isLong?: boolean; sharesPast?: boolean } = {}): Promise<void> {
    const wasOpen = this.people.invitation?.state === "open";
    await this.invite(change.role ?? this.people.invitation?.role ?? this.around.defaultRole(), change.isLong, change.sharesPast);
    this.hasReplaced = wasOpen;
  }

  async inviteNearby(peer: string): Promise<void> {
    await this.around.client.ask({ cmd: "inviteNearby", args: { peer, role: this.around.defaultRole(), sharePast: this.sharesPast } });
    const person = this.people.nearby.people.find((one) => one.peer === peer)?.person;
    const get = this.sharesPast ? "the history, too" : "only what comes from now on";
    if (person !== undefined) this.around.toast(`Invited ${person}: they get ${get}. It is in the list “Nearby” there.`);
  }

  // --- letting in

  async answer(id: number, answer: AskAnswer): Promise<void> {
    this.answered = new Set([...this.answered, id]);
    try {
      await this.around.client.ask({ cmd: "answerAsk", args: { id, answer } });
    } catch (cause) {
      this.answered = new Set([...this.answered].filter((one) => one !== id));
      throw cause;
    }
  }

  // --- joining

  /** The box for a code. */
  async startCode(): Promise<void> {
    this.people.joining = null;
    this.code = "";
    this.joinBy = { kind: "code" };
    await this.suggestFolder(this.likelyHost?.shares?.name ?? NAME_OF_A_COPY);
  }

  /** Who the code is from. It does not say; whoever is at the address, or the only one nearby who shares, is a good guess. */
  get likelyHost(): NearbyPerson | null {
    const address = this.address.trim();
    const sharing = this.people.nearby.people.filter((one) => one.shares?.isJoined === false);
    const there = address === "" ? sharing : sharing.filter((one) => address === one.address || address.startsWith(`${one.address}:`));
    return there.length === 1 ? (there[0] ?? null) : null;
  }

  /** Of whoever gave the last one, if that is known: they let in as well as give another. Otherwise it is to be typed. */
  async askForNewCode(): Promise<void> {
    const host = this.likelyHost;
    this.code = "";
    if (host === null) this.people.joining = null;
    else await this.askToJoin(host.peer);
  }

  checkCode(text: string): Promise<CodeCheck> {
    return this.around.client.getApp("codeCheck", { cmd: "checkCode", args: { text } });
  }

  async joinWithCode(): Promise<void> {
    const address = this.address.trim();
    this.people.joining = { kind: "searching" };
    const args = { code: this.code, address: address === "" ? null : address, folder: this.folder.trim() };
    await this.#orForget(this.around.client.app({ cmd: "join", args }));
  }

  /** Asks somebody nearby; one click, with a folder that is free. */
  async askToJoin(peer: string): Promise<void> {
    const person = this.people.nearby.people.find((one) => one.peer === peer);
    if (person === undefined) return;
    this.people.joining = { kind: "searching" };
    this.joinBy = { kind: "ask", person };
    await this.#orForget(
      (async () => {
        await this.suggestFolder(person.shares?.name ?? NAME_OF_A_COPY);
        await this.around.client.app({ cmd: "askToJoin", args: { peer, folder: this.folder } });
      })(),
    );
  }

  /** A refusal at once is told by whoever asked; the box goes back to what can be changed. */
  async #orForget(asked: Promise<unknown>): Promise<void> {
    try {
      await asked;
    } catch (cause) {
      this.people.joining = null;
      if (this.joinBy?.kind === "ask") this.joinBy = null;
      throw cause;
    }
  }

  /** A folder for a copy of this name that is not there yet. */
  freeFolder(name: string): Promise<{ path: string; isTaken: boolean }> {
    return this.around.client.getApp("folder", { cmd: "suggestFolder", args: { name } });
  }

  async suggestFolder(name: string): Promise<void> {
    this.folder = (await this.freeFolder(name)).path;
  }

  async pickFolder(): Promise<void> {
    const { path } = await this.around.client.getApp("path", { cmd: "pickFolder", args: { title: "Choose or make a folder for the copy" } });
    if (path !== null) this.folder = path;
  }

  async cancelJoin(): Promise<void> {
    const isUnderWay = this.people.joining?.kind === "searching" || this.people.joining?.kind === "waiting";
    this.joinBy = null;
    this.people.joining = null;
    if (isUnderWay) await this.around.client.app({ cmd: "cancelJoin" });
  }

  async wordsDiffer(): Promise<void> {
    await this.around.client.app({ cmd: "wordsDiffer" });
  }

  /** Let in: the copy is opened in this window. */
  async joined(root: string, person: string): Promise<void> {
    this.joinBy = null;
    this.people.joining = null;
    this.people.welcomedBy = person;
    await this.around.open(root);
  }

  // --- roles and leaving

  async askToEdit(): Promise<void> {
    const { owners, ownerNames } = this.people;
    const reached = ownerNames.filter((_, index) => owners[index]?.isConnected);
    if (reached.length === 0) {
      this.around.toast(ownersAway(ownerNames));
      return;
    }
    await this.around.client.ask({ cmd: "signal", args: { kind: "askToEdit" } });
    this.around.toast(askedToEdit(reached.join(" and ")));
  }

  async setRole(device: string, role: Role): Promise<void> {
    await this.around.client.ask({ cmd: "setRole", args: { device, role } });
  }

  async confirm(): Promise<void> {
    const { question } = this;
    this.question = null;
    if (question?.kind === "remove") await this.around.client.ask({ cmd: "removeMember", args: { device: question.member.device } });
    else if (question?.kind === "leave") await this.around.client.ask({ cmd: "leave" });
    else if (question?.kind === "wordsDiffer") await this.showInvite();
  }

  async pause(isPaused: boolean): Promise<void> {
    await this.around.client.ask({ cmd: "pause", args: { isPaused } });
  }

  async syncNow(): Promise<void> {
    await this.around.client.ask({ cmd: "syncNow" });
  }

  // --- the neighbourhood

  /** A list of who is nearby is on the screen, until what is returned is called. */
  look(): () => void {
    this.#n_looking += 1;
    const look = (): void => {
      // Where there is no network, the list says so; there is nothing more to tell.
      this.people.lookAround().catch(() => undefined);
    };
    if (this.#n_looking === 1) this.#lookTimer = setInterval(look, LOOK_EVERY_MS);
    look();
    return () => {
      this.#n_looking -= 1;
      if (this.#n_looking === 0) clearInterval(this.#lookTimer);
    };
  }
}
