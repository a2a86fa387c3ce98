/** Every action of the timeline as a command. */
import type { Command } from "../../commands/registry.svelte";
import type { Direction, StepUnit } from "../../api/generated";
import { FIRST_OF_FILE, type TimelineState } from "../../state/timeline.svelte";
import { isEscFree } from "../../workbench/esc";
import type { Workbench } from "../../workbench/workbench";
import type { Authors } from "./authors.svelte";
import type { TimelineActions } from "./actions.svelte";

const CATEGORY = "Timeline";

export function authorCommands(authors: Authors, hasLiveText: () => boolean): Command[] {
  return [
    {
      id: "timeline.authors",
      title: "Authors: who changed each line",
      category: CATEGORY,
      checked: () => authors.isOn,
      run: () => authors.toggle(),
    },
    {
      id: "timeline.whoChanged",
      title: "Who changed this line",
      category: CATEGORY,
      when: hasLiveText,
      run: () => authors.say(),
    },
  ];
}

function focusStrip(): void {
  document.querySelector<HTMLElement>("[data-testid='tl-track']")?.focus();
}

export function timelineCommands(timeline: TimelineState, actions: TimelineActions, workbench: Workbench): Command[] {
  const isOpen = (): boolean => workbench.session.workspace !== null;
  const isPast = (): boolean => timeline.isPast;
  const canRestore = (): boolean => actions.whyNoRestore === null;
  const canRestoreFile = (): boolean => actions.whyNoFileRestore === null;
  const hasText = (): boolean => timeline.shown?.text != null;
  const step = (unit: StepUnit, direction: Direction) => () => timeline.step(unit, direction);

  const all: Omit<Command, "category">[] = [
    {
      id: "timeline.toggle",
      title: "Timeline: small or tall",
      keys: ["Ctrl+Alt+H"],
      when: isOpen,
      checked: () => timeline.expanded,
      run: () => {
        timeline.expanded = !timeline.expanded;
        if (timeline.expanded) focusStrip();
      },
    },
    { id: "timeline.focus", title: "Focus the timeline", when: isOpen, run: focusStrip },
    { id: "timeline.back", title: "Step back in time", keys: ["Ctrl+Alt+Left", "Ctrl+K ,"], when: isOpen, run: step("burst", "back") },
    {
      id: "timeline.forward",
      title: "Step forward in time",
      keys: ["Ctrl+Alt+Right", "Ctrl+K ."],
      when: isPast,
      run: step("burst", "forward"),
    },
    { id: "timeline.changeBack", title: "One change back", when: isOpen, run: step("change", "back") },
    { id: "timeline.changeForward", title: "One change forward", when: isPast, run: step("change", "forward") },
    { id: "timeline.previousNamed", title: "Previous named moment", when: isOpen, run: step("named", "back") },
    { id: "timeline.nextNamed", title: "Next named moment", when: isPast, run: step("named", "forward") },
    { id: "timeline.now", title: "Back to now", keys: ["Esc"], when: isPast, keysWhen: isEscFree, run: () => actions.backToNow() },
    { id: "timeline.play", title: "Play or pause", when: isOpen, run: () => timeline.togglePlaying() },
    { id: "timeline.name", title: "Name this moment…", keys: ["Ctrl+K B"], when: isOpen, run: () => actions.startNaming() },
    { id: "timeline.diff", title: "Compare the past with: nothing, now, the change before", when: isPast, run: () => timeline.cycleDiff() },
    { id: "timeline.scope", title: "Whose timeline: this file, this folder, the workspace", when: isOpen, run: () => timeline.cycleScope() },
    {
      id: "timeline.axis",
      title: "Axis: activity or clock",
      when: isOpen,
      run: () => workbench.session.changeSettings({ axis: timeline.axis === "activity" ? "clock" : "activity" }),
    },
    { id: "timeline.showMoment", title: "Go to a moment", isHidden: true, when: isOpen, run: (target) => showMoment(timeline, workbench, target) },
    { id: "timeline.zoomAll", title: "Show the whole timeline", when: isOpen, run: () => timeline.zoomTo("all") },
    {
      id: "timeline.list",
      title: "Moments as a list",
      when: isOpen,
      checked: () => timeline.expanded && timeline.showsList,
      run: () => toggleList(timeline),
    },
    { id: "timeline.find", title: "Find in history…", when: isOpen, run: () => findInHistory(timeline) },
    { id: "timeline.search", title: "Search in the past, in all files…", when: isOpen, run: (text) => searchInThePast(timeline, typeof text === "string" ? text : "") },
    { id: "timeline.restoreFile", title: "Restore this file to the moment shown", when: canRestoreFile, run: () => actions.restoreFile() },
    {
      id: "timeline.restoreSelection",
      title: "Restore the selection from the moment shown",
      when: () => actions.whyNoSelectionRestore === null,
      run: () => actions.restoreSelection(),
    },
    {
      id: "timeline.restoreFolder",
      title: "Restore this folder to the moment shown…",
      when: canRestore,
      run: (path) => actions.askToRestoreFolder(typeof path === "string" ? path : undefined),
    },
    {
      id: "timeline.restoreWorkspace",
      title: "Restore the workspace to the moment shown…",
      when: canRestore,
      run: () => actions.askToRestoreWorkspace(),
    },
    { id: "timeline.copy", title: "Copy the text of the moment shown", when: hasText, run: () => actions.copy() },
    { id: "timeline.openAsNew", title: "Open the moment shown as a new file", when: hasText, run: () => actions.openAsNew() },
    {
      id: "timeline.compareWithPast",
      title: "Compare with the past…",
      when: isOpen,
      run: (path) => compareWithPast(timeline, workbench, path),
    },
    {
      id: "timeline.ofFile",
      title: "History of this file",
      when: isOpen,
      run: (path) => showHistory(timeline, workbench, "file", path),
    },
    {
      id: "timeline.ofFolder",
      title: "History of this folder",
      when: isOpen,
      run: (path) => showHistory(timeline, workbench, "folder", path),
    },
  ];
  return all.map((command) => ({ ...command, category: CATEGORY }));
}

/** A moment that something else in the window points at: by its place in the workspace's timeline, or by its change. */
async function showMoment(timeline: TimelineState, { editors }: Workbench, target: unknown): Promise<void> {
  const { path, workspaceIndex, deltaId } = (target ?? {}) as { path?: string; workspaceIndex?: number; deltaId?: string };
  if (path !== undefined) {
    editors.open(path, { isPreview: true, keepsFocus: true });
    await timeline.setPath(path);
    await timeline.setScope("file");
  }
  if (workspaceIndex !== undefined) await timeline.goToMoment({ kind: "workspaceStep", value: workspaceIndex });
  else if (deltaId !== undefined) await timeline.goToMoment({ kind: "delta", value: deltaId });
}

/** Texts that were deleted with their files, too. */
async function searchInThePast(timeline: TimelineState, text: string): Promise<void> {
  await timeline.setScope("workspace");
  findInHistory(timeline, text);
}

function toggleList(timeline: TimelineState): void {
  timeline.showsList = !(timeline.expanded && timeline.showsList);
  if (!timeline.showsList) return;
  timeline.expanded = true;
  // The list is drawn with the tall form.
  setTimeout(() => document.querySelector<HTMLElement>("[data-testid='tl-list']")?.focus());
}

function findInHistory(timeline: TimelineState, text = ""): void {
  timeline.expanded = true;
  // The field is drawn with the tall form.
  setTimeout(() => {
    const field = document.querySelector<HTMLInputElement>("[data-testid='tl-find']");
    field?.focus();
    if (field == null || text === "") return;
    field.value = text;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  });
}

async function showHistory(
  timeline: TimelineState,
  workbench: Workbench,
  kind: "file" | "folder",
  path: unknown,
): Promise<void> {
  timeline.expanded = true;
  if (kind === "file") {
    if (typeof path === "string") workbench.editors.open(path);
    await timeline.setPath(workbench.editors.activePath);
    await timeline.setScope("file");
  } else {
    await timeline.showFolder(typeof path === "string" ? path : null);
  }
  focusStrip();
}

/** The change before the newest beside the present; the handle leads further back. */
async function compareWithPast(timeline: TimelineState, workbench: Workbench, path: unknown): Promise<void> {
  await showHistory(timeline, workbench, "file", path);
  if (timeline.nMoments === 0) {
    workbench.layout.say(FIRST_OF_FILE, 4_000);
    return;
  }
  timeline.diff = "now";
  if (!timeline.isPast) await timeline.step("burst", "back");
  focusStrip();
}
