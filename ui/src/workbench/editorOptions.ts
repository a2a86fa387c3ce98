/** Monaco's options from the settings: one place, so that every editor looks and behaves the same. */
import { innerWidth } from "svelte/reactivity/window";
import type { editor } from "monaco-editor/editor/editor.api";
import type { Settings } from "../api/generated";
import { MESSAGES } from "../base/messages";
import { baseName, isUntitled } from "../base/paths";
import { LONG_UNITS } from "../editor/longModel";
import type { OpenFile } from "../editor/models.svelte";
import type { Layout } from "./layout.svelte";
import { NARROW_PX } from "./layout.svelte";

/** What Monaco calls when the link in MSG-ROLE-1 is pressed. */
export const ASK_TO_EDIT = "codesync.askToEdit";
const [askToEdit] = MESSAGES["MSG-ROLE-1"].buttons;
const READ_ONLY: Record<string, string> = {
  viewer: `${MESSAGES["MSG-ROLE-1"].body} [${askToEdit}](command:${ASK_TO_EDIT})`,
  ignored: "This file is kept out of history by the ignore rules, so it is not edited here.",
  coming: "The history of this file is still on its way. It can be edited in a moment.",
  diskFull: "New changes can't be kept now, so the editor is read-only and nothing is lost.",
};

export function editorOptions(
  settings: Settings,
  now: { file: OpenFile | null; isFull: boolean; isViewer?: boolean; layout: Layout },
): editor.IStandaloneEditorConstructionOptions {
  const reason = now.isViewer === true ? "viewer" : now.isFull ? "diskFull" : (now.file?.readOnly ?? null);
  const isLong = (now.file?.model?.getValueLength() ?? 0) > LONG_UNITS;
  const fallback = getComputedStyle(document.documentElement).getPropertyValue("--font-mono");
  return {
    readOnly: reason !== null,
    readOnlyMessage: { value: READ_ONLY[reason ?? ""] ?? "This file cannot be edited here.", isTrusted: { enabledCommands: [ASK_TO_EDIT] } },
    ariaLabel: now.file === null ? "Editor" : `${isUntitled(now.file.lastPath) ? baseName(now.file.lastPath) : now.file.lastPath}, editor`,
    fontFamily: settings.editorFontFamily === "" ? fallback : `${settings.editorFontFamily}, ${fallback}`,
    fontSize: settings.editorFontSize,
    lineHeight: Math.round((settings.editorFontSize * settings.lineHeightPercent) / 100),
    fontLigatures: settings.ligatures,
    quickSuggestions: settings.suggest,
    // Enter is a line end unless the suggestion would change something: a word just typed may be suggested itself.
    acceptSuggestionOnEnter: "smart",
    suggestOnTriggerCharacters: settings.suggest,
    tabSize: settings.tabSize,
    insertSpaces: true,
    detectIndentation: true,
    wordWrap: settings.wordWrap ? "on" : "off",
    // Zoomed in, the text needs the room.
    minimap: { enabled: settings.minimap && (innerWidth.current ?? Infinity) >= NARROW_PX, renderCharacters: false },
    renderWhitespace: settings.showWhitespace ? "all" : "selection",
    cursorSmoothCaretAnimation: "off",
    smoothScrolling: false,
    tabFocusMode: now.layout.isTabMovingFocus,
    automaticLayout: true,
    // One input path on every system (WebKit has no EditContext).
    editContext: false,
    // The frame's own menu, so that cut and paste go through the system's clipboard.
    contextmenu: false,
    unusualLineTerminators: "off",
    // One edit for each thing typed: nobody else's text is touched.
    trimAutoWhitespace: false,
    dragAndDrop: false,
    dropIntoEditor: { enabled: false },
    pasteAs: { enabled: false },
    scrollBeyondLastLine: true,
    fixedOverflowWidgets: true,
    stickyScroll: { enabled: !isLong, maxLineCount: 3 },
    bracketPairColorization: { enabled: !isLong },
    guides: { indentation: true, bracketPairs: isLong ? false : "active" },
    wordBasedSuggestions: isLong ? "off" : "allDocuments",
    folding: !isLong,
    links: !isLong,
    occurrencesHighlight: isLong ? "off" : "singleFile",
    mouseWheelZoom: settings.wheelZoomsText,
    scrollbar: { verticalScrollbarSize: 12, horizontalScrollbarSize: 12, useShadows: false },
    overviewRulerBorder: false,
    padding: { top: 4 },
    // A web view cannot find out whether a screen reader runs: `auto` is Monaco's own guess, by the speed of its use.
    accessibilitySupport: accessibility(settings.screenReader),
    accessibilityPageSize: 500,
  };
}

function accessibility(mode: string): "auto" | "on" | "off" {
  return mode === "on" || mode === "off" ? mode : "auto";
}
