/** The settings as the page shows them: which field, what kind, in which words. */
import type { Settings } from "../../api/generated";

type KeyOf<T> = { [K in keyof Settings]: Settings[K] extends T ? K : never }[keyof Settings];

export type SettingItem = { group: string; title: string; help?: string } & (
  | { kind: "switch"; key: KeyOf<boolean> }
  | { kind: "number"; key: KeyOf<number>; min: number; max: number; unit?: string }
  | { kind: "text"; key: "editorFontFamily" | "person"; placeholder: string }
  | { kind: "color"; key: "color" }
  | { kind: "choice"; key: "theme" | "axis" | "screenReader" | "autoSave" | "visibleTo" | "nameFlags" | "defaultRole"; choices: readonly (readonly [string, string])[] }
);

export const SETTING_ITEMS: readonly SettingItem[] = [
  { group: "You", title: "Name", help: "Shown with your changes in the timeline.", kind: "text", key: "person", placeholder: "As on this computer" },
  { group: "You", title: "Colour", help: "Of your caret, your changes and your messages. Where somebody else has it already, you get the next.", kind: "color", key: "color" },
  {
    group: "Look",
    title: "Theme",
    kind: "choice",
    key: "theme",
    choices: [
      ["system", "Follow the system"],
      ["dark", "Dark"],
      ["light", "Light"],
      ["hc-dark", "High contrast dark"],
      ["hc-light", "High contrast light"],
    ],
  },
  { group: "Look", title: "Font size of menus and lists", kind: "number", key: "uiFontSize", min: 11, max: 16, unit: "px" },
  { group: "Look", title: "Zoom", kind: "number", key: "zoomPercent", min: 50, max: 300, unit: "%" },
  { group: "Editor", title: "Font", help: "Names of fonts, separated by commas.", kind: "text", key: "editorFontFamily", placeholder: "The default font" },
  { group: "Editor", title: "Font size", kind: "number", key: "editorFontSize", min: 6, max: 72, unit: "px" },
  { group: "Editor", title: "Line height", kind: "number", key: "lineHeightPercent", min: 100, max: 300, unit: "%" },
  { group: "Editor", title: "Ligatures", help: "Signs such as => and != drawn as one, if the font has them.", kind: "switch", key: "ligatures" },
  { group: "Editor", title: "Ctrl and the wheel change the text size only", help: "Otherwise they zoom the whole window.", kind: "switch", key: "wheelZoomsText" },
  { group: "Editor", title: "Tab size", help: "Where a file does not show its own.", kind: "number", key: "tabSize", min: 1, max: 16 },
  { group: "Editor", title: "Word wrap", kind: "switch", key: "wordWrap" },
  { group: "Editor", title: "Minimap", kind: "switch", key: "minimap" },
  { group: "Editor", title: "Show white space", kind: "switch", key: "showWhitespace" },
  { group: "Editor", title: "Suggestions while typing", help: "Ctrl+Space gives them always.", kind: "switch", key: "suggest" },
  { group: "Explorer", title: "Go along with the editor", help: "The file that is open is shown in the tree.", kind: "switch", key: "revealActive" },
  {
    group: "Saving",
    title: "Write to disk",
    help: "History keeps every change at once. This is about the file in the folder only. In JSON: autoSave.",
    kind: "choice",
    key: "autoSave",
    choices: [
      ["afterDelay", "After 0.5 s"],
      ["onFocusChange", "When I leave the file"],
      ["off", "Only Ctrl+S"],
    ],
  },
  {
    group: "Saving",
    title: "Deleted files go to the trash, too",
    help: "To the system's, where that can be done at once. History keeps them in any case. In JSON: enableTrash.",
    kind: "switch",
    key: "enableTrash",
  },
  { group: "Timeline", title: "Strip visible", help: "The bars at the bottom of the window.", kind: "switch", key: "timelineVisible" },
  {
    group: "Timeline",
    title: "Axis",
    help: "Activity folds the time in which nothing happened.",
    kind: "choice",
    key: "axis",
    choices: [
      ["activity", "Activity"],
      ["clock", "Clock"],
    ],
  },
  {
    group: "People",
    title: "Who on the network sees this computer",
    kind: "choice",
    key: "visibleTo",
    choices: [
      ["everyone", "Everyone"],
      ["known", "People I know"],
      ["panel", "While a list of people is shown"],
      ["nobody", "Nobody"],
    ],
  },
  {
    group: "People",
    title: "Names beside others' carets",
    kind: "choice",
    key: "nameFlags",
    choices: [
      ["activity", "While they type"],
      ["always", "Always"],
      ["never", "Never"],
    ],
  },
  { group: "People", title: "Follow whoever let me in", help: "After joining, the view goes where they are.", kind: "switch", key: "followOnJoin" },
  {
    group: "People",
    title: "Newcomers are proposed as",
    kind: "choice",
    key: "defaultRole",
    choices: [
      ["editor", "Editor"],
      ["viewer", "Viewer"],
    ],
  },
  { group: "People", title: "Enter sends a message", help: "Otherwise Ctrl+Enter does.", kind: "switch", key: "enterSends" },
  {
    group: "Accessibility",
    title: "Screen-reader mode",
    help: "Gives the whole text to screen readers. Turn it on when yours reads only part of a file.",
    kind: "choice",
    key: "screenReader",
    choices: [
      ["auto", "Automatic"],
      ["on", "On"],
      ["off", "Off"],
    ],
  },
  { group: "Accessibility", title: "Reduce motion", help: "No fades and no gliding.", kind: "switch", key: "reduceMotion" },
  { group: "Start", title: "Open the last workspace at start", kind: "switch", key: "reopen" },
];
