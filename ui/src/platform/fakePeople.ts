/** The people of the fake host: as many as asked for, doing as they are told. In memory; nothing leaves the page. */
import type {
  AppEvent, AppReply, AppRequest, Asking, CodeCheck, Event, Invitation, KnownPerson, Member, Nearby, NearbyPerson, Presence, Reply, Request, Together,
} from "../api/generated";

const NAMES = [
  "Bo", "Ωmega-Very-Long-Name Łukasz", "عبد الرحمن بن محمد الخوارزمي", "Lin", "Ravi Kumar", "Mei", "Jörg Ångström", "Noor", "Ana María", "Kofi", "Sól",
];
const WORDS = ["harbor", "violin", "crossover", "clockwork", "clockwise", "amulet", "bookshelf", "tycoon", "uproot", "village", "voyager", "watchword"];
const GOOD_CODE = "7-crossover-clockwork";
const MINUTE_MS = 60_000;

export class FakePeople {
  together: Together;
  presences: Presence[];
  nearby: Nearby;
  known: KnownPerson[];
  #n_wrong = 0;

  constructor(
    n_others: number,
    paths: readonly string[],
    private readonly tell: (event: Event) => void,
    private readonly tellApp: (event: AppEvent) => void,
    private readonly now: () => number = Date.now,
  ) {
    const others = Array.from({ length: n_others }, (_, index) => makeMember(index, this.now()));
    const self: Member = { ...makeMember(-1, this.now()), device: "d", person: "Asha", deviceName: "ThinkPad-Asha", color: 0, role: "owner", isSelf: true, isConnected: true };
    const n_here = others.filter((one) => one.isConnected).length;
    this.together = {
      members: n_others === 0 ? [] : [self, ...others],
      link: n_others === 0 ? { kind: "alone" } : n_here === 0 ? { kind: "offline" } : { kind: "live", nOthers: n_here },
      invitation: null,
      asking: [],
      addresses: ["192.168.1.31:4872"],
      removedBy: null,
    };
    this.presences = others.filter((one) => one.isConnected).map((one, index) => makePresence(one, index, paths, this.now()));
    this.nearby = makeNearby(this.now());
    this.known = [
      { device: "k1", person: "Lin", deviceName: "MacBook-Lin", lastSeenMs: this.now() - 4 * 86_400_000 },
      { device: "k2", person: "Ravi Kumar", deviceName: "desk-07", lastSeenMs: this.now() - 90 * 86_400_000 },
    ];
  }

  /** Null: not about people. */
  answer(request: Request): Reply | null {
    switch (request.cmd) {
      case "together":
        return { reply: "together", value: this.together };
      case "presences":
        return { reply: "presences", value: { presences: this.presences } };
      case "invite":
        return { reply: "invitation", value: this.#invite(request.args.isLong, request.args.role) };
      case "endInvitation":
        return this.#change({ invitation: null });
      case "answerAsk":
        return this.#answerAsk(request.args.id, request.args.answer);
      case "setRole":
        return this.#changeMember(request.args.device, { role: request.args.role });
      case "removeMember":
        return this.#changeMember(request.args.device, { role: null, isConnected: false });
      case "pause":
        return this.#change({ link: request.args.isPaused ? { kind: "paused" } : { kind: "live", nOthers: 1 } });
      case "leave":
        return this.#change({ link: { kind: "left" } });
      case "syncNow":
        return this.#change({ link: { kind: "live", nOthers: 1 } });
      case "share":
      case "inviteNearby":
      case "showPlace":
      case "signal":
      case "connect":
        return { reply: "done" };
      default:
        return null;
    }
  }

  /** Null: not about people. */
  answerApp(request: AppRequest): AppReply | null {
    switch (request.cmd) {
      case "nearby":
        return { reply: "nearby", value: this.nearby };
      case "lookAround":
      case "wordsDiffer":
        return { reply: "done" };
      case "checkCode":
        return { reply: "codeCheck", value: checkCode(request.args.text) };
      case "join":
        this.#join(request.args.code, request.args.folder);
        return { reply: "done" };
      case "askToJoin":
        this.tellApp({ event: "joining", data: { kind: "waiting", person: "Bo", words: ["harbor", "violin"], untilMs: this.now() + 2 * MINUTE_MS } });
        return { reply: "done" };
      case "cancelJoin":
        this.tellApp({ event: "joining", data: { kind: "cancelled" } });
        return { reply: "done" };
      case "suggestFolder":
        return { reply: "folder", value: { path: `/home/asha/CodeSync/${request.args.name}`, isTaken: request.args.name === "notes" } };
      case "listKnownPeople":
        return { reply: "knownPeople", value: { people: this.known } };
      case "forgetPerson":
        this.known = this.known.filter((one) => one.device !== request.args.device);
        return { reply: "done" };
      default:
        return null;
    }
  }

  /** Somebody asks to come in. */
  ask(asking: Partial<Asking> = {}): void {
    const one: Asking = {
      id: 1, person: "Bo", deviceName: "ThinkPad-Bo", address: "192.168.1.44", words: ["harbor", "violin"], untilMs: this.now() + 2 * MINUTE_MS, acquaintance: "new", ...asking,
    };
    this.#change({ asking: [...this.together.asking, one] });
  }

  #change(part: Partial<Together>): Reply {
    this.together = { ...this.together, ...part };
    this.tell({ event: "together", data: this.together });
    return { reply: "done" };
  }

  #changeMember(device: string, part: Partial<Member>): Reply {
    return this.#change({ members: this.together.members.map((one) => (one.device === device ? { ...one, ...part } : one)) });
  }

  #invite(isLong: boolean, role: Invitation["role"]): Invitation {
    const code = isLong ? "amulet bookshelf tycoon uproot village watchword".replaceAll(" ", "-") : GOOD_CODE;
    const invitation: Invitation = { code, role, untilMs: this.now() + (isLong ? 1_440 : 10) * MINUTE_MS, nWrong: 0, wrongFrom: null, state: "open" };
    this.#change({ invitation });
    return invitation;
  }

  #answerAsk(id: number, answer: Extract<Request, { cmd: "answerAsk" }>["args"]["answer"]): Reply {
    const asked = this.together.asking.find((one) => one.id === id);
    const asking = this.together.asking.filter((one) => one.id !== id);
    if (asked === undefined || answer.kind !== "letIn") return this.#change({ asking });
    const member: Member = { ...makeMember(0, this.now()), device: `asked-${id}`, person: asked.person, role: answer.role, isConnected: true };
    return this.#change({ asking, members: [...this.together.members, member], link: { kind: "live", nOthers: 1 } });
  }

  #join(code: string, folder: string): void {
    this.tellApp({ event: "joining", data: { kind: "searching" } });
    const isRight = checkCode(code).parts.map((part) => part.text).join("-") === GOOD_CODE;
    if (isRight) {
      this.tellApp({ event: "joining", data: { kind: "joined", root: folder, name: "parser-lab", person: "Asha", role: "editor" } });
      return;
    }
    this.#n_wrong += 1;
    const n_left = 3 - this.#n_wrong;
    this.tellApp({ event: "joining", data: { kind: "failed", id: n_left > 0 ? "MSG-PAIR-2" : "MSG-PAIR-2c", sentence: "That code didn't match.", nTriesLeft: Math.max(0, n_left) } });
  }
}

function makeMember(index: number, now_ms: number): Member {
  const isConnected = index % 4 !== 3;
  return {
    device: `device-${index}`,
    person: NAMES[index] ?? `Guest ${index}`,
    deviceName: `ThinkPad-${index}`,
    color: (index + 1) % 8,
    role: index % 3 === 2 ? "viewer" : "editor",
    isSelf: false,
    isConnected,
    address: isConnected ? `192.168.1.${40 + index}:4870` : null,
    roundTripUs: isConnected ? 2_600 + index * 900 : null,
    nBehind: isConnected ? 0 : 12 * (index + 1),
    lastSeenMs: isConnected ? null : now_ms - 3 * 86_400_000,
    leftMs: null,
    otherVersion: null,
  };
}

function makePresence(member: Member, index: number, paths: readonly string[], now_ms: number): Presence {
  const path = paths[index % Math.max(1, paths.length)] ?? null;
  const place = { path, selections: [[40 + index, 40 + index]] as [number, number][], topLine: 12 + index, line: 15 + index, pastMs: index === 4 ? now_ms - 600_000 : null, isAway: index === 2, isWritingMessage: false };
  return { device: member.device, place, typedMs: now_ms - index * 7_000 };
}

function makeNearby(now_ms: number): Nearby {
  const person = (name: string, index: number, more: Partial<NearbyPerson>): NearbyPerson => ({
    peer: `peer-${index}`, device: `near-${index}`, person: name, deviceName: `ThinkPad-${name.slice(0, 12)}`, address: `192.168.1.${60 + index}`, acquaintance: "new", shares: null, invites: false, ...more,
  });
  return {
    people: [
      person("Asha", 0, { shares: { name: "parser-lab", nPeople: 1, isJoined: false } }),
      person("Ravi Kumar", 1, {}),
      person(NAMES[1] ?? "", 2, { shares: { name: "a workspace with quite a long name", nPeople: 12, isJoined: false }, acquaintance: "known" }),
      person(NAMES[2] ?? "", 3, { shares: { name: "notes", nPeople: 2, isJoined: false }, invites: true, acquaintance: "known" }),
    ],
    network: { addresses: ["192.168.1.31"], name: "Office", vpns: ["tun0"], isVisible: true, person: "Asha", port: 4871, lookingSinceMs: now_ms },
  };
}

/** As the engine would, over a few words. */
export function checkCode(text: string): CodeCheck {
  const typed = text.toLowerCase().split(/[^a-z0-9]+/).filter((part) => part !== "");
  const parts = typed.map((part, index): CodeCheck["parts"][number] => {
    if (WORDS.includes(part) || (index === 0 && /^\d$/.test(part))) return { text: part, state: "good", suggestion: null };
    const begun = WORDS.filter((word) => word.startsWith(part));
    const isLast = index === typed.length - 1;
    if (begun.length > 0 && isLast) return { text: part, state: "begun", suggestion: begun.length === 1 ? (begun[0] ?? null) : null };
    const near = WORDS.find((word) => word[0] === part[0] && Math.abs(word.length - part.length) < 3) ?? null;
    return { text: part, state: "unknown", suggestion: near };
  });
  const isComplete = parts.every((part) => part.state === "good") && (parts.length === 3 || parts.length === 6);
  const last = parts.at(-1);
  const completed = last?.state === "begun" && last.suggestion !== null ? [...typed.slice(0, -1), last.suggestion].join("-") : null;
  return { parts, isComplete, completed };
}
