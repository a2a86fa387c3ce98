import { describe, expect, it } from "vitest";
import type { Merged } from "../../api/generated";
import { indentOf, locate, partsOf, withoutIndent } from "./place";
import { mergeSentence, namesOf, spanOf } from "./words";

const MERGED: Merged = {
  with: ["Bo"], apartMs: 11_520_000, nOurs: 214, nTheirs: 96, nFiles: 7, sinceMs: 0, beforeOurs: null, beforeTheirs: null,
  places: [1, 9].map((line) => ({ path: "a", line, position: 0, ours: "", theirs: "", now: "", isWhole: true })),
};

describe("merge notice", () => {
  it("says it as the document does", () => {
    expect(mergeSentence(MERGED)).toBe(
      "✓ Back together with Bo. Merged 3 h 12 min of work: 214 of your changes, 96 of Bo's, in 7 files. 2 places were edited by both of you.",
    );
    expect(mergeSentence({ ...MERGED, with: ["Bo", "Lin"], places: [] })).toBe(
      "✓ Back together with Bo and Lin. Merged 3 h 12 min of work: 214 of your changes, 96 of theirs, in 7 files.",
    );
  });

  it("says spans and names", () => {
    expect([4_000, 60_000, 3_600_000, 90_000_000, 172_800_000].map(spanOf)).toEqual(["4 s", "1 min", "1 h", "1 day 1 h", "2 days"]);
    expect([[], ["Bo"], ["Bo", "Lin", "Ravi"]].map(namesOf)).toEqual(["the others", "Bo", "Bo, Lin and Ravi"]);
  });
});

describe("a place of a merge", () => {
  it("is found where it was, or nearest to it, by whole lines", () => {
    const text = "x = 1\ny\nx = 1\nz\nx = 1\n";
    expect(locate(text, 8, "x = 1\n")).toBe(8);
    expect(locate(text, 9, "x = 1\n")).toBe(8);
    expect(locate(text, 15, "x = 1\n")).toBe(16);
    expect(locate(text, 100, "x = 1\n")).toBe(16);
    expect(locate("ax = 1\n", 1, "x = 1\n")).toBeNull();
    expect(locate(text, 3, "gone\n")).toBeNull();
  });

  it("of nothing is only where it was", () => {
    expect(locate("a\nb\n", 2, "")).toBe(2);
    expect(locate("a\nb\n", 3, "")).toBeNull();
    expect(locate("a\n", 9, "")).toBeNull();
  });

  it("is shown without the blanks that all its lines begin with", () => {
    const indent = indentOf(["    a {\n      b\n\n    }\n", "    c\n", ""]);
    expect(indent).toBe(4);
    expect(withoutIndent("    a {\n      b\n\n    }\n", indent)).toBe("a {\n  b\n\n}");
    expect([indentOf(["\ta", "    b"]), indentOf([""])]).toEqual([0, 0]);
  });

  it("shows what is other, in whole words", () => {
    expect(partsOf("num(c, 10)", "num(c, 16)")).toEqual([
      { text: "num(c, ", isOther: false },
      { text: "10", isOther: true },
      { text: ")", isOther: false },
    ]);
    expect(partsOf("same", "same")).toEqual([{ text: "same", isOther: false }]);
    expect(partsOf("", "x")).toEqual([]);
  });
});
