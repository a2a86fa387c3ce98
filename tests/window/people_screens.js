/**
 * People for pictures: as many as there are names for, put into the window as if the engine had told of them. What is
 * done with them goes nowhere. Leaves `window.__cs.people` behind, which the screens call.
 */
const NAMES = [
  "Bo", "Ωmega-Very-Long-Name Łukasz", "عبد الرحمن بن محمد الخوارزمي", "Lin", "Ravi Kumar", "Mei", "Jörg Ångström", "Noor", "Ana María", "Kofi", "Sól",
];
const { workbench } = window.__cs;
const { people } = workbench;
const now_ms = Date.now();
const DAY_MS = 86_400_000;

function member(index) {
  const isConnected = index % 4 !== 3;
  return {
    device: `device-${index}`, person: NAMES[index], deviceName: `ThinkPad-${index}`, color: (index + 1) % 8, role: index % 3 === 2 ? "viewer" : "editor",
    isSelf: false, isConnected, address: isConnected ? `192.168.1.${40 + index}:4870` : null, roundTripUs: isConnected ? 2_600 + index * 900 : null,
    nBehind: isConnected ? 0 : 12 * (index + 1), lastSeenMs: isConnected ? null : now_ms - 3 * DAY_MS,
  };
}

function self(person, role = "owner") {
  return { ...member(0), device: "self", person, deviceName: "here", color: 0, role, isSelf: true };
}

const PLACE = { selections: [[0, 0]], topLine: 12, line: 14, pastMs: null, isAway: false, isWritingMessage: false };

window.__cs.people = {
  /** So many others take part; `part` is what is otherwise. */
  set(n_others, part = {}) {
    const person = workbench.session.started.person;
    const others = NAMES.slice(0, n_others).map((_, index) => member(index));
    const n_here = others.filter((one) => one.isConnected).length;
    const members = n_others === 0 ? [] : [self(person, part.role), ...others];
    people.together = {
      members, link: n_others === 0 ? { kind: "alone" } : { kind: "live", nOthers: n_here }, invitation: null, asking: [], addresses: ["192.168.1.31:4870"], ...part,
    };
    const paths = ["src/lexer.rs", "src/main.rs", "README.md"];
    const places = others.filter((one) => one.isConnected).map((one, index) => [
      one.device,
      { device: one.device, place: { ...PLACE, path: paths[index % 3], isAway: index === 2, pastMs: index === 4 ? now_ms - 600_000 : null }, typedMs: now_ms },
    ]);
    people.presences = new Map(places);
  },
  /** Others take part, and none can be reached. */
  setOffline() {
    this.set(2, { link: { kind: "offline" } });
    people.together = { ...people.together, members: people.together.members.map((one) => (one.isSelf ? one : { ...one, isConnected: false, roundTripUs: null, lastSeenMs: now_ms - 60_000, nBehind: 12 })) };
  },
  setNearby(isFound) {
    const card = (index, more) => ({
      peer: `peer-${index}`, device: `near-${index}`, person: NAMES[index], deviceName: "ThinkPad", address: `192.168.1.${60 + index}`, acquaintance: "new", shares: null, invites: false, ...more,
    });
    const found = [
      card(0, { shares: { name: "parser-lab", nPeople: 1, isJoined: false } }),
      card(4, {}),
      card(1, { shares: { name: "a workspace with quite a long name", nPeople: 12, isJoined: false } }),
      card(2, { shares: { name: "notes", nPeople: 2, isJoined: false }, invites: true, acquaintance: "known" }),
    ];
    const network = { addresses: ["192.168.1.31"], name: "Office", vpns: ["tun0"], isVisible: true, person: workbench.session.started.person, port: 4871, lookingSinceMs: now_ms };
    const real = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(people), "nearby");
    real.set.call(people, { people: isFound ? found : [], network });
    // On the first page the lobby goes on telling that nobody is there.
    if (workbench.session.phase !== "workspace") Object.defineProperty(people, "nearby", { configurable: true, get: () => real.get.call(people), set: () => undefined });
  },
  ask(acquaintance = "new") {
    const asking = [{ id: { new: 1, otherKey: 2, known: 3 }[acquaintance], person: NAMES[1], deviceName: "ThinkPad-Bo", address: "192.168.1.44", words: ["harbor", "violin"], untilMs: Date.now() + 119_000, acquaintance }];
    people.together = { ...people.together, asking };
  },
  invite(part = {}) {
    people.together = { ...people.together, invitation: { code: "7-crossover-clockwork", role: "editor", untilMs: Date.now() + 581_000, nWrong: 0, state: "open", ...part } };
    if (document.querySelector("[data-testid=invite]") === null) workbench.commands.run("people.invite");
  },
  removed() {
    this.set(2);
    people.together = { ...people.together, members: people.together.members.map((one, index) => (one.isSelf ? { ...one, role: null } : { ...one, role: index === 1 ? "owner" : "editor" })) };
  },
};
