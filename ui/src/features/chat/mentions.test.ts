import { describe, expect, it } from "vitest";
import { begunAt, isNamed, offered, piecesOf } from "./mentions";

const NAMES = ["Bo", "Bo Lind", "Łukasz Ωmega", "عبد الرحمن"];

describe("names in messages", () => {
  it("are found where they stand, the longer of two, whatever the capitals", () => {
    expect(piecesOf("hey @bo lind, and @Bo!", NAMES)).toEqual([
      { text: "hey ", name: null },
      { text: "@bo lind", name: "Bo Lind" },
      { text: ", and ", name: null },
      { text: "@Bo", name: "Bo" },
      { text: "!", name: null },
    ]);
    expect(piecesOf("@Łukasz Ωmega\n@عبد الرحمن", NAMES).map((piece) => piece.name)).toEqual(["Łukasz Ωmega", null, "عبد الرحمن"]);
  });

  it("are none inside a word, or as the beginning of another", () => {
    expect(piecesOf("mail me@Bo or @Bob", NAMES)).toEqual([{ text: "mail me@Bo or @Bob", name: null }]);
    expect(isNamed("@Bo Lind look", { names: ["Bo"] }, NAMES)).toBe(false);
    expect(isNamed("@Bo look", { names: ["Bo (desk)", "Bo"] }, NAMES)).toBe(true);
  });

  it("are completed from the @ on", () => {
    expect(begunAt("look @b", 7)).toEqual({ from: 5, typed: "b" });
    expect(begunAt("look @", 6)).toEqual({ from: 5, typed: "" });
    expect(begunAt("me@b", 4)).toBeNull();
    expect(begunAt("@b\nnext", 7)).toBeNull();
    expect(offered("b", NAMES)).toEqual(["Bo", "Bo Lind"]);
    expect(offered("ωm", NAMES)).toEqual(["Łukasz Ωmega"]);
    expect(offered("", NAMES)).toEqual(NAMES);
    expect(offered("bo", NAMES)).toEqual(["Bo", "Bo Lind"]);
    expect(offered("bo ", NAMES)).toEqual([]);
    expect(offered("bo l", NAMES)).toEqual(["Bo Lind"]);
    expect(begunAt("@b", 0)).toBeNull();
    expect(offered("bo shall we", NAMES)).toEqual([]);
  });
});
