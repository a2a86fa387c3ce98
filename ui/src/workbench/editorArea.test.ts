import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { Client } from "../api/client";
import type { Undone } from "../api/generated";
import type { OpenFile } from "../editor/models.svelte";
import { EditorArea } from "./editorArea.svelte";
import { slots } from "./slots.svelte";
import { ToyEditor, ToyModel } from "./toyEditor";

const HOST = {} as HTMLElement;

const UNDONE: Undone = { kind: "applied", caret: 7, message: null, paths: ["a.txt"], groupId: null };

function setUp(answer: () => Promise<Undone> = async () => UNDONE): { area: EditorArea; editor: ToyEditor } {
  const area = new EditorArea({ get: answer } as unknown as Client, () => undefined);
  const editor = new ToyEditor();
  area.tabs.open("a.txt", { isPreview: false });
  area.activePane.attach(editor.asMonaco, HOST, {});
  editor.setModel(new ToyModel("text"));
  return { area, editor };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", { activeElement: null, body: {} });
});
afterEach(() => {
  slots.overEditor = null;
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("the keyboard", () => {
  it("goes to what lies over the text, and to the text again when nothing does", () => {
    const { area, editor } = setUp();
    let isPast = true;
    let n_over = 0;
    slots.overEditor = { component: null as never, props: () => ({}), isOn: () => isPast, focus: () => (n_over += 1) };
    area.focus();
    area.focusSoon();
    vi.runAllTimers();
    expect([n_over, editor.n_focused]).toEqual([2, 0]);
    isPast = false;
    area.focus();
    area.focusSoon();
    vi.runAllTimers();
    expect([n_over, editor.n_focused]).toEqual([2, 2]);
  });
});

describe("a tab of a file that is not there", () => {
  it("says that it was deleted, if it was", async () => {
    const area = new EditorArea({ get: async () => ({ files: [{ fileId: "f", path: "a.txt", deletedMs: 0 }] }) } as unknown as Client, () => undefined);
    for (const path of ["a.txt", "b.txt"]) {
      area.tabs.open(path);
      await area.noteDeleted(path);
    }
    expect(area.tabs.group.tabs.map((tab) => [tab.path, tab.isGone])).toEqual([["a.txt", true], ["b.txt", false]]);
  });
});

describe("undo", () => {
  const open = (area: EditorArea): OpenFile => {
    const file = { path: "a.txt", viewId: 1, link: {}, readOnly: null, n_localEdits: 3 } as unknown as OpenFile;
    area.activePane.file = file;
    return file;
  };

  it("takes the caret to its place, before the patch and after it", async () => {
    const { area, editor } = setUp();
    open(area);
    await area.undo();
    expect(editor.caret).toBe(7);
    editor.caret = 9;
    vi.runAllTimers();
    expect(editor.caret).toBe(7);
  });

  it("leaves the caret to whoever has typed since it was asked for", async () => {
    let answer: (undone: Undone) => void = () => undefined;
    const { area, editor } = setUp(() => new Promise((resolve) => (answer = resolve)));
    const file = open(area);
    const undoing = area.undo();
    file.n_localEdits += 1;
    editor.caret = 2;
    answer(UNDONE);
    await undoing;
    vi.runAllTimers();
    expect(editor.caret).toBe(2);
  });

  it("leaves it to whoever types before the patch is there", async () => {
    const { area, editor } = setUp();
    const file = open(area);
    await area.undo();
    file.n_localEdits += 1;
    editor.caret = 8;
    vi.runAllTimers();
    expect(editor.caret).toBe(8);
  });
});
