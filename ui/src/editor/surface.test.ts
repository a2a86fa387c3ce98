import { describe, expect, it } from "vitest";
import { changedRange, isAscending } from "./surface";

describe("surface", () => {
  it("knows which splices can go in as one edit", () => {
    expect(isAscending([[0, 2, "ab"], [5, 0, "x"]])).toBe(true);
    expect(isAscending([[5, 0, "x"], [0, 2, "ab"]])).toBe(false);
    expect(isAscending([[0, 0, "abc"], [3, 1, ""]])).toBe(false);
    expect(isAscending([])).toBe(true);
  });

  it.each([
    ["abc", "abXc"],
    ["", "abc"],
    ["abc", ""],
    ["aaaa", "aa"],
    ["a😀b", "a😁b"],
    ["😀", "😀😀"],
    ["x😀", "x😁"],
  ])("finds what differs between %j and %j without cutting a pair", (old, text) => {
    const [start, endOld, endNew] = changedRange(old, text);
    const inserted = text.slice(start, endNew);
    expect(old.slice(0, start) + inserted + old.slice(endOld)).toBe(text);
    expect(inserted.isWellFormed()).toBe(true);
    expect(old.slice(start, endOld).isWellFormed()).toBe(true);
  });
});
