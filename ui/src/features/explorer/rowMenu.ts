/** The context menu of the tree. */
import type { MenuEntry } from "../../ui/menu.svelte";
import { entriesFor } from "../../workbench/menus";
import type { Workbench } from "../../workbench/workbench";

const ON_FILE = [
  "explorer.open", "explorer.openToSide", "-", "explorer.history", "timeline.compareWithPast", "-", "compare.select",
  "compare.withSelected", "-", "explorer.cut", "explorer.copy", "explorer.paste",
  "explorer.duplicate", "-", "explorer.copyPath", "explorer.copyRelativePath", "file.revealInFileManager", "file.openTerminal", "-",
  "explorer.rename", "explorer.delete",
];
const ON_FOLDER = [
  "file.newFile", "file.newFolder", "-", "search.inFolder", "explorer.historyOfFolder", "-", "explorer.cut", "explorer.copy", "explorer.paste",
  "-", "explorer.copyPath", "explorer.copyRelativePath", "file.revealInFileManager", "file.openTerminal", "-", "explorer.rename", "explorer.delete",
];
const ON_NOTHING = ["file.newFile", "file.newFolder", "-", "explorer.paste", "-", "file.revealInFileManager", "file.openTerminal", "-", "explorer.showIgnored", "explorer.collapseAll"];

export function rowMenu(workbench: Workbench, path: string | null): MenuEntry[] {
  const entry = path === null ? null : workbench.files.entry(path);
  const ids = entry === null ? ON_NOTHING : entry.kind === "folder" ? ON_FOLDER : ON_FILE;
  return entriesFor(workbench.commands, ids, path ?? "");
}
