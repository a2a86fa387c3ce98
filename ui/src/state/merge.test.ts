import { beforeEach, describe, expect, it } from "vitest";
import { Client } from "../api/client";
import type { Call, CallReply, Merged } from "../api/generated";
import { FakeHost } from "../platform/fake";
import { Merges } from "./merge.svelte";

const merged = (mark: string): Merged => ({
  with: ["Bo"], apartMs: 0, nOurs: 1, nTheirs: 1, nFiles: 1, sinceMs: 0, beforeOurs: mark, beforeTheirs: null,
  places: [{ path: "a", line: 1, position: 0, ours: "", theirs: "", now: "", isWhole: true }],
});

/** Knows merges by their marks, the newest last. */
class HostOfMerges extends FakeHost {
  marks: string[] = [];
  n_asked = 0;

  override async rpc(call: Call): Promise<CallReply> {
    if (call.to !== "workspace" || call.request.cmd !== "merged") return super.rpc(call);
    this.n_asked += 1;
    const { deltaId } = call.request.args;
    const mark = deltaId === null ? this.marks.at(-1) : this.marks.find((one) => one === deltaId);
    return { to: "workspace", reply: { reply: "merged", value: { merged: mark === undefined ? null : merged(mark) } } };
  }
}

let host: HostOfMerges;
let client: Client;
let merges: Merges;

beforeEach(async () => {
  host = new HostOfMerges({});
  client = new Client(host);
  await client.start();
  merges = new Merges(client);
});

describe("merges", () => {
  it("of before the window was opened are there: each by its mark, and the newest", async () => {
    host.marks = ["first", "second"];
    expect((await merges.of("first"))?.beforeOurs).toBe("first");
    expect((await merges.of(null))?.beforeOurs).toBe("second");
    expect(await merges.of("another's")).toBeNull();
  });

  it("are the same when they are opened again, so that what was chosen stands", async () => {
    host.marks = ["first", "second"];
    const first = await merges.of("first");
    const newest = await merges.of(null);
    const { n_asked } = host;
    expect(await merges.of("first")).toBe(first);
    expect(await merges.of("second")).toBe(newest);
    expect(host.n_asked).toBe(n_asked);
  });

  it("that were told meanwhile need no asking", async () => {
    client.hear(["second", "third"].map((mark) => ({ from: "workspace", event: { event: "merged", data: merged(mark) } })));
    expect((await merges.of(null))?.beforeOurs).toBe("third");
    expect((await merges.of("second"))?.beforeOurs).toBe("second");
    expect(host.n_asked).toBe(0);
    merges.stop();
    expect(await merges.of(null)).toBeNull();
  });
});
