import { describe, expect, it } from "vitest";
import type { Splice } from "../api/generated";
import { fromSplices, placeAfter } from "./changeset";
import { endAfter, startAfter } from "./steadyView";

describe("steady view", () => {
  it("keeps what others put in at the edges of a selection out of it", () => {
    const splices: Splice[] = [[4, 0, "ab"], [10, 0, "cd"]];
    // The selection 4..8 is 6..10 after the first, and what comes in at its end stays behind it.
    expect(startAfter(splices, 4)).toBe(6);
    expect(endAfter(splices, 8)).toBe(10);
  });

  it("takes what others put inside a selection into it", () => {
    expect([startAfter([[5, 0, "xyz"]], 4), endAfter([[5, 0, "xyz"]], 8)]).toEqual([4, 11]);
  });

  it("shrinks around what others take away", () => {
    const over: Splice[] = [[2, 4, "Q"]];
    expect([startAfter(over, 4), endAfter(over, 8)]).toEqual([3, 5]);
    expect([startAfter([[6, 4, ""]], 4), endAfter([[6, 4, ""]], 8)]).toEqual([4, 6]);
  });

  it("leads a place over a changeset as over its splices", () => {
    const splices: Splice[] = [[3, 2, "abc"], [0, 0, "--"]];
    const change = fromSplices(splices);
    expect([0, 2, 3, 4, 5, 6].map((position) => placeAfter(change, position))).toEqual([0, 4, 5, 8, 8, 9]);
    expect(placeAfter([], 7)).toBe(7);
  });
});
