/** Commands of the frame itself: workspace, tabs, saving, view. */
import { isUntitled } from "../base/paths";
import { clock } from "../base/words";
import type { Command } from "../commands/registry.svelte";
import { moveWorkspace } from "./moveWorkspace";
import type { Workbench } from "./workbench";

const ZOOM_STEPS = [50, 67, 75, 80, 90, 100, 110, 125, 150, 175, 200, 250, 300];

export function frameCommands(workbench: Workbench): Command[] {
  return [...workspaceCommands(workbench), ...fileCommands(workbench), ...tabCommands(workbench), ...viewCommands(workbench)];
}

function workspaceCommands(workbench: Workbench): Command[] {
  const { session, client, notices } = workbench;
  const isOpen = (): boolean => session.workspace !== null;
  const open = async (ask: () => Promise<boolean>): Promise<void> => {
    await ask();
  };
  return [
    {
      id: "workspace.openFolder",
      title: "Open folder…",
      category: "File",
      keys: ["Ctrl+O"],
      run: () => open(() => session.pickAndOpen("Open folder")),
    },
    {
      id: "workspace.new",
      title: "New workspace…",
      category: "File",
      run: () => open(() => session.pickAndOpen("Choose or make a folder for the new workspace")),
    },
    { id: "workspace.openSample", title: "Try the sample workspace", category: "File", run: () => open(() => session.openSample()) },
    { id: "window.new", title: "New window", category: "File", keys: ["Ctrl+Shift+N"], run: () => client.app({ cmd: "newWindow", args: { path: null } }) },
    {
      id: "workspace.openInNewWindow",
      title: "Open folder in a new window…",
      category: "File",
      run: async () => {
        const { path } = await client.getApp("path", { cmd: "pickFolder", args: { title: "Open folder in a new window" } });
        if (path !== null) await client.app({ cmd: "newWindow", args: { path } });
      },
    },
    { id: "workspace.move", title: "Move the workspace…", category: "File", when: isOpen, run: () => moveWorkspace(workbench) },
    { id: "workspace.close", title: "Close workspace", category: "File", when: isOpen, run: () => session.close() },
    { id: "window.quit", title: "Quit", category: "File", keys: ["Ctrl+Q"], run: () => client.app({ cmd: "quit" }) },
    { id: "notices.toggle", title: "Messages", category: "Help", run: () => notices.toggleList() },
  ];
}

function fileCommands({ client, editors, layout, session }: Workbench): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  /** Absolute: what is meant, or the file that is open. */
  const placeOf = (argument: unknown): string => {
    const path = typeof argument === "string" ? argument : (editors.activePath ?? "");
    const root = session.workspace?.root ?? "";
    return path === "" ? root : `${root}/${path}`;
  };
  const save = async (path: string | null): Promise<void> => {
    if (path !== null && isUntitled(path)) {
      layout.quickPick = "saveAs";
      return;
    }
    await client.ask({ cmd: "save", args: { path } });
    layout.say(`Saved ${clock(session.save.savedMs ?? Date.now())}`);
  };
  return [
    { id: "file.newUntitled", title: "New untitled file", category: "File", keys: ["Ctrl+N"], when: isOpen, run: () => editors.newUntitled() },
    { id: "file.save", title: "Save", category: "File", keys: ["Ctrl+S"], when: isOpen, run: () => save(editors.activeFile?.path ?? null) },
    { id: "file.saveAll", title: "Save all", category: "File", keys: ["Ctrl+K S"], when: isOpen, run: () => save(null) },
    {
      id: "file.revealInFileManager",
      title: "Show in file manager",
      category: "File",
      when: isOpen,
      run: (argument) => client.app({ cmd: "revealInFileManager", args: { path: placeOf(argument) } }),
    },
    {
      id: "file.openInItsApp",
      title: "Open in its app",
      category: "File",
      when: () => isOpen() && editors.activePath !== null,
      run: (argument) => client.app({ cmd: "openInItsApp", args: { path: placeOf(argument) } }),
    },
    { id: "file.openTerminal", title: "Open in terminal", category: "File", when: isOpen, run: (argument) => client.app({ cmd: "openTerminal", args: { path: placeOf(argument) } }) },
  ];
}

function tabCommands({ editors, layout, session }: Workbench): Command[] {
  const { tabs } = editors;
  const hasTab = (): boolean => tabs.active !== null;
  const isOpen = (): boolean => session.workspace !== null;
  const group = (index: number, key: string): Command => ({
    id: `tabs.group${index + 1}`,
    title: `Editor ${index + 1}`,
    category: "Go",
    keys: [key],
    when: () => isOpen() && (index < tabs.groups.length || hasTab()),
    run: () => {
      tabs.focusGroup(index);
      editors.focusSoon();
    },
  });
  const byUse = (): void => {
    layout.quickPick = "switch";
  };
  const step = (by: number): void => {
    const { tabs: all, activeId } = tabs.group;
    const at = all.findIndex((tab) => tab.id === activeId);
    const next = all[(at + by + all.length) % all.length];
    if (next !== undefined) editors.activate(next);
  };
  return [
    { id: "tabs.close", title: "Close editor", category: "File", keys: ["Ctrl+W", "Ctrl+F4"], when: hasTab, run: () => tabs.active && editors.close(tabs.active.id) },
    { id: "tabs.reopen", title: "Reopen closed tab", category: "Go", keys: ["Ctrl+Shift+T"], when: isOpen, run: () => editors.reopenClosed() },
    { id: "tabs.next", title: "Next tab", category: "Go", keys: ["Ctrl+PageDown"], when: hasTab, run: () => step(1) },
    { id: "tabs.previous", title: "Previous tab", category: "Go", keys: ["Ctrl+PageUp"], when: hasTab, run: () => step(-1) },
    { id: "tabs.byUse", title: "Switch between tabs by use", category: "Go", keys: ["Ctrl+Tab", "Ctrl+Shift+Tab"], when: hasTab, run: byUse },
    { id: "tabs.keep", title: "Keep this tab open", category: "File", keys: ["Ctrl+K Enter"], when: hasTab, run: () => tabs.active && tabs.keep(tabs.active.id) },
    {
      id: "tabs.splitRight",
      title: "Split right",
      category: "View",
      keys: ["Ctrl+\\"],
      when: hasTab,
      run: () => {
        tabs.split();
        editors.focusSoon();
      },
    },
    group(0, "Ctrl+1"),
    group(1, "Ctrl+2"),
    group(2, "Ctrl+3"),
  ];
}

function viewCommands({ layout, session, client, editors }: Workbench): Command[] {
  const isOpen = (): boolean => session.workspace !== null;
  const zoomTo = async (percent: number): Promise<void> => {
    layout.showZoom(percent);
    await session.changeSettings({ zoomPercent: percent });
  };
  const zoomBy = (step: 1 | -1): Promise<void> => {
    const now = session.settings.zoomPercent;
    const next = step > 0 ? ZOOM_STEPS.find((one) => one > now) : ZOOM_STEPS.findLast((one) => one < now);
    return zoomTo(next ?? now);
  };
  return [
    { id: "view.sideBar", title: "Side bar", category: "View", keys: ["Ctrl+B"], when: isOpen, checked: () => layout.isSideShown, run: () => (layout.isSideShown = !layout.isSideShown) },
    { id: "view.wordWrap", title: "Word wrap", category: "View", keys: ["Alt+Z"], checked: () => session.settings.wordWrap, run: () => session.changeSettings({ wordWrap: !session.settings.wordWrap }) },
    { id: "view.minimap", title: "Minimap", category: "View", checked: () => session.settings.minimap, run: () => session.changeSettings({ minimap: !session.settings.minimap }) },
    { id: "view.whitespace", title: "Show white space", category: "View", checked: () => session.settings.showWhitespace, run: () => session.changeSettings({ showWhitespace: !session.settings.showWhitespace }) },
    { id: "view.timeline", title: "Timeline strip", category: "View", checked: () => session.settings.timelineVisible, run: () => session.changeSettings({ timelineVisible: !session.settings.timelineVisible }) },
    { id: "view.zoomIn", title: "Zoom in", category: "View", keys: ["Ctrl+=", "Ctrl+Shift+="], run: () => zoomBy(1) },
    { id: "view.zoomOut", title: "Zoom out", category: "View", keys: ["Ctrl+-", "Ctrl+Shift+-"], run: () => zoomBy(-1) },
    { id: "view.zoomReset", title: "Reset zoom", category: "View", keys: ["Ctrl+0"], run: () => zoomTo(100) },
    { id: "view.fullScreen", title: "Full screen", category: "View", keys: ["F11"], run: () => client.app({ cmd: "toggleFullScreen" }) },
    { id: "view.zen", title: "Only the text", category: "View", keys: ["Ctrl+K Z"], when: isOpen, checked: () => layout.isZen, run: () => (layout.isZen = !layout.isZen) },
    {
      id: "view.tabMovesFocus",
      title: "Tab moves the focus",
      category: "View",
      keys: ["Ctrl+M"],
      checked: () => layout.isTabMovingFocus,
      run: () => {
        layout.isTabMovingFocus = !layout.isTabMovingFocus;
        layout.say(layout.isTabMovingFocus ? "Tab moves the focus" : "Tab indents");
      },
    },
    { id: "view.nextRegion", title: "Next part of the window", category: "View", keys: ["F6"], run: () => focusRegion(1, () => editors.focus()) },
    { id: "view.previousRegion", title: "Previous part of the window", category: "View", keys: ["Shift+F6"], run: () => focusRegion(-1, () => editors.focus()) },
  ];
}

/** Walks the parts of the window marked `data-region`, in the order of the page. */
function focusRegion(step: 1 | -1, focusEditor: () => void): void {
  const regions = [...document.querySelectorAll<HTMLElement>("[data-region]")];
  if (regions.length === 0) return;
  const at = regions.findIndex((region) => region.contains(document.activeElement));
  const next = regions[(at + step + regions.length) % regions.length];
  if (next === undefined) return;
  if (next.dataset["testid"]?.startsWith("group-") === true && next.querySelector(".monaco-editor") !== null) {
    next.dispatchEvent(new PointerEvent("pointerdown", { bubbles: false }));
    focusEditor();
    return;
  }
  const main = next.querySelector<HTMLElement>("[role='tree'], [role='slider']");
  const inner = main ?? next.querySelector<HTMLElement>("[tabindex='0'], button:not(:disabled), input");
  // The web view does not count a function key as keyboard use.
  (inner ?? next).focus({ focusVisible: true } as FocusOptions);
}
