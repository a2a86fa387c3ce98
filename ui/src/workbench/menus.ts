/** The menu bar and the editor's context menu: command ids; titles and keys are the commands' own. */
import type { CommandRegistry } from "../commands/registry.svelte";
import type { MenuEntry } from "../ui/menu.svelte";

export interface BarMenu {
  title: string;
  /** Command ids; "-" is a line. */
  ids: readonly string[];
}

export const MENU_BAR: readonly BarMenu[] = [
  {
    title: "File",
    ids: [
      "file.newFile", "file.newFolder", "-", "workspace.openFolder", "workspace.new", "workspace.openSample",
      "workspace.close", "-", "file.save", "file.saveAll", "-", "file.revealInFileManager", "-", "settings.open", "-",
      "tabs.close", "window.quit",
    ],
  },
  {
    title: "Edit",
    ids: [
      "edit.undo", "edit.redo", "edit.undoLast", "-", "edit.cut", "edit.copy", "edit.paste", "-", "edit.find", "edit.replace",
      "-", "edit.comment", "edit.selectAll",
    ],
  },
  {
    title: "View",
    ids: [
      "palette.commands", "-", "view.explorer", "view.sideBar", "timeline.toggle", "-", "tabs.splitRight", "view.wordWrap",
      "view.minimap", "view.whitespace", "-", "view.zoomIn", "view.zoomOut", "view.zoomReset", "-", "view.theme",
      "view.fullScreen", "view.zen",
    ],
  },
  {
    title: "Go",
    ids: [
      "palette.files", "palette.line", "-", "tabs.next", "tabs.previous", "tabs.reopen", "-", "tabs.group1", "tabs.group2",
      "tabs.group3", "-", "timeline.back", "timeline.forward", "timeline.now",
    ],
  },
  { title: "Help", ids: ["help.keys", "notices.toggle", "-", "help.about"] },
];

export const EDITOR_MENU: readonly string[] = [
  "edit.cut", "edit.copy", "edit.paste", "-", "edit.undo", "edit.redo", "-", "edit.changeAll", "edit.comment", "edit.find", "-",
  "palette.line", "palette.commands",
];

/** Entries for command ids; ids that nobody registered are left out, and so are lines with nothing between. */
export function entriesFor(commands: CommandRegistry, ids: readonly string[], argument?: unknown): MenuEntry[] {
  const entries: MenuEntry[] = [];
  for (const id of ids) {
    if (id === "-") {
      if (entries.length > 0 && entries.at(-1)?.kind !== "line") entries.push({ kind: "line" });
      continue;
    }
    const command = commands.get(id);
    if (command === undefined) continue;
    entries.push({
      kind: "item",
      id,
      label: command.title,
      keys: commands.shownKeysOf(id),
      isEnabled: commands.canRun(id),
      ...(command.checked === undefined ? {} : { isChecked: command.checked() }),
      run: () => commands.run(id, argument),
    });
  }
  if (entries.at(-1)?.kind === "line") entries.pop();
  return entries;
}
