/** What each part of the window is for and which keys work there. Sentences only; the keys are the commands' own. */
import { shownKeys } from "../../base/keys";
import type { CommandRegistry } from "../../commands/registry.svelte";

export interface RegionHelp {
  title: string;
  lines: readonly string[];
}

/** The part of the window that has the keyboard now. */
export type RegionId = "editor" | "timeline" | "explorer" | "search" | "status" | "page" | "window";

/** Which help is open; null for none. */
export const regionHelp = $state<{ open: RegionId | null }>({ open: null });

export function regionOf(element: Element | null): RegionId {
  const closest = (selector: string): boolean => element?.closest(selector) != null;
  if (closest(".monaco-editor")) return "editor";
  if (closest("[data-testid='tl-strip']")) return "timeline";
  if (closest("[data-testid='search-view']")) return "search";
  if (closest("[data-testid='sidebar']")) return "explorer";
  if (closest("[data-testid='statusbar']")) return "status";
  if (closest("[data-testid^='group-']")) return "page";
  return "window";
}

export function helpFor(region: RegionId, commands: CommandRegistry): RegionHelp {
  const key = (id: string): string => {
    const keys = commands.shownKeysOf(id);
    return keys === null ? "no keys, see the command palette" : shownKeys(keys);
  };
  const everywhere = [
    `Next and previous part of the window: ${key("view.nextRegion")} and ${key("view.previousRegion")}.`,
    `Every command by name: ${key("palette.commands")}. The menus: Alt, then the arrows.`,
  ];
  switch (region) {
    case "editor":
      return {
        title: "The text editor",
        lines: [
          "What you type is kept at once; nothing needs to be saved.",
          `Tab indents. ${key("view.tabMovesFocus")} makes Tab move the focus, and back.`,
          `Find: ${key("edit.find")}. Go to a line: ${key("palette.line")}. Undo: ${key("edit.undo")}.`,
          `One step back in time: ${key("timeline.back")}; forward: ${key("timeline.forward")}; back to now: ${key("timeline.now")}.`,
          "If your screen reader reads only part of the file, turn on the screen-reader mode in the settings.",
          ...everywhere,
        ],
      };
    case "timeline":
      return {
        title: "The timeline",
        lines: [
          "A slider over everything that was done to this file, folder or workspace. What it says tells when, who and what.",
          "Left and right: one burst of typing. With Shift: one change. With Ctrl: to the next named moment.",
          "Page up and page down: a tenth. Home: the beginning. End or Esc: now. Space plays.",
          "R restores the file to the moment shown, M names the moment, D shows the differences, S changes the scope.",
          `All of its buttons: ${key("timeline.toggle")}.`,
          ...everywhere,
        ],
      };
    case "explorer":
      return {
        title: "The files",
        lines: [
          "Up and down move, right opens a folder, left closes it. Enter opens a file, Space shows it.",
          "F2 renames, Delete deletes, and both can be undone. Typing goes to the file of that name.",
          "Deleted files are in “Deleted recently” at the end, to be brought back.",
          ...everywhere,
        ],
      };
    case "search":
      return {
        title: "Find and replace in files",
        lines: [
          "What you type is looked for at once, in the files as they are now. Up and down in the field bring back what was looked for before.",
          `Match case, whole word, regular expression: ${key("search.matchCase")}, ${key("search.wholeWord")}, ${key("search.regex")}. Esc stops a search.`,
          `Next and previous result, from anywhere: ${key("search.next")} and ${key("search.previous")}.`,
          "In the results: up and down move, right opens a file, left closes it. Space shows a place, Enter goes there, Delete takes a result from the list.",
          `Replace the result or the file that is marked: ${key("search.replaceMarked")}. Replace all: ${key("search.replaceAll")}; it can be undone as one.`,
          ...everywhere,
        ],
      };
    case "status":
      return { title: "The status bar", lines: ["Buttons for what they say: Tab moves between them, Enter presses. The first says whether everything is saved.", ...everywhere] };
    case "page":
      return { title: "A page", lines: ["Tab moves from one control to the next. What is changed counts at once.", ...everywhere] };
    default:
      return { title: "The window", lines: everywhere };
  }
}
