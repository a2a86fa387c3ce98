/** The list of bursts: pages, and what happens when history grows or the scope changes. */
import { describe, expect, it } from "vitest";
import type { MomentInfo, Reply, Request, Scope } from "../api/generated";
import { BurstList } from "./timelineBursts.svelte";

const FILE: Scope = { kind: "file", path: "a.rs" };

function burst(index: number): MomentInfo {
  return {
    index, nMoments: 0, workspaceIndex: index, atMs: index, deltaId: null, author: null, path: "a.rs", added: 1, removed: 0, label: null, position: 0,
  };
}

/** A past in which every burst is two changes long. */
class FakePast {
  n_asked = 0;

  ask = async (request: Request): Promise<Reply> => {
    if (request.cmd !== "listBursts") throw new Error(request.cmd);
    this.n_asked += 1;
    const { before, limit } = request.args;
    const bursts: MomentInfo[] = [];
    for (let index = before; index > 0 && bursts.length < limit; index -= 2) bursts.push(burst(index));
    return { reply: "bursts", value: { bursts } };
  };
}

function indices(list: BurstList): number[] {
  return list.rows.map((row) => row.index);
}

describe("the list of bursts", () => {
  it("comes page by page, nothing twice and nothing left out", async () => {
    const past = new FakePast();
    const list = new BurstList(past.ask);
    await list.load(FILE, 500);
    expect([list.rows.length, list.isWhole]).toEqual([100, false]);
    await list.more();
    await list.more();
    expect(indices(list)).toEqual(Array.from({ length: 250 }, (_, i) => 500 - 2 * i));
    expect(list.isWhole).toBe(true);
    await list.more();
    expect(past.n_asked).toBe(3);
  });

  it("keeps its length when history grows, and begins anew for another scope", async () => {
    const list = new BurstList(new FakePast().ask);
    await list.load(FILE, 500);
    await list.more();
    await list.load(FILE, 502);
    expect([list.rows.length, list.rows[0]?.index]).toEqual([200, 502]);
    await list.load({ kind: "workspace" }, 500);
    expect(list.rows.length).toBe(100);
  });

  it("an answer for the scope before is dropped", async () => {
    const list = new BurstList(new FakePast().ask);
    const [late, now] = [list.load(FILE, 500), list.load({ kind: "workspace" }, 4)];
    await Promise.all([late, now]);
    expect(indices(list)).toEqual([4, 2]);
  });

  it("stays as it is when the engine refuses", async () => {
    const list = new BurstList(() => Promise.reject(new Error("no")));
    await list.load(FILE, 500);
    expect(list.rows).toEqual([]);
  });
});
