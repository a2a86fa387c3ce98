import { describe, expect, it } from "vitest";
import type { LogRecord } from "../api/generated";
import { refreshed, summedUp } from "./activity.svelte";

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
