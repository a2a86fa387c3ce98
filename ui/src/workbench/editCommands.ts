/** Commands on the text: undo is the engine's, the clipboard the system's, the rest Monaco's own actions by our names. */
import type { Command } from "../commands/registry.svelte";
import type { CodeEditor } from "../editor/monaco";
import { past } from "../state/past.svelte";
import type { LargeView } from "./large/largeView.svelte";
import type { Workbench } from "./workbench";

/** Monaco actions offered in menus and the palette: id, title, key as Monaco has it, Monaco's id. */
const ACTIONS: [id: string, title: string, keys: string | null, action: string][] = [
  ["edit.find", "Find", "Ctrl+F", "actions.find"],
  ["edit.replace", "Replace", "Ctrl+H", "editor.action.startFindReplaceAction"],
  ["edit.findNext", "Find next", "F3", "editor.action.nextMatchFindAction"],
  ["edit.findPrevious", "Find previous", "Shift+F3", "editor.action.previousMatchFindAction"],
  ["edit.selectAll", "Select all", "Ctrl+A", "editor.action.selectAll"],
  ["edit.comment", "Toggle line comment", "Ctrl+/", "editor.action.commentLine"],
  ["edit.addComment", "Add line comment", "Ctrl+K Ctrl+C", "editor.action.addCommentLine"],
  ["edit.removeComment", "Remove line comment", "Ctrl+K Ctrl+U", "editor.action.removeCommentLine"],
  ["edit.blockComment", "Toggle block comment", "Shift+Alt+A", "editor.action.blockComment"],
  ["edit.nextMatch", "Select next match too", "Ctrl+D", "editor.action.addSelectionToNextFindMatch"],
  ["edit.skipMatch", "Skip this match", "Ctrl+K Ctrl+D", "editor.action.moveSelectionToNextFindMatch"],
  ["edit.changeAll", "Change all occurrences", "Ctrl+F2", "editor.action.changeAll"],
  ["edit.selectMatches", "Select all matches", "Ctrl+Shift+L", "editor.action.selectHighlights"],
  ["edit.caretAbove", "Caret above", "Ctrl+Alt+Up", "editor.action.insertCursorAbove"],
  ["edit.caretBelow", "Caret below", "Ctrl+Alt+Down", "editor.action.insertCursorBelow"],
  ["edit.lineUp", "Move line up", "Alt+Up", "editor.action.moveLinesUpAction"],
  ["edit.lineDown", "Move line down", "Alt+Down", "editor.action.moveLinesDownAction"],
  ["edit.copyLineUp", "Copy line up", "Shift+Alt+Up", "editor.action.copyLinesUpAction"],
  ["edit.copyLineDown", "Copy line down", "Shift+Alt+Down", "editor.action.copyLinesDownAction"],
  ["edit.deleteLine", "Delete line", "Ctrl+Shift+K", "editor.action.deleteLines"],
  ["edit.indent", "Indent line", "Ctrl+]", "editor.action.indentLines"],
  ["edit.outdent", "Outdent line", "Ctrl+[", "editor.action.outdentLines"],
  ["edit.symbol", "Go to symbol…", "Ctrl+Shift+O", "editor.action.quickOutline"],
  ["edit.definition", "Go to definition", "F12", "editor.action.revealDefinition"],
  ["edit.format", "Format document", "Shift+Alt+F", "editor.action.formatDocument"],
  ["edit.bracket", "Go to bracket", "Ctrl+Shift+\\", "editor.action.jumpToBracket"],
  ["edit.fold", "Fold", "Ctrl+Shift+[", "editor.fold"],
  ["edit.unfold", "Unfold", "Ctrl+Shift+]", "editor.unfold"],
  ["edit.foldAll", "Fold all", "Ctrl+K Ctrl+0", "editor.foldAll"],
  ["edit.unfoldAll", "Unfold all", "Ctrl+K Ctrl+J", "editor.unfoldAll"],
  ["edit.suggest", "Suggest", "Ctrl+Space", "editor.action.triggerSuggest"],
  ["edit.trim", "Trim white space at line ends", "Ctrl+K Ctrl+X", "editor.action.trimTrailingWhitespace"],
  ["edit.upper", "To upper case", null, "editor.action.transformToUppercase"],
  ["edit.lower", "To lower case", null, "editor.action.transformToLowercase"],
  ["edit.sortLines", "Sort lines", null, "editor.action.sortLinesAscending"],
  ["edit.joinLines", "Join lines", null, "editor.action.joinLines"],
  ["edit.indentSpaces", "Indent with spaces", null, "editor.action.indentUsingSpaces"],
  ["edit.indentTabs", "Indent with tabs", null, "editor.action.indentUsingTabs"],
];

/** Keys that Monaco binds otherwise on Linux: there its own meaning would not be what the menus say. */
const OURS = new Set(["edit.caretAbove", "edit.caretBelow", "edit.copyLineUp", "edit.copyLineDown", "edit.blockComment", "edit.format"]);

export function editCommands(workbench: Workbench): Command[] {
  return [...undoCommands(workbench), ...clipboardCommands(workbench), ...monacoCommands(workbench), ...statusCommands(workbench)];
}

function undoCommands({ editors, session, client, layout }: Workbench): Command[] {
  const canEdit = (): boolean => editors.isEditable;
  const inText = (): boolean => editors.hasTextFocus;
  // The editor's own undo, at places of long ago, would take away what others wrote.
  const inEditor = { category: "Edit", when: canEdit, keysWhen: inText, nativeKeysWhen: inText } as const;
  return [
    { ...inEditor, id: "edit.undo", title: "Undo", keys: ["Ctrl+Z"], run: () => editors.undo() },
    { ...inEditor, id: "edit.redo", title: "Redo", keys: ["Ctrl+Shift+Z", "Ctrl+Y"], run: () => editors.redo() },
    {
      id: "edit.undoLast",
      title: "Undo the last restore or disk change",
      category: "Edit",
      when: () => session.workspace !== null && past.moment === null,
      run: async () => {
        const undone = await client.get("undone", { cmd: "undoLast" });
        layout.say(undone.message ?? (undone.kind === "applied" ? "Taken back" : "Nothing to take back"), 4_000);
      },
    },
  ];
}

function clipboardCommands({ editors, client, copyText, commands }: Workbench): Command[] {
  const hasText = (): boolean => editors.activeFile?.model != null && past.moment === null;
  const canEdit = (): boolean => editors.isEditable;
  const large = (): LargeView | null => (past.moment === null ? editors.activePane.large : null);
  /** To be asked after a wait: whether the text that was edited is still before the eyes, to be edited. */
  const isSameText = (): (() => boolean) => {
    const editor = editors.activeEditor;
    const model = editor?.getModel();
    return () => canEdit() && editors.activeEditor === editor && editor?.getModel() === model;
  };
  // The default keys stay with the web view, which does them natively.
  const ifRebound = (id: string) => (): boolean => commands.isRebound(id) && editors.hasTextFocus;
  return [
    { id: "edit.copyText", title: "Copy this text", category: "Edit", isHidden: true, run: (text) => copyText(typeof text === "string" ? text : "") },
    {
      id: "edit.cut",
      title: "Cut",
      category: "Edit",
      keys: ["Ctrl+X"],
      when: canEdit,
      keysWhen: ifRebound("edit.cut"),
      nativeKeysWhen: () => editors.hasTextFocus,
      run: async () => {
        const editor = editors.activeEditor;
        if (editor === null) return;
        const isSame = isSameText();
        const { text } = markedText(editor);
        await copyText(text);
        if (!isSame()) return;
        // What was marked may be elsewhere by now, or another text: only what was copied is taken away.
        const part = markedText(editor);
        if (part.text !== text) return;
        editor.focus();
        editor.executeEdits("cut", part.ranges.map((range) => ({ range, text: "" })));
      },
    },
    {
      id: "edit.copy",
      title: "Copy",
      category: "Edit",
      keys: ["Ctrl+C"],
      when: () => hasText() || large() !== null,
      keysWhen: () => ifRebound("edit.copy")() || large()?.hasFocus === true,
      nativeKeysWhen: () => editors.hasTextFocus,
      run: async () => {
        const view = large();
        if (view !== null) {
          await copyText(await view.markedText());
          return;
        }
        const editor = editors.activeEditor;
        if (editor === null) return;
        await copyText(markedText(editor).text);
        editor.focus();
      },
    },
    {
      id: "edit.paste",
      title: "Paste",
      category: "Edit",
      keys: ["Ctrl+V"],
      when: canEdit,
      keysWhen: ifRebound("edit.paste"),
      nativeKeysWhen: () => editors.hasTextFocus,
      run: async () => {
        const editor = editors.activeEditor;
        const isSame = isSameText();
        const { text } = await client.getApp("clipboard", { cmd: "readClipboard" });
        if (editor === null || text === "" || !isSame()) return;
        editor.focus();
        editor.trigger("menu", "paste", { text: text.replace(/\r\n?/g, "\n"), pasteOnNewLine: false, multicursorText: null });
      },
    },
  ];
}

/** What is selected; without a selection the whole line of each caret, as copying by key does. */
function markedText(editor: CodeEditor): { text: string; ranges: import("monaco-editor/editor/editor.api").IRange[] } {
  const model = editor.getModel();
  const selections = editor.getSelections() ?? [];
  if (model === null) return { text: "", ranges: [] };
  const marked = selections.filter((selection) => !selection.isEmpty());
  if (marked.length > 0) return { text: marked.map((range) => model.getValueInRange(range)).join("\n"), ranges: marked };
  const lines = [...new Set(selections.map((selection) => selection.positionLineNumber))];
  const ranges = lines.map((line) => ({ startLineNumber: line, startColumn: 1, endLineNumber: line + 1, endColumn: 1 }));
  return { text: lines.map((line) => `${model.getLineContent(line)}\n`).join(""), ranges };
}

/** The same commands on a file too large to edit. */
const ON_LARGE: Record<string, (view: LargeView) => void> = {
  "edit.find": (view) => view.openFind?.(),
  "edit.findNext": (view) => view.findAgain?.(false),
  "edit.findPrevious": (view) => view.findAgain?.(true),
  "edit.selectAll": (view) => view.markAll(),
};

function monacoCommands({ editors, commands }: Workbench): Command[] {
  const hasText = (): boolean => editors.activeFile?.model != null && past.moment === null;
  const largeFor = (id: string): LargeView | null => (id in ON_LARGE && past.moment === null ? editors.activePane.large : null);
  return ACTIONS.map(([id, title, keys, action]): Command => {
    const isTaken = keys?.includes(" ") === true || OURS.has(id);
    return {
      id,
      title,
      category: "Edit",
      ...(keys === null ? {} : { keys: [keys] }),
      when: () => hasText() || largeFor(id) !== null,
      // Single keys reach Monaco by themselves; chords are ours, because their first half is.
      keysWhen: () => ((isTaken || commands.isRebound(id)) && editors.hasTextFocus) || largeFor(id)?.hasFocus === true,
      nativeKeysWhen: () => editors.hasTextFocus,
      run: () => {
        const large = largeFor(id);
        if (large !== null) {
          ON_LARGE[id]?.(large);
          return;
        }
        const editor = editors.activeEditor;
        editor?.focus();
        editor?.trigger("command", action, null);
      },
    };
  });
}

function statusCommands({ editors, layout }: Workbench): Command[] {
  const file = (): typeof editors.activeFile => editors.activeFile;
  const canEdit = (): boolean => editors.isEditable;
  const canWrite = (): boolean => canEdit() && editors.activePath !== null;
  return [
    {
      id: "status.indent",
      title: "Spaces or tabs",
      category: "Edit",
      when: canEdit,
      run: () => {
        const model = file()?.model;
        if (model == null) return;
        const { insertSpaces } = model.getOptions();
        model.updateOptions({ insertSpaces: !insertSpaces });
        layout.say(insertSpaces ? "Tab now inserts tabs" : "Tab now inserts spaces");
      },
    },
    {
      id: "status.lineEnd",
      title: "Change line end…",
      category: "Edit",
      when: canWrite,
      run: () => {
        layout.quickPick = "lineEnd";
      },
    },
    {
      id: "status.encoding",
      title: "Save with encoding…",
      category: "Edit",
      when: canWrite,
      run: () => {
        layout.quickPick = "encoding";
      },
    },
  ];
}
