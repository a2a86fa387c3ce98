import { describe, expect, it } from "vitest";
import { conflictsOf, recorded, takenOver, whyNotKeys, withKeys, withoutKeys } from "./keyEdits";
import { Keybindings } from "./keybindings.svelte";
import { CommandRegistry } from "./registry.svelte";

function registry(): CommandRegistry {
  const commands = new CommandRegistry();
  for (const [id, keys] of [["save", ["Ctrl+S"]], ["zoom", ["Ctrl+=", "Ctrl+Shift+="]], ["saveAll", ["Ctrl+K S"]], ["bare", []]] as [string, string[]][]) {
    commands.register({ id, title: id, category: "Test", keys, run: () => undefined });
  }
  return commands;
}

describe("recording keys", () => {
  it("makes a chord of two, and starts over with the third", () => {
    expect(recorded("", "Ctrl+K")).toBe("Ctrl+K");
    expect(recorded("Ctrl+K", "Ctrl+S")).toBe("Ctrl+K Ctrl+S");
    expect(recorded("Ctrl+K Ctrl+S", "F5")).toBe("F5");
  });

  it("refuses what is for typing, and what the desktop keeps", () => {
    expect(whyNotKeys("A")).not.toBeNull();
    expect(whyNotKeys("Shift+A")).not.toBeNull();
    expect(whyNotKeys("Ctrl+Shift+U")).not.toBeNull();
    for (const keys of ["Ctrl+A", "Shift+Alt+A", "F5", "Shift+F5", "Ctrl+K A"]) expect(whyNotKeys(keys)).toBeNull();
  });
});

describe("conflicts", () => {
  it("finds the same keys, and chords that begin with them", () => {
    const commands = registry();
    const ids = (keys: string): string[] => conflictsOf(commands, "bare", keys).map((command) => command.id);
    expect(ids("Ctrl+S")).toEqual(["save"]);
    expect(ids("Ctrl+K")).toEqual(["saveAll"]);
    expect(ids("Ctrl+S Ctrl+S")).toEqual(["save"]);
    expect(ids("Ctrl+J")).toEqual([]);
    expect(conflictsOf(commands, "save", "Ctrl+S")).toEqual([]);
  });

  it("takes the keys over: the other keeps what else it had", () => {
    const commands = registry();
    expect(takenOver(commands, {}, "bare", "Ctrl+S")).toEqual({ bare: "Ctrl+S", save: "" });
    expect(takenOver(commands, {}, "bare", "Ctrl+=")).toEqual({ bare: "Ctrl+=", zoom: "Ctrl+Shift+=" });
  });
});

describe("the kept table", () => {
  it("keeps only what differs from what came", () => {
    const commands = registry();
    expect(withKeys(commands, { save: "F5" }, "save", "Ctrl+S")).toEqual({});
    expect(withKeys(commands, {}, "save", "F5")).toEqual({ save: "F5" });
    expect(withoutKeys({ save: "F5", bare: "F6" }, "save")).toEqual({ bare: "F6" });
  });

  it("swallows default keys that something else would still act on", () => {
    const commands = new CommandRegistry();
    commands.register({ id: "native", title: "", category: "", keys: ["Ctrl+D"], keysWhen: () => false, nativeKeysWhen: () => true, run: () => undefined });
    const keys = new Keybindings(commands);
    const ctrlD = { key: "d", code: "KeyD", ctrlKey: true, shiftKey: false, altKey: false, metaKey: false };
    expect(keys.handle(ctrlD)).toBe(false);
    commands.userKeys = { native: "F5" };
    expect(keys.handle(ctrlD)).toBe(true);
  });
});
