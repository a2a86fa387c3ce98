/** Monaco's colours, read from the same tokens as the frame: there is one theme. */
import type { Monaco } from "./monaco";

export type ThemeName = "dark" | "light" | "hc-dark" | "hc-light";

const BASES = { dark: "vs-dark", light: "vs", "hc-dark": "hc-black", "hc-light": "hc-light" } as const;

/** Monaco's colour ids and the tokens they are. */
const COLOURS: Record<string, string> = {
  "editor.background": "editor-background",
  "editor.foreground": "editor-foreground",
  "editorLineNumber.foreground": "editor-line-number",
  "editorLineNumber.activeForeground": "editor-line-number-active",
  "editor.lineHighlightBackground": "editor-line-highlight",
  "editor.lineHighlightBorder": "editor-line-highlight",
  "editor.selectionBackground": "editor-selection",
  "editor.inactiveSelectionBackground": "editor-selection-inactive",
  "editorIndentGuide.background1": "editor-indent",
  "editorWidget.background": "editor-widget",
  "editorWidget.foreground": "text",
  "editorWidget.border": "border",
  "editorSuggestWidget.background": "editor-widget",
  "editorSuggestWidget.border": "border",
  "editorSuggestWidget.selectedBackground": "selected-focus",
  "editorSuggestWidget.selectedForeground": "selected-text",
  "editorHoverWidget.background": "editor-widget",
  "editorHoverWidget.border": "border",
  "editorCursor.foreground": "text-strong",
  "editorGutter.background": "editor-background",
  "editorStickyScroll.background": "editor-background",
  "editorStickyScrollHover.background": "editor-line-highlight",
  "minimap.background": "editor-background",
  "input.background": "field",
  "input.foreground": "text",
  "input.border": "border-control",
  "input.placeholderForeground": "text-muted",
  "inputOption.activeBackground": "accent",
  "inputOption.activeForeground": "accent-text",
  "inputOption.activeBorder": "accent",
  focusBorder: "focus",
  "list.hoverBackground": "hover",
  "list.activeSelectionBackground": "selected-focus",
  "list.activeSelectionForeground": "selected-text",
  "menu.background": "surface-overlay",
  "menu.foreground": "text",
  "menu.border": "border",
  "menu.selectionBackground": "selected-focus",
  "menu.selectionForeground": "selected-text",
  "diffEditor.insertedTextBackground": "added-ground",
  "diffEditor.removedTextBackground": "removed-ground",
  "diffEditor.border": "border",
  "scrollbar.shadow": "editor-background",
};

/** Only there is the selected text drawn in a colour of its own. */
const HIGH_CONTRAST_COLOURS: Record<string, string> = {
  "editor.selectionForeground": "editor-selection-text",
  contrastBorder: "border",
  contrastActiveBorder: "focus",
};

const SYNTAX: [string, string][] = [
  ["", "editor-foreground"],
  ["comment", "syntax-comment"],
  ["string", "syntax-string"],
  ["string.key", "syntax-variable"],
  ["number", "syntax-number"],
  ["keyword", "syntax-keyword"],
  ["type", "syntax-type"],
  ["type.identifier", "syntax-type"],
  ["namespace", "syntax-type"],
  ["function", "syntax-function"],
  ["variable", "syntax-variable"],
  ["attribute.name", "syntax-variable"],
  ["attribute.value", "syntax-string"],
  ["tag", "syntax-tag"],
  ["metatag", "syntax-tag"],
  ["key", "syntax-variable"],
  ["regexp", "syntax-regexp"],
  ["annotation", "syntax-function"],
];

/** "rgb(1, 2, 3)", "rgba(1, 2, 3, 0.5)", "#123" or "#123456" as Monaco wants it: with all digits. */
export function toHex(colour: string): string {
  // The built style sheet has the short form wherever it can.
  if (/^#[0-9a-f]{3,4}$/i.test(colour)) return colour.replaceAll(/[0-9a-f]/gi, "$&$&");
  if (colour.startsWith("#")) return colour;
  const parts = colour.match(/[\d.]+/g)?.map(Number) ?? [0, 0, 0];
  const [red = 0, green = 0, blue = 0, alpha = 1] = parts;
  const hex = [red, green, blue, ...(alpha < 1 ? [Math.round(alpha * 255)] : [])];
  return `#${hex.map((part) => Math.round(part).toString(16).padStart(2, "0")).join("")}`;
}

/** Defines and sets the theme from the tokens as they are now on the root element. */
export function applyTheme(monaco: Monaco, name: ThemeName): void {
  const tokens = getComputedStyle(document.documentElement);
  const token = (key: string): string => toHex(tokens.getPropertyValue(`--${key}`).trim());
  const ids = { ...COLOURS, ...(name.startsWith("hc-") ? HIGH_CONTRAST_COLOURS : {}) };
  const colors = Object.fromEntries(Object.entries(ids).map(([id, key]) => [id, token(key)]));
  const rules = SYNTAX.map(([scope, key]) => ({ token: scope, foreground: token(key).slice(1, 7) }));
  monaco.editor.defineTheme(`codesync-${name}`, { base: BASES[name], inherit: true, rules, colors });
  monaco.editor.setTheme(`codesync-${name}`);
}
