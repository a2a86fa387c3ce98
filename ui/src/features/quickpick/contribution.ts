/** Go to file, the command palette and the short lists. */
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { past } from "../../state/past.svelte";
import { recentChildren } from "./filePicks";
import Host from "./Host.svelte";

export function contribute(workbench: Workbench): void {
  const { commands, layout, session, editors, slots } = workbench;
  const inWorkspace = (): boolean => session.workspace !== null;
  const hasText = (): boolean => editors.activeFile?.model != null;
  const show = (kind: typeof layout.quickPick) => (): void => {
    layout.quickPick = kind;
  };
  const isNamed = (): boolean => editors.activeFile?.path != null && past.moment === null && !session.isReadOnly;
  // Who may not make a file is told so when it is made: the text stays.
  const canSaveAs = (): boolean => editors.untitledPath !== null || isNamed();
  commands.registerAll([
    { id: "file.saveAs", title: "Save as…", category: "File", keys: ["Ctrl+Shift+S"], when: canSaveAs, run: show("saveAs") },
    {
      id: "workspace.openRecent",
      title: "Open recent…",
      category: "File",
      run: async () => {
        await session.loadRecent();
        layout.quickPick = "recent";
      },
      children: () => recentChildren(workbench),
    },
    { id: "palette.files", title: "Go to file…", category: "Go", keys: ["Ctrl+P", "Ctrl+E"], when: inWorkspace, run: show("files") },
    { id: "palette.commands", title: "Command palette…", category: "View", keys: ["Ctrl+Shift+P", "F1"], run: show("commands") },
    { id: "palette.line", title: "Go to line…", category: "Go", keys: ["Ctrl+G"], when: () => hasText() || editors.activePane.large !== null, run: show("line") },
    { id: "palette.language", title: "Change language…", category: "Edit", keys: ["Ctrl+K M"], when: hasText, run: show("language") },
    { id: "palette.tabs", title: "Go to open tab…", category: "Go", when: () => editors.tabs.group.tabs.length > 0, run: show("tabs") },
    { id: "view.theme", title: "Change theme…", category: "View", keys: ["Ctrl+K Ctrl+T"], run: show("theme") },
  ]);
  slots.addOverlay(fill(Host, () => ({ workbench })));
}
