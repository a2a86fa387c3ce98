import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../../api/client";
import type { Invitation, Member, NetworkState, Together } from "../../api/generated";
import { FakeHost } from "../../platform/fake";
import { People } from "../../state/people.svelte";
import { PeopleActions } from "./actions.svelte";
import { joinTrouble } from "./joinTrouble";
import { firewallRule, networkFacts } from "./networkFacts";
import { type Deeds, askedOf, saidOf } from "./toasts";

const member = (device: string, part: Partial<Member> = {}): Member => ({
  device, person: device, deviceName: null, color: 0, role: "editor", isSelf: false, isConnected: true, address: null, roundTripUs: null, nBehind: 0, lastSeenMs: null, leftMs: null, otherVersion: null, ...part,
});
const ASHA = member("Asha", { isSelf: true, role: "owner" });
const OPEN: Invitation = { code: "7-crossover-clockwork", role: "editor", untilMs: 10, nWrong: 0, wrongFrom: null, state: "open" };
const together = (part: Partial<Together>): Together => ({ members: [ASHA], link: { kind: "alone" }, invitation: null, asking: [], addresses: [], removedBy: null, ...part });

const done: string[] = [];
const deeds: Deeds = {
  newCode: () => done.push("newCode"),
  changeRole: (device) => done.push(`change ${device}`),
  remove: (device) => done.push(`remove ${device}`),
  makeEditor: (device) => done.push(`editor ${device}`),
};
const texts = (before: Together, now: Together): string[] => saidOf({ before, now }, deeds).map((one) => one.text);

describe("what is said about people", () => {
  it("tells the owner who came in with the code, once", () => {
    const before = together({ invitation: OPEN });
    const now = together({ members: [ASHA, member("Bo")], invitation: { ...OPEN, state: "used" } });
    const [said] = saidOf({ before, now }, deeds);
    expect(said?.text).toBe("Bo joined with your code as Editor.");
    expect(said?.options.buttons?.map((button) => button.label)).toEqual(["Change", "Remove"]);
    said?.options.buttons?.forEach((button) => button.run());
    expect(done).toEqual(["change Bo", "remove Bo"]);
    expect(texts(now, now)).toEqual([]);
    // Let in by hand: whoever did it knows.
    expect(texts(together({}), together({ members: [ASHA, member("Bo")] }))).toEqual([]);
  });

  it("tells of wrong tries, and that the code is off after three", () => {
    const wrong = together({ invitation: { ...OPEN, nWrong: 1 } });
    expect(texts(together({ invitation: OPEN }), wrong)).toEqual(["Someone tried your code with a wrong word. The code still works."]);
    expect(texts(wrong, wrong)).toEqual([]);
    const again = together({ invitation: { ...OPEN, nWrong: 2, wrongFrom: "192.168.1.31" } });
    expect(texts(wrong, again)).toEqual(["Someone at 192.168.1.31 tried your code with a wrong word. The code still works."]);
    const off = together({ invitation: { ...OPEN, nWrong: 3, state: "switchedOff" } });
    expect(texts(wrong, off)).toEqual(["This code is switched off after three wrong tries."]);
    expect(texts(off, off)).toEqual([]);
    // Another code begins anew.
    expect(texts(off, together({ invitation: { ...OPEN, code: "3-a-b" } }))).toEqual([]);
  });

  it("tells what one may do from now on", () => {
    const as = (role: Member["role"]): Together => together({ members: [member("Me", { isSelf: true, role }), member("Asha", { role: "owner" })] });
    expect(texts(as("viewer"), as("editor"))).toEqual(["Asha made you an editor."]);
    expect(texts(as("editor"), as("viewer"))).toEqual(["You're now a viewer. Changes you made before stay."]);
    expect(texts(as("editor"), as(null))).toEqual([]);
  });

  it("asks an owner when a viewer would like to edit, and nobody else", () => {
    const signalled = { device: "Bo", person: "Bo", signal: { kind: "askToEdit" } } as const;
    expect(askedOf(signalled, false, deeds)).toBe(null);
    const said = askedOf(signalled, true, deeds);
    expect(said?.text).toBe("Bo would like to edit.");
    said?.options.buttons?.[0]?.run();
    expect(done.at(-1)).toBe("editor Bo");
  });
});

describe("why joining came to nothing", () => {
  const failed = (id: string | null, nTriesLeft: number | null = null, sentence = "So it is.") => joinTrouble({ kind: "failed", id, sentence, nTriesLeft }, "Asha", 0, "~/CodeSync/parser-lab");
  it("is said in the words of the table", () => {
    expect(failed("MSG-PAIR-2", 2)).toMatchObject({ head: "That code didn't match.", isUrgent: true, canTryAgain: true, needsCode: true });
    expect(failed("MSG-PAIR-2", 1).body).toMatch(/1 try left\.$/);
    expect(failed("MSG-PAIR-2", null).body).toMatch(/Nothing was shared\.$/);
    expect(failed("MSG-PAIR-2c", 0)).toMatchObject({ body: "after three wrong tries. Ask for a new one.", canTryAgain: false, needsCode: true });
    expect(failed("MSG-PAIR-8")).toMatchObject({ body: "~/CodeSync/parser-lab already has files.", canTryAgain: false, needsCode: false });
    expect(failed("MSG-PAIR-4")).toMatchObject({ body: "Asha hasn't answered. They may be away.", canAskAgain: true });
    expect(failed("MSG-PAIR-5")).toMatchObject({ body: "Asha can't let you in right now.", canAskAgain: false });
    expect(failed("MSG-PAIR-6").head).toContain("may not be Asha's computer");
  });
  it("is said in the words of whoever refused where there are none", () => {
    expect(failed(null).body).toBe("So it is.");
    expect(failed("MSG-OTHER")).toMatchObject({ body: "So it is.", head: "" });
  });
});

describe("the connection check", () => {
  const network: NetworkState = { addresses: ["192.168.1.31"], name: "Office", vpns: ["tun0"], isVisible: false, person: "Bo", port: 4871, lookingSinceMs: 0 };
  it("says what is in the way, and what it cannot know", () => {
    const facts = networkFacts(network, []);
    expect(facts.filter((fact) => fact.state === "bad").map((fact) => fact.text)).toEqual(["This window is not visible to others.", "A VPN is on (tun0). It can hide nearby computers."]);
    expect(networkFacts({ ...network, addresses: [], port: 0 }, [])[0]).toMatchObject({ state: "bad", text: "This computer is on no network." });
  });
});

describe("the rule for a firewall", () => {
  const at = (port: number): NetworkState => ({ addresses: [], name: null, vpns: [], isVisible: true, person: "Bo", port, lookingSinceMs: null });
  it("names the port of the open workspace, and of whoever looks around", () => {
    expect(firewallRule(at(4871), [])).toBe("UDP 5353 and TCP/UDP 4870, 4871");
    expect(firewallRule(at(4871), ["192.168.1.31:4872", "[fd00::1]:4872"])).toBe("UDP 5353 and TCP/UDP 4871, 4872");
    expect(firewallRule(at(0), [])).toBe("UDP 5353 and TCP/UDP 4870, 4871");
    expect(networkFacts(at(4871), []).at(-2)).toMatchObject({ state: "open", text: "Firewall: we cannot tell. Allow CodeSync, UDP 5353 and TCP/UDP 4870, 4871." });
  });
});

describe("what is done", () => {
  let host: FakeHost;
  let people: People;
  let actions: PeopleActions;
  const said: string[] = [];
  const opened: string[] = [];
  beforeEach(async () => {
    said.length = opened.length = 0;
    host = new FakeHost({ "a.rs": "" }, 1);
    const client = new Client(host);
    await client.start();
    people = new People(client);
    actions = new PeopleActions({
      client,
      people,
      defaultRole: () => "viewer",
      toast: (text) => said.push(text),
      fail: (cause) => said.push(String(cause)),
      open: async (root) => opened.push(root),
    });
    await people.start();
    await people.startNearby();
  });
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

  it("makes a code with the proposed role, and keeps the one that is open", async () => {
    await actions.showInvite();
    await settled();
    expect(people.invitation).toMatchObject({ code: "7-crossover-clockwork", role: "viewer", state: "open" });
    const first = people.invitation;
    await actions.showInvite();
    expect(people.invitation).toBe(first);
    expect(actions.hasReplaced).toBe(false);
    await actions.reinvite({ isLong: true });
    await settled();
    expect(actions.hasReplaced).toBe(true);
    expect(people.invitation?.code.split("-").length).toBe(6);
    expect(people.invitation?.role).toBe("viewer");
    // Opened again, the card has nothing new to tell.
    await actions.showInvite();
    expect(actions.hasReplaced).toBe(false);
    // One that is off was of no use any more.
    people.together = { ...people.together, invitation: { ...OPEN, state: "switchedOff" } };
    await actions.reinvite();
    expect(actions.hasReplaced).toBe(false);
  });

  it("shows no invitation where no code could be made", async () => {
    people.together = together({});
    const rpc = host.rpc.bind(host);
    host.rpc = async (call) => {
      if (call.to === "workspace" && call.request.cmd === "invite") throw { code: "io", message: "No network.", detail: null };
      return rpc(call);
    };
    await expect(actions.showInvite()).rejects.toMatchObject({ code: "io" });
    expect(actions.isInviteShown).toBe(false);
    // One that is over says so, and offers another.
    people.together = together({ invitation: { ...OPEN, state: "used" } });
    await expect(actions.showInvite()).rejects.toMatchObject({ code: "io" });
    expect(actions.isInviteShown).toBe(true);
  });

  it("asks the owners that are here, and nobody where none is", async () => {
    const sent: string[] = [];
    const rpc = host.rpc.bind(host);
    host.rpc = (call) => {
      if (call.to === "workspace") sent.push(call.request.cmd);
      return rpc(call);
    };
    const me = member("Me", { isSelf: true, role: "viewer" });
    const owner = (name: string, isConnected: boolean): Member => member(name, { role: "owner", isConnected });
    const askAmong = async (...members: Member[]): Promise<void> => {
      people.together = together({ members: [me, ...members] });
      await actions.askToEdit();
    };
    await askAmong(owner("Asha", false), member("Bo"));
    await askAmong(owner("Asha", false), owner("Lin", false));
    await askAmong(member("Bo"));
    expect(sent).toEqual([]);
    await askAmong(owner("Asha", true), owner("Lin", false));
    expect(sent).toEqual(["signal"]);
    expect(said).toEqual([
      "Asha is offline. Ask again when they are here.",
      "Asha and Lin are offline. Ask again when they are here.",
      "No owner is here. Ask again when they are here.",
      "Asked Asha.",
    ]);
  });

  it("shares with whoever is invited by name what the invitation would", async () => {
    const sent: unknown[] = [];
    const rpc = host.rpc.bind(host);
    host.rpc = (call) => {
      if (call.to === "workspace" && call.request.cmd === "inviteNearby") sent.push(call.request.args.sharePast);
      return rpc(call);
    };
    const peer = people.nearby.people[0]?.peer ?? "";
    await actions.inviteNearby(peer);
    await actions.invite("viewer", false, false);
    await actions.inviteNearby(peer);
    expect(sent).toEqual([true, false]);
    expect(said.map((text) => text.split(": ")[1])).toEqual([
      "they get the history, too. It is in the list “Nearby” there.",
      "they get only what comes from now on. It is in the list “Nearby” there.",
    ]);
  });

  it("counts an answer once, and asks again where it did not arrive", async () => {
    host.people.ask();
    await settled();
    await actions.answer(1, { kind: "letIn", role: "editor", remember: true, sharePast: true });
    await settled();
    expect(actions.answered.has(1)).toBe(true);
    expect(people.asking).toEqual([]);
    expect(people.others.map((one) => one.person)).toContain("Bo");
  });

  it("offers a code where the words on the two screens differ", async () => {
    actions.question = { kind: "wordsDiffer", person: "Bo" };
    await actions.confirm();
    expect(actions.question).toBe(null);
    expect(actions.isInviteShown).toBe(true);
  });

  it("goes from a code to the open copy", async () => {
    await actions.startCode();
    expect(actions.folder).toBe("/home/asha/CodeSync/shared-workspace");
    actions.code = "7-crossover-clockwise";
    await actions.joinWithCode();
    await settled();
    expect(people.joining).toMatchObject({ kind: "failed", nTriesLeft: 2 });
    // Three are nearby who share: there is nobody to ask.
    expect(actions.likelyHost).toBe(null);
    await actions.askForNewCode();
    expect([actions.code, people.joining, actions.joinBy?.kind]).toEqual(["", null, "code"]);
    actions.code = "7 Crossover CLOCKWORK";
    await actions.joinWithCode();
    await settled();
    expect(people.joining?.kind).toBe("joined");
    await actions.joined("/home/asha/CodeSync/parser-lab", "Asha");
    expect(opened).toEqual(["/home/asha/CodeSync/parser-lab"]);
    expect(people.welcomedBy).toBe("Asha");
    expect(actions.joinBy).toBe(null);
  });

  it("asks whoever gave a code that is of no use to let in, where that is known", async () => {
    await actions.startCode();
    actions.address = "192.168.1.60:4870";
    expect(actions.likelyHost?.person).toBe("Asha");
    actions.address = "192.168.1.6:4870";
    expect(actions.likelyHost).toBe(null);
    actions.address = "";
    people.nearby = { ...people.nearby, people: people.nearby.people.slice(0, 2) };
    expect(actions.likelyHost?.person).toBe("Asha");
    await actions.askForNewCode();
    await settled();
    expect(actions.joinBy).toMatchObject({ kind: "ask", person: { person: "Asha" } });
    expect(people.joining?.kind).toBe("waiting");
  });

  it("asks somebody nearby with one click, and stops when told", async () => {
    await actions.askToJoin("peer-0");
    await settled();
    expect(actions.folder).toBe("/home/asha/CodeSync/parser-lab");
    expect(people.joining).toMatchObject({ kind: "waiting", words: ["harbor", "violin"] });
    await actions.cancelJoin();
    expect(actions.joinBy).toBe(null);
    expect(people.joining).toBe(null);
  });
});
