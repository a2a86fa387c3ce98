import { beforeEach, describe, expect, it } from "vitest";
import { Keybindings } from "../commands/keybindings.svelte";
import { CommandRegistry } from "../commands/registry.svelte";
import { editCommands } from "./editCommands";
import { ToyEditor, ToyModel } from "./toyEditor";
import type { Workbench } from "./workbench";

let editor: ToyEditor;
let isEditable: boolean;
let undone: string[];
/** Lets the clipboard answer. */
let answer: (text: string) => void;
let commands: CommandRegistry;

const waiting = (): Promise<string> => new Promise((resolve) => (answer = resolve));
const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));

beforeEach(() => {
  editor = new ToyEditor();
  editor.setModel(new ToyModel("one two three"));
  editor.caret = 4;
  editor.n_marked = 3;
  isEditable = true;
  undone = [];
  commands = new CommandRegistry();
  const editors = {
    get activeEditor() {
      return editor;
    },
    get isEditable() {
      return isEditable;
    },
    hasTextFocus: true,
    activeFile: null,
    activePane: { large: null },
    undo: () => void undone.push("undo"),
    redo: () => void undone.push("redo"),
  };
  const client = { getApp: async () => ({ text: await waiting() }) };
  commands.registerAll(editCommands({ editors, client, commands, copyText: waiting } as unknown as Workbench));
});

describe("cut from the menu", () => {
  it("takes what was copied from where it is by then", async () => {
    commands.run("edit.cut");
    [editor.caret, editor.n_marked] = [6, 3];
    if (editor.model !== null) editor.model.text = "XXone two three";
    answer("");
    await settled();
    expect(editor.acts).toEqual(["cut 6..9"]);
  });

  it.each([
    ["another text is marked", () => (editor.caret = 0)],
    ["another file is shown", () => (editor.model = new ToyModel("one two three"))],
    ["another editor is", () => (editor = Object.assign(new ToyEditor(), { model: editor.model, caret: 4, n_marked: 3 }))],
    ["the text may be looked at only", () => (isEditable = false)],
  ])("takes nothing away when meanwhile %s", async (_what, happen) => {
    const before = editor;
    commands.run("edit.cut");
    happen();
    answer("");
    await settled();
    expect([...before.acts, ...editor.acts]).toEqual([]);
  });
});

describe("paste from the menu", () => {
  it("puts the text where the caret is", async () => {
    commands.run("edit.paste");
    answer("four");
    await settled();
    expect(editor.acts).toEqual(["paste four"]);
  });

  it.each([
    ["another file is shown", () => (editor.model = new ToyModel("other"))],
    ["the text may be looked at only", () => (isEditable = false)],
  ])("puts nothing anywhere when meanwhile %s", async (_what, happen) => {
    commands.run("edit.paste");
    happen();
    answer("four");
    await settled();
    expect(editor.acts).toEqual([]);
  });
});

describe("undo by key", () => {
  const key = { code: "KeyZ", ctrlKey: true, altKey: false, metaKey: false };

  it.each(["", "ctrl+u"])("with %j for its keys leaves nothing to the editor", (own) => {
    commands.userKeys = { "edit.undo": own, "edit.redo": own === "" ? "" : "ctrl+j" };
    const keys = new Keybindings(commands);
    expect(keys.handle({ ...key, key: "z", shiftKey: false })).toBe(true);
    expect(keys.handle({ ...key, key: "Z", shiftKey: true })).toBe(true);
    expect(keys.handle({ ...key, key: "y", code: "KeyY", shiftKey: false })).toBe(true);
    expect(undone).toEqual([]);
  });
});
