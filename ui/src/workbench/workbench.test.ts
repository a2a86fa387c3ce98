import { describe, expect, it } from "vitest";
import { CommandRegistry } from "../commands/registry.svelte";
import { entriesFor } from "./menus";
import { pillOf } from "./savePill";

describe("save pill", () => {
  it("says saved only when it is", () => {
    const state = { savedMs: 0, nUnwritten: 0, message: null };
    expect(pillOf({ ...state, kind: "saved" }).text).toBe("Saved here");
    expect(pillOf({ ...state, kind: "saving" }).text).toBe("Saving…");
    for (const kind of ["diskFull", "cannotWriteFile", "failed"] as const) {
      expect(pillOf({ ...state, kind, message: "This disk is full." })).toMatchObject({ text: "Needs you", kind: "trouble", title: "This disk is full." });
    }
  });

  it("differs in shape, not only in colour", () => {
    const kinds = ["saved", "saving", "failed"] as const;
    const shapes = kinds.map((kind) => pillOf({ kind, savedMs: null, nUnwritten: 0, message: null }).shape);
    expect(new Set(shapes).size).toBe(3);
  });
});

describe("menus", () => {
  it("leaves out what nobody offers, and lines with nothing between", () => {
    const commands = new CommandRegistry();
    commands.register({ id: "a", title: "A", category: "", keys: ["ctrl+a"], run: () => undefined });
    const entries = entriesFor(commands, ["-", "a", "-", "missing", "-"]);
    expect(entries.map((entry) => (entry.kind === "line" ? "-" : `${entry.label} ${entry.keys}`))).toEqual(["A Ctrl+A"]);
  });
});
