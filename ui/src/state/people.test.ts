import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../api/client";
import { FakeHost } from "../platform/fake";
import { People } from "./people.svelte";

let host: FakeHost;
let people: People;

async function setUp(n_others: number): Promise<void> {
  host = new FakeHost({ "a.rs": "one", "b.rs": "two" }, n_others);
  const client = new Client(host);
  await client.start();
  people = new People(client);
  await people.start();
}

const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 5));

describe("people", () => {
  beforeEach(() => setUp(11));

  it("are oneself and the others that were not removed", async () => {
    expect(people.members.length).toBe(12);
    expect(people.self?.person).toBe("Asha");
    expect(people.others.length).toBe(11);
    expect(people.isOwner).toBe(true);
    host.people.answer({ cmd: "removeMember", args: { device: "device-0" } });
    await settled();
    expect(people.others.length).toBe(10);
    expect(people.member("device-0")?.role).toBe(null);
    expect(people.placeOf("device-0")).toBe(null);
  });

  it("are alone where nobody else takes part, and may do everything", async () => {
    await setUp(0);
    expect(people.isAlone).toBe(true);
    expect(people.role).toBe("owner");
    expect(people.isViewer).toBe(false);
    expect(people.isRemoved).toBe(false);
  });

  it("are somewhere", () => {
    expect(people.whereabouts("d", "a.rs")).toBe("here");
    expect(people.whereabouts("device-0", "a.rs")).toBe("here");
    expect(people.whereabouts("device-0", "b.rs")).toBe("elsewhere");
    expect(people.whereabouts("device-2", "a.rs")).toBe("away");
    expect(people.whereabouts("device-3", null)).toBe("offline");
    expect(people.whereabouts("nobody", null)).toBe("offline");
  });

  it("leave their place when they go", async () => {
    const changes: number[] = [];
    people.onChanged(({ now }) => changes.push(now.members.length));
    host.people.answer({ cmd: "setRole", args: { device: "device-0", role: "viewer" } });
    await settled();
    expect(people.member("device-0")?.role).toBe("viewer");
    expect(changes).toEqual([12]);
    people.stop();
    expect(people.placeOf("device-0")).toBe(null);
    expect(people.isAlone).toBe(true);
  });

  it("of the same name are told apart by their computers", async () => {
    host.people.together = { ...host.people.together, members: host.people.together.members.map((one) => (one.isSelf ? one : { ...one, person: "Bo" })) };
    await people.start();
    expect(people.nameOf("device-0")).toBe("Bo (ThinkPad-0)");
    expect(people.nameOf("d")).toBe("Asha");
  });
});

describe("who is nearby", () => {
  it("is told from the first question on", async () => {
    await setUp(0);
    expect(people.nearby.people).toEqual([]);
    await people.startNearby();
    expect(people.nearby.people.length).toBe(4);
    host.people.answerApp({ cmd: "askToJoin", args: { peer: "peer-0", folder: "/x" } });
    await settled();
    expect(people.joining?.kind).toBe("waiting");
  });
});
