import { describe, expect, it, vi } from "vitest";
import { DisposableStore } from "./disposable";
import { Emitter } from "./emitter";
import { fuzzyMatch, pieces } from "./fuzzy";
import { type KeyLike, keyName, normaliseKeys } from "./keys";
import { originalOf, ancestors, compareNames, copyName, distinguish, isWithin, moved, stemLength } from "./paths";
import { ago, bytes, clock, hasAllWords, minute, when } from "./words";

function key(key: string, code: string, held: Partial<KeyLike> = {}): KeyLike {
  return { key, code, ctrlKey: false, shiftKey: false, altKey: false, metaKey: false, ...held };
}

describe("keys", () => {
  it("names what is pressed, not what is printed", () => {
    expect(keyName(key("p", "KeyP", { ctrlKey: true, shiftKey: true }))).toBe("Ctrl+Shift+P");
    expect(keyName(key("ArrowLeft", "ArrowLeft", { ctrlKey: true, altKey: true }))).toBe("Ctrl+Alt+Left");
    expect(keyName(key("Control", "ControlLeft", { ctrlKey: true }))).toBeNull();
  });

  it("takes every plus for zooming in", () => {
    for (const [sign, code] of [["=", "Equal"], ["+", "Equal"], ["+", "NumpadAdd"], ["+", "Minus"]] as const) {
      expect(keyName(key(sign, code, { ctrlKey: true }))).toBe("Ctrl+=");
    }
  });

  it("reads Ctrl with a Cyrillic letter by its place", () => {
    expect(keyName(key("я", "KeyZ", { ctrlKey: true }))).toBe("Ctrl+Z");
  });

  it("leaves a dead key to the text", () => {
    expect(keyName(key("Dead", "Equal"))).toBeNull();
  });

  it("has one spelling", () => {
    expect(normaliseKeys("shift+ctrl+p")).toBe("Ctrl+Shift+P");
    expect(normaliseKeys("Ctrl+K  ctrl+c")).toBe("Ctrl+K Ctrl+C");
    expect(normaliseKeys("Ctrl++")).toBe("Ctrl+=");
  });
});

describe("fuzzy", () => {
  const best = (query: string, names: string[]): string | undefined =>
    names
      .map((name) => ({ name, score: fuzzyMatch(query, name)?.score ?? -Infinity }))
      .filter((one) => one.score > -Infinity)
      .sort((a, b) => b.score - a.score)[0]?.name;

  it("wants all letters in order", () => {
    expect(fuzzyMatch("abc", "a/b/c.ts")).not.toBeNull();
    expect(fuzzyMatch("cab", "a/b/c.ts")).toBeNull();
  });

  it("prefers the name over the folder, starts over middles", () => {
    expect(best("lex", ["lexicon/parse.rs", "src/lexer.rs"])).toBe("src/lexer.rs");
    expect(best("fs", ["offset.ts", "FileSystem.ts"])).toBe("FileSystem.ts");
    expect(best("main", ["src/domain.rs", "src/main.rs"])).toBe("src/main.rs");
  });

  it("cuts a name into what matched and what did not", () => {
    const match = fuzzyMatch("lxr", "lexer");
    expect(pieces("lexer", match?.positions ?? []).filter((one) => one.isMatch).map((one) => one.text).join("")).toBe("lxr");
    expect(pieces("lexer", match?.positions ?? []).map((one) => one.text).join("")).toBe("lexer");
  });
});

describe("paths", () => {
  it("moves what lies in a renamed folder, and only that", () => {
    expect(moved("src/a.rs", "src", "lib")).toBe("lib/a.rs");
    expect(moved("src2/a.rs", "src", "lib")).toBe("src2/a.rs");
    expect(isWithin("src2/a.rs", "src")).toBe(false);
  });

  it("selects the stem of a name", () => {
    expect(stemLength("lexer.rs")).toBe(5);
    expect(stemLength(".gitignore")).toBe(10);
  });

  it("finds a free name for a copy", () => {
    const taken = new Set(["a.txt", "a copy.txt"]);
    expect(copyName("a.txt", (name) => taken.has(name))).toBe("a copy 2.txt");
    expect(copyName("a copy.txt", (name) => taken.has(name))).toBe("a copy 2.txt");
  });

  it("tells files of one name apart by the shortest end of their folders", () => {
    const hints = distinguish(["a/x/main.rs", "b/x/main.rs", "b/y/main.rs", "README.md"]);
    expect([...hints]).toEqual([["a/x/main.rs", "a/x"], ["b/x/main.rs", "b/x"], ["b/y/main.rs", "y"]]);
  });

  it("counts as people do", () => {
    expect(["a10", "a2", "B1"].sort(compareNames)).toEqual(["a2", "a10", "B1"]);
    expect(ancestors("a/b/c.txt")).toEqual(["a", "a/b"]);
  });
});

describe("words", () => {
  it("says when", () => {
    const at_ms = new Date(2026, 10, 21, 15, 4, 22).getTime();
    expect(clock(at_ms)).toBe("15:04:22");
    expect(ago(at_ms, at_ms + 130_000)).toBe("2 min");
    expect(ago(at_ms, at_ms + 2 * 86_400_000)).toBe("Sat");
    expect(when(at_ms, at_ms)).toBe("15:04");
    expect(when(at_ms, at_ms + 23 * 3_600_000)).toBe("15:04");
    expect(when(at_ms, at_ms + 2 * 86_400_000)).toBe("Sat");
    expect(when(at_ms, at_ms + 7 * 86_400_000)).toBe("21 Nov");
    // A Saturday is not "Sat" on the next one.
    expect(when(at_ms, new Date(2026, 10, 28, 9).getTime())).toBe("21 Nov");
    expect([0, 1, 70].map((n_days) => minute(at_ms, at_ms + n_days * 86_400_000))).toEqual(["15:04", "21 Nov 15:04", "21 Nov 2026 15:04"]);
    expect(when(at_ms, at_ms + 70 * 86_400_000)).toBe("21 Nov 2026");
    expect(bytes(84_000_000)).toBe("84 MB");
  });
});

describe("lifetimes", () => {
  it("disposes newest first, and at once of what comes too late", () => {
    const order: string[] = [];
    const store = new DisposableStore();
    store.defer(() => order.push("first"));
    store.defer(() => order.push("second"));
    store.dispose();
    store.defer(() => order.push("late"));
    expect(order).toEqual(["second", "first", "late"]);
  });

  it("tells the others when one listener fails", () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const emitter = new Emitter<number>();
    const heard: number[] = [];
    emitter.on(() => {
      throw new Error("no");
    });
    const listener = emitter.on((value) => heard.push(value));
    emitter.fire(1);
    listener.dispose();
    emitter.fire(2);
    expect(heard).toEqual([1]);
    expect(reported).toHaveBeenCalledTimes(2);
    vi.unstubAllGlobals();
  });
});

describe("searching by words", () => {
  it("wants every word, anywhere, whatever the capitals", () => {
    expect(hasAllWords("src/parse/Parser.rs", "parser SRC")).toBe(true);
    expect(hasAllWords("src/parse/Parser.rs", "parser ts")).toBe(false);
    expect(hasAllWords("Tab size", "font")).toBe(false);
    expect(hasAllWords("anything", "  ")).toBe(true);
  });
});

describe("another version of a file", () => {
  it("names the file", () => {
    expect(["art/logo (Bo 14:55).psd", "logo (Bo 14.55)", "a (b).psd", "x/y (Asha Rao 09:05).tar.gz"].map(originalOf)).toEqual(["art/logo.psd", "logo", "a (b).psd", "x/y (Asha Rao 09:05).tar.gz"]);
  });
});
