import { afterEach, describe, expect, it, vi } from "vitest";
import { Client } from "../api/client";
import type { Call, CallReply, LogRecord, Member, Together } from "../api/generated";
import type { Host } from "../platform/host";
import type { TogetherChange } from "./people.svelte";
import { Activity, refreshed, summedUp } from "./activity.svelte";

function record(group: string, second: number, more: Partial<LogRecord> = {}): LogRecord {
  return {
    id: `${group}${second}`, session_id: "", user_id: "Bo", timestamp: `2026-11-21T12:00:${String(second).padStart(2, "0")}.000Z`, kind: "edit", path: "a.rs", step: null, position: null,
    deleted: null, inserted: null, n_steps: 1, added: 1, removed: 0, n_files: 1, group_id: group, detail: null, ...more,
  };
}

describe("activity", () => {
  it("has each act once, though others worked in between", () => {
    const acts = summedUp([record("x", 5), record("y", 4), record("x", 3, { added: 4 }), record("y", 2, { removed: 2 })]);
    expect(acts.map(({ group_id, added, removed, n_steps }) => [group_id, added, removed, n_steps])).toEqual([["x", 5, 0, 2], ["y", 2, 2, 2]]);
    expect(summedUp([record("x", 5), record("x", 4, { path: "b.rs" })])[0]).toMatchObject({ path: null, n_files: 2 });
  });

  it("counts nothing twice when it is asked again", () => {
    const before = [record("x", 5, { added: 5 }), record("y", 4), record("z", 1)];
    const page = [record("x", 7, { added: 7 }), record("y", 4)];
    const after = summedUp(refreshed(before, page));
    expect(after.map(({ group_id, added }) => [group_id, added])).toEqual([["x", 7], ["y", 1], ["z", 1]]);
    expect(refreshed(before, [])).toEqual([]);
  });
});

describe("activity that is looked at", () => {
  afterEach(() => vi.useRealTimers());

  it("is asked for again when others take part, not whenever something is told of them", async () => {
    vi.useFakeTimers();
    let n_asked = 0;
    const host: Host = {
      kind: "fake",
      subscribe: async () => undefined,
      rpc: async (call: Call): Promise<CallReply> => {
        if (call.to !== "workspace" || call.request.cmd !== "log") return { to: "workspace", reply: { reply: "status", value: { nMoments: 1 } } } as CallReply;
        n_asked += 1;
        return { to: "workspace", reply: { reply: "log", value: { records: [], next: null } } } as CallReply;
      },
    };
    const client = new Client(host);
    const heard: ((change: TogetherChange) => void)[] = [];
    const activity = new Activity(client, { together: { members: [] }, onChanged: (hear: (change: TogetherChange) => void) => heard.push(hear) } as never);
    const bo: Member = { device: "bo", person: "Bo", deviceName: null, color: 1, role: "editor", isSelf: false, isConnected: true, address: null, roundTripUs: 900, nBehind: 0, lastSeenMs: null, leftMs: null, otherVersion: null };
    let before: Together = { members: [], link: { kind: "alone" }, invitation: null, asking: [], addresses: [], removedBy: null };
    const tell = async (members: Member[]): Promise<number> => {
      const now = { ...before, members };
      heard.forEach((hear) => hear({ before, now }));
      before = now;
      await vi.runAllTimersAsync();
      return n_asked;
    };
    await tell([bo]);
    activity.show({ path: null, author: null });
    await vi.runAllTimersAsync();
    expect(n_asked).toBe(1);
    expect(await tell([{ ...bo, roundTripUs: 1_200, nBehind: 3 }])).toBe(1);
    expect(await tell([{ ...bo, role: "viewer" }])).toBe(2);
  });
});

describe("what is no history", () => {
  const BO: Member = {
    device: "b", person: "Bo", deviceName: null, color: 1, role: "editor", isSelf: false, isConnected: true, address: null, roundTripUs: null, nBehind: 0, lastSeenMs: null, leftMs: null, otherVersion: null,
  };
  const of = (member: Partial<Member>): Together => ({ members: [{ ...BO, ...member }], link: { kind: "offline" }, invitation: null, asking: [], addresses: [], removedBy: null });
  const left = of({ isConnected: false, leftMs: Date.parse("2026-11-21T12:00:03.500Z") });

  function listed(records: LogRecord[], n_moments = 1): { activity: Activity; change(before: Together, now: Together): void; sentences(filter?: { path?: string; author?: string }): Promise<(string | undefined)[]> } {
    const heard: ((change: TogetherChange) => void)[] = [];
    const client = { onEvent: () => undefined, get: async (_: string, { cmd }: { cmd: string }) => (cmd === "status" ? { nMoments: n_moments } : { records }) };
    const people = { together: of({}), onChanged: (hear: (change: TogetherChange) => void) => heard.push(hear) };
    const activity = new Activity(client as unknown as Client, people as never, () => Date.parse("2026-11-21T12:00:09.000Z"));
    return {
      activity,
      change: (before, now) => heard.forEach((hear) => hear({ before, now })),
      sentences: async ({ path, author } = {}) => {
        activity.show({ path: path ?? null, author: author ?? null });
        await new Promise((done) => setTimeout(done));
        return activity.records.map(({ sentence, kind }) => sentence ?? kind);
      },
    };
  }

  it("stands among what was done: once, at its time, and after they came back", async () => {
    const { activity, change, sentences } = listed([record("x", 5), record("y", 1)]);
    change(of({}), left);
    change(left, of({ otherVersion: "0.3.1" }));
    change(of({}), of({ otherVersion: "0.3.1" }));
    const uses = "Bo uses 0.3.1; playing back your history may show fewer details there.";
    expect(await sentences()).toEqual([uses, "edit", "Bo left.", "edit"]);
    expect(await sentences({ author: "Bo" })).toEqual([uses, "edit", "Bo left.", "edit"]);
    expect(await sentences({ author: "Asha" })).toEqual(["edit", "edit"]);
    expect(await sentences({ path: "a.rs" })).toEqual(["edit", "edit"]);
    activity.forget();
    expect(await sentences()).toEqual(["edit", "edit"]);
  });

  it("comes up while the list is looked at", async () => {
    const { activity, change, sentences } = listed([]);
    expect(await sentences()).toEqual([]);
    vi.useFakeTimers();
    change(of({}), left);
    await vi.runAllTimersAsync();
    vi.useRealTimers();
    expect(activity.records.map(({ sentence }) => sentence)).toEqual(["Bo left."]);
  });

  it("is known though it was so when the workspace was opened", async () => {
    const { change, sentences } = listed([]);
    change(left, of({}));
    expect(await sentences()).toEqual(["Bo left."]);
  });

  it("is not older than the history that is shown", async () => {
    const { change, sentences } = listed(Array.from({ length: 40 }, (_, index) => record(`g${index}`, 10 + index)), 99_999);
    change(of({}), left);
    expect(await sentences()).not.toContain("Bo left.");
  });
});
