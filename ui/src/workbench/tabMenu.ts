/** The context menu of a tab. */
import { isUntitled } from "../base/paths";
import type { CommandRegistry } from "../commands/registry.svelte";
import type { Group, Tab } from "../state/tabs.svelte";
import type { MenuEntry } from "../ui/menu.svelte";
import { type EditorArea, isFilePath } from "./editorArea.svelte";

export function tabMenu(tab: Tab, group: Group, editors: EditorArea, commands: CommandRegistry): MenuEntry[] {
  const item = (id: string, label: string, run: () => void, isEnabled = true, keys: string | null = null): MenuEntry => ({
    kind: "item",
    id,
    label,
    keys,
    isEnabled,
    run,
  });
  const closeAll = (tabs: readonly Tab[]): void => {
    for (const one of [...tabs]) editors.close(one.id);
  };
  const at = group.tabs.findIndex((one) => one.id === tab.id);
  const others = group.tabs.filter((one) => one.id !== tab.id);
  const right = group.tabs.slice(at + 1);
  const entries: MenuEntry[] = [
    item("close", "Close", () => editors.close(tab.id), true, commands.shownKeysOf("tabs.close")),
    item("closeOthers", "Close others", () => closeAll(others), others.length > 0),
    item("closeRight", "Close to the right", () => closeAll(right), right.length > 0),
    item("closeAll", "Close all", () => closeAll(group.tabs)),
    { kind: "line" },
    item("keep", "Keep open", () => editors.tabs.keep(tab.id), tab.isPreview),
    item("split", "Split right", () => {
      editors.activate(tab);
      commands.run("tabs.splitRight");
    }),
  ];
  if (isUntitled(tab.path)) {
    const save = (): void => {
      editors.tabs.activate(tab.id);
      commands.run("file.saveAs");
    };
    return [...entries, { kind: "line" }, item("save", "Save…", save, true, commands.shownKeysOf("file.save"))];
  }
  if (!isFilePath(tab.path)) return entries;
  return [
    ...entries,
    { kind: "line" },
    item("copyPath", "Copy path", () => commands.run("explorer.copyPath", tab.path)),
    item("copyRelativePath", "Copy relative path", () => commands.run("explorer.copyRelativePath", tab.path)),
    item("revealInFileManager", "Show in file manager", () => commands.run("file.revealInFileManager", tab.path)),
    item("revealInExplorer", "Show in explorer", () => commands.run("explorer.reveal", tab.path)),
  ];
}
