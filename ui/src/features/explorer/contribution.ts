/** The explorer: its view and its commands. */
import { baseName, originalOf } from "../../base/paths";
import type { Command } from "../../commands/registry.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { ExplorerActions } from "./actions";
import { folderAt } from "./drag.svelte";
import Explorer from "./Explorer.svelte";

export function contribute(workbench: Workbench): void {
  const actions = new ExplorerActions(workbench);
  workbench.slots.addSideView({
    id: "explorer",
    title: "Explorer",
    icon: "files",
    filling: fill(Explorer, () => ({ workbench, actions })),
  });
  workbench.commands.registerAll([...makeCommands(workbench, actions), ...fileCommands(workbench, actions), ...clipCommands(workbench, actions)]);
  workbench.client.onAppEvent((event) => {
    if (event.event !== "dropped") return;
    const { paths, folder, x, y } = event.data;
    const into = folderAt(x, y);
    // A folder on the window is opened; whatever comes down in the tree is copied to where it was let go.
    if (folder !== null && into === null) void workbench.session.open(folder);
    else if (workbench.session.workspace !== null) void actions.importFiles(paths, into ?? "");
  });
}

function isTreeFocused(): boolean {
  const { activeElement } = document;
  return activeElement?.closest("[data-testid='tree']") != null && !(activeElement instanceof HTMLInputElement);
}

function makeCommands({ files, layout, session, editors }: Workbench, actions: ExplorerActions): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  const canMake = (): boolean => isOpen() && actions.canChange;
  const show = (): void => layout.showSideView("explorer");
  const focusTree = (): void => void setTimeout(() => document.querySelector<HTMLElement>("[data-testid='tree']")?.focus());
  return [
    {
      id: "view.explorer",
      title: "Explorer",
      category: "View",
      keys: ["Ctrl+Shift+E"],
      when: isOpen,
      run: () => {
        show();
        focusTree();
      },
    },
    {
      id: "file.newFile",
      title: "New file…",
      category: "File",
      keys: ["Ctrl+Alt+N"],
      when: canMake,
      run: () => {
        show();
        return files.startNew("newFile");
      },
    },
    {
      id: "file.newFolder",
      title: "New folder…",
      category: "File",
      when: canMake,
      run: () => {
        show();
        return files.startNew("newFolder");
      },
    },
    {
      id: "explorer.filter",
      title: "Filter the files of the explorer",
      category: "View",
      keys: ["Ctrl+F"],
      keysWhen: isTreeFocused,
      when: isOpen,
      run: async () => {
        show();
        const started = files.startFilter();
        setTimeout(() => document.querySelector<HTMLElement>("[data-testid='tree-filter']")?.focus());
        await started;
      },
    },
    { id: "explorer.showIgnored", title: "Show ignored files", category: "View", when: isOpen, checked: () => files.showsIgnored, run: () => (files.showsIgnored = !files.showsIgnored) },
    { id: "explorer.collapseAll", title: "Collapse all folders", category: "View", when: isOpen, run: () => files.collapseAll() },
    {
      id: "explorer.reveal",
      title: "Show this file in the explorer",
      category: "View",
      when: isOpen,
      run: async (argument) => {
        const path = typeof argument === "string" ? argument : editors.activePath;
        if (path === null) return;
        show();
        await files.reveal(path);
        if (files.entry(path)?.kind === "folder") await files.expand(path);
        focusTree();
      },
    },
  ];
}

function fileCommands({ files, editors, session, commands }: Workbench, actions: ExplorerActions): Command[] {
  const focused = (argument: unknown): string | null => (typeof argument === "string" && argument !== "" ? argument : files.focusedId);
  const hasEntry = (): boolean => session.workspace !== null && files.selectedPaths.length > 0;
  const canChange = (): boolean => hasEntry() && actions.canChange;
  const hidden = { category: "Explorer", isHidden: true, when: hasEntry } as const;
  return [
    { ...hidden, id: "explorer.open", title: "Open", run: (path) => editors.open(focused(path) ?? "") },
    {
      ...hidden,
      id: "explorer.openToSide",
      title: "Open to the side",
      keys: ["Ctrl+Enter"],
      keysWhen: isTreeFocused,
      run: (argument) => {
        const path = focused(argument);
        if (path === null || files.entry(path)?.kind === "folder") return;
        if (editors.tabs.groups.length === 1 && editors.activeTab !== null) editors.tabs.split();
        editors.open(path, { group: editors.tabs.groups.length - 1 });
      },
    },
    {
      id: "explorer.besideOriginal",
      title: "Show beside the file it is another version of",
      category: "Explorer",
      isHidden: true,
      when: () => session.workspace !== null,
      run: (argument) => {
        if (typeof argument !== "string") return;
        if (editors.tabs.groups.length === 1 && editors.activeTab !== null) editors.tabs.split();
        editors.open(originalOf(argument), { group: 0 });
        editors.open(argument, { group: editors.tabs.groups.length - 1 });
      },
    },
    { ...hidden, id: "explorer.history", title: "History of this file", run: (path) => commands.run("timeline.ofFile", focused(path)) },
    { ...hidden, id: "explorer.historyOfFolder", title: "History of this folder", run: (path) => commands.run("timeline.ofFolder", focused(path)) },
    {
      ...hidden,
      id: "explorer.rename",
      title: "Rename…",
      keys: ["F2"],
      when: canChange,
      keysWhen: isTreeFocused,
      run: (argument) => {
        const path = focused(argument);
        if (path !== null) files.startRename(path);
      },
    },
    { ...hidden, id: "explorer.delete", title: "Delete", keys: ["Delete"], when: canChange, keysWhen: isTreeFocused, run: () => actions.delete(files.selectedPaths) },
    {
      ...hidden,
      id: "explorer.duplicate",
      title: "Duplicate",
      when: canChange,
      run: (argument) => {
        const path = focused(argument);
        return path === null ? undefined : actions.duplicate(path);
      },
    },
  ];
}

function clipCommands({ files, session, editors, copyText, layout }: Workbench, actions: ExplorerActions): Command[] {
  const hasEntry = (): boolean => session.workspace !== null && files.selectedPaths.length > 0;
  const hidden = { category: "Explorer", isHidden: true, when: hasEntry } as const;
  const take = (isCut: boolean): void => {
    files.clipboard = { paths: files.selectedPaths, isCut };
  };
  const pathOf = (argument: unknown): string =>
    typeof argument === "string" && argument !== "" ? argument : (editors.activePath ?? files.focusedId ?? "");
  const copy = async (text: string): Promise<void> => {
    await copyText(text);
    layout.say("Copied the path");
  };
  const canCopyPath = (): boolean => session.workspace !== null;
  return [
    { ...hidden, id: "explorer.cut", title: "Cut", keys: ["Ctrl+X"], keysWhen: isTreeFocused, when: () => hasEntry() && actions.canChange, run: () => take(true) },
    { ...hidden, id: "explorer.copy", title: "Copy", keys: ["Ctrl+C"], keysWhen: isTreeFocused, run: () => take(false) },
    {
      ...hidden,
      id: "explorer.paste",
      title: "Paste",
      keys: ["Ctrl+V"],
      keysWhen: isTreeFocused,
      when: () => files.clipboard !== null && actions.canChange,
      run: () => actions.paste(files.targetFolder),
    },
    {
      id: "explorer.copyPath",
      title: "Copy path",
      category: "File",
      when: canCopyPath,
      run: (argument) => {
        const path = pathOf(argument);
        return copy([session.workspace?.root ?? "", path].filter((part) => part !== "").join("/"));
      },
    },
    { id: "explorer.copyRelativePath", title: "Copy relative path", category: "File", when: canCopyPath, run: (argument) => copy(pathOf(argument) || baseName(session.workspace?.root ?? "")) },
  ];
}
