import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { EditorArea } from "../../workbench/editorArea.svelte";
import { keepKeyboard } from "./keyboard";

const body = { matches: () => false };
const strip = { matches: () => false };
const group = { matches: (selector: string) => selector === "[data-region]" };
const page: { activeElement: object; body: object } = { activeElement: body, body };
let focused: string[] = [];

const pane = { focus: () => void focused.push("past") };
const editorsWith = (hasFocus: boolean): EditorArea =>
  ({ activePane: { hasFocus }, focusSoon: () => void focused.push("text") }) as unknown as EditorArea;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", page);
  focused = [];
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the keyboard", () => {
  it("goes from the text or its find box to the past that comes over it", () => {
    page.activeElement = strip;
    keepKeyboard(pane, editorsWith(true));
    expect(focused).toEqual(["past"]);
  });

  it("stays in the strip when the past comes and when it goes", () => {
    page.activeElement = strip;
    keepKeyboard(pane, editorsWith(false));
    keepKeyboard(null, editorsWith(false));
    vi.runAllTimers();
    expect(focused).toEqual([]);
  });

  it("goes back to the text when the past that had it is gone, however that came", () => {
    page.activeElement = {};
    keepKeyboard(null, editorsWith(false));
    page.activeElement = body;
    vi.runAllTimers();
    expect(focused).toEqual(["text"]);
  });

  it("is nowhere in a part of the window by itself", () => {
    page.activeElement = group;
    keepKeyboard(null, editorsWith(false));
    vi.runAllTimers();
    keepKeyboard(pane, editorsWith(false));
    expect(focused).toEqual(["text", "past"]);
  });
});
