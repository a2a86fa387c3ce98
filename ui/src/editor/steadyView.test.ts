import { describe, expect, it } from "vitest";
import type { Splice } from "../api/generated";
import { fromSplices, linesOf, placeAfter } from "./changeset";
import { caretAfter, endAfter, startAfter } from "./steadyView";

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

  it("keeps a caret behind the letter before it when something is put in there", () => {
    // "ab|" and somebody writes "XY" behind the b: the next letter still comes behind the b.
    expect([caretAfter([[2, 0, "XY"]], 2, false), caretAfter([[2, 3, "X\n"]], 2, false)]).toEqual([2, 2]);
    expect(caretAfter([[0, 1, "pqr"], [4, 0, "XY"]], 2, false)).toBe(4);
    // Elsewhere the editor knows better.
    expect([[[0, 1, "pqr"]], [[1, 2, "X"]], [[2, 1, ""]], [[3, 0, "X"]]].map((splices) => caretAfter(splices as Splice[], 2, false))).toEqual([null, null, null, null]);
  });

  it("takes a caret at the start of a line along with the line, but not behind a word that begins there", () => {
    expect(["X\n", "X\nY\n", "X\nYZ", "\n", "YZ"].map((text) => caretAfter([[3, 0, text]], 3, true))).toEqual([5, 7, 5, 4, 3]);
    // What stands in place of the line begins where it did.
    expect(caretAfter([[3, 2, "X\nY"]], 3, true)).toBe(3);
  });

  it.each([["in the middle of a line", "xx"], ["at the start of a line", "x\n"], ["at the start of a text", ""]])("lets two who type at one place write whole words: %s", (_, before) => {
    const a = { text: before, caret: before.length };
    const b = { text: before, caret: before.length };
    const type = (typist: typeof a, other: typeof b, letter: string): void => {
      const at = typist.caret;
      const isAtLineStart = linesOf(other.text.slice(0, other.caret)) === other.caret;
      for (const one of [typist, other]) one.text = one.text.slice(0, at) + letter + one.text.slice(at);
      other.caret = caretAfter([[at, 0, letter]], other.caret, isAtLineStart) ?? startAfter([[at, 0, letter]], other.caret);
      typist.caret += 1;
    };
    // The first letter of the one is there before the other begins.
    for (let n = 0; n < 5; n += 1) {
      type(a, b, "alpha".charAt(n));
      type(b, a, "BRAVO".charAt(n));
    }
    expect([a.text, b.text]).toEqual([`${before}BRAVOalpha`, `${before}BRAVOalpha`]);
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
