import { describe, expect, it } from "vitest";
import type { KeyLike } from "../base/keys";
import { Keybindings } from "./keybindings.svelte";
import { CommandRegistry } from "./registry.svelte";

function press(keys: string): KeyLike {
  const parts = keys.split("+");
  const main = parts.pop() ?? "";
  return {
    key: main.length === 1 ? main.toLowerCase() : main,
    code: /^[A-Z]$/.test(main) ? `Key${main}` : main,
    ctrlKey: parts.includes("Ctrl"),
    shiftKey: parts.includes("Shift"),
    altKey: parts.includes("Alt"),
    metaKey: false,
  };
}

function setUp(): { commands: CommandRegistry; keys: Keybindings; ran: string[]; flags: { inText: boolean } } {
  const commands = new CommandRegistry();
  const ran: string[] = [];
  const flags = { inText: true };
  const add = (id: string, keys: string[], keysWhen?: () => boolean): void => {
    commands.register({ id, title: id, category: "Test", keys, ...(keysWhen === undefined ? {} : { keysWhen }), run: () => ran.push(id) });
  };
  add("palette", ["Ctrl+Shift+P", "F1"]);
  add("undo", ["Ctrl+Z"], () => flags.inText);
  add("comment", ["Ctrl+K Ctrl+C"]);
  add("language", ["Ctrl+K M"]);
  return { commands, keys: new Keybindings(commands), ran, flags };
}

describe("key bindings", () => {
  it("runs a command by each of its keys", () => {
    const { keys, ran } = setUp();
    expect(keys.handle(press("Ctrl+Shift+P"))).toBe(true);
    expect(keys.handle(press("F1"))).toBe(true);
    expect(ran).toEqual(["palette", "palette"]);
  });

  it("leaves a key alone where it does not count", () => {
    const { keys, ran, flags } = setUp();
    flags.inText = false;
    expect(keys.handle(press("Ctrl+Z"))).toBe(false);
    expect(ran).toEqual([]);
  });

  it("waits for the second key of a chord", () => {
    const { keys, ran } = setUp();
    expect(keys.handle(press("Ctrl+K"))).toBe(true);
    expect(keys.waiting).toBe("Ctrl+K");
    expect(keys.handle(press("M"))).toBe(true);
    expect(keys.waiting).toBeNull();
    expect(ran).toEqual(["language"]);
  });

  it("swallows a second key that means nothing, once", () => {
    const { keys, ran } = setUp();
    keys.handle(press("Ctrl+K"));
    expect(keys.handle(press("Q"))).toBe(true);
    expect(keys.handle(press("Q"))).toBe(false);
    expect(ran).toEqual([]);
  });

  it("does not lose a chord to the modifier of its second key", () => {
    const { keys, ran } = setUp();
    keys.handle(press("Ctrl+K"));
    keys.handle({ ...press("Control"), ctrlKey: true });
    keys.handle(press("Ctrl+C"));
    expect(ran).toEqual(["comment"]);
  });

  it("uses the user's own keys instead of the default ones", () => {
    const { commands, keys, ran } = setUp();
    commands.userKeys = { undo: "ctrl+u", palette: "" };
    expect(keys.handle(press("Ctrl+Z"))).toBe(false);
    expect(keys.handle(press("F1"))).toBe(false);
    keys.handle(press("Ctrl+U"));
    expect(ran).toEqual(["undo"]);
  });
});

describe("registry", () => {
  it("says what failed, whether at once or later", async () => {
    const { commands } = setUp();
    const failed: unknown[] = [];
    commands.onFailed((cause) => failed.push(cause));
    commands.register({ id: "a", title: "a", category: "Test", run: () => Promise.reject(new Error("later")) });
    commands.register({
      id: "b",
      title: "b",
      category: "Test",
      run: () => {
        throw new Error("now");
      },
    });
    commands.run("b");
    commands.run("a");
    await Promise.resolve();
    await Promise.resolve();
    expect(failed.map(String)).toEqual(["Error: now", "Error: later"]);
  });

  it("does not run what cannot run, and refuses two of one id", () => {
    const { commands, ran } = setUp();
    commands.register({ id: "never", title: "", category: "", when: () => false, run: () => ran.push("never") });
    commands.run("never");
    expect(ran).toEqual([]);
    expect(() => commands.register({ id: "never", title: "", category: "", run: () => undefined })).toThrow();
  });
});
