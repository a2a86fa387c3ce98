/** The menu bar and the editor's context menu: command ids; titles and keys are the commands' own. */
import type { Command, CommandChild, CommandRegistry } from "../commands/registry.svelte";
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
      "file.newUntitled", "file.newFile", "file.newFolder", "window.new", "-", "workspace.openFolder", "workspace.openInNewWindow", "workspace.openRecent", "workspace.new", "workspace.openSample",
      "-", "file.save", "file.saveAs", "file.saveAll", "-", "file.revealInFileManager", "-", "tabs.close", "workspace.move", "workspace.close", "-",
      "settings.open", "-", "window.quit",
    ],
  },
  {
    title: "Edit",
    ids: [
      "edit.undo", "edit.redo", "edit.undoLast", "-", "edit.cut", "edit.copy", "edit.paste", "-", "edit.find", "edit.replace", "-",
      "search.open", "search.openReplace", "search.next", "search.previous", "timeline.find", "timeline.search", "-", "edit.comment", "edit.format", "edit.selectAll", "-", "status.encoding", "status.lineEnd",
    ],
  },
  {
    title: "View",
    ids: [
      "palette.commands", "-", "view.explorer", "view.sideBar", "view.timeline", "timeline.toggle", "timeline.authors", "-", "tabs.splitRight",
      "view.wordWrap", "view.minimap", "view.whitespace", "-", "view.zoomIn", "view.zoomOut", "view.zoomReset", "-", "view.theme",
      "view.fullScreen", "view.zen",
    ],
  },
  {
    title: "Go",
    ids: [
      "palette.files", "edit.symbol", "palette.line", "palette.tabs", "edit.definition", "edit.bracket", "-", "tabs.next", "tabs.previous", "tabs.reopen", "-",
      "tabs.group1", "tabs.group2", "tabs.group3", "-", "timeline.ofFile", "timeline.compareWithPast", "timeline.back",
      "timeline.forward", "timeline.now",
    ],
  },
  {
    title: "People",
    ids: [
      "people.invite", "people.join", "people.show", "-", "follow.toggle", "follow.bring", "chat.show", "activity.show", "merge.review", "-", "people.askToEdit", "people.sync", "people.pause", "people.syncNow", "-",
      "people.invisible", "people.connectionCheck", "-", "people.leave", "people.takePart",
    ],
  },
  { title: "Help", ids: ["help.keys", "help.region", "notices.toggle", "help.diagnostics", "-", "help.about"] },
];

export const EDITOR_MENU: readonly string[] = [
  "edit.cut", "edit.copy", "edit.paste", "-", "edit.undo", "edit.redo", "-", "edit.changeAll", "edit.comment", "edit.find", "-",
  "timeline.ofFile", "timeline.compareWithPast", "-", "palette.line", "palette.commands",
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
    if (command.children !== undefined) {
      entries.push(subMenu(command, command.children()));
      continue;
    }
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

function subMenu(command: Command, children: readonly CommandChild[]): MenuEntry {
  const entries = children.map((child): MenuEntry => ({ kind: "item", ...child }));
  return { kind: "sub", id: command.id, label: command.title.replace(/…$/, ""), isEnabled: entries.length > 0, entries };
}
