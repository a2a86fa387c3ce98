import { describe, expect, it } from "vitest";
import { CommandRegistry } from "../commands/registry.svelte";
import { leftFiles } from "./autoSave";
import { MENU_BAR, entriesFor } from "./menus";
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

  it("counts what the folder does not have yet, apart from what is kept", () => {
    const state = { kind: "saved", savedMs: 0, nUnwritten: 0, message: null } as const;
    expect(pillOf(state, 2)).toMatchObject({ text: "Saved here · 2 files not in the folder", kind: "good" });
    expect(pillOf(state, 1).title).toContain("1 file in the folder gets it when saved");
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
    expect(entries.map((entry) => (entry.kind === "item" ? `${entry.label} ${entry.keys}` : entry.kind))).toEqual(["A Ctrl+A"]);
  });

  it("opens what a command has under it, and greys what has nothing", () => {
    const commands = new CommandRegistry();
    const ran: string[] = [];
    const child = { id: "one", label: "one", isEnabled: true, run: () => void ran.push("one") };
    commands.register({ id: "recent", title: "Open recent…", category: "File", children: () => [child], run: () => undefined });
    commands.register({ id: "none", title: "None", category: "File", children: () => [], run: () => undefined });
    const [recent, none] = entriesFor(commands, ["recent", "none"]);
    expect(recent).toMatchObject({ kind: "sub", label: "Open recent", isEnabled: true });
    expect(none).toMatchObject({ kind: "sub", isEnabled: false });
    if (recent?.kind === "sub" && recent.entries[0]?.kind === "item") recent.entries[0].run();
    expect(ran).toEqual(["one"]);
  });

  it("names every item of the menu bar once", () => {
    const ids = MENU_BAR.flatMap((menu) => menu.ids.filter((id) => id !== "-"));
    expect(new Set(ids).size).toBe(ids.length);
  });
});

describe("saving on focus change", () => {
  it("takes all that wait but the file with the keyboard and those on their way", () => {
    const waiting = ["a.txt", "b.txt", "c.txt"];
    expect(leftFiles(waiting, "b.txt", new Set())).toEqual(["a.txt", "c.txt"]);
    expect(leftFiles(waiting, null, new Set(["c.txt"]))).toEqual(["a.txt", "b.txt"]);
  });
});
