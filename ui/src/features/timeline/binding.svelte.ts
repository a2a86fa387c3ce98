/** What the timeline follows in the window (active file, workspace, settings, events) and where it is shown. */
import { untrack } from "svelte";
import type { Together } from "../../api/generated";
import type { BurstList } from "../../state/timelineBursts.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { ROOM_PX_MAX, ROOM_PX_MIN, type TimelineState } from "../../state/timeline.svelte";
import type { Authors } from "./authors.svelte";
import type { TimelineActions } from "./actions.svelte";
import { keepKeyboard } from "./keyboard";
import type { PastPane } from "./pastPane";
import PastLayer from "./PastLayer.svelte";
import Timeline from "./Timeline.svelte";

export interface Parts {
  workbench: Workbench;
  timeline: TimelineState;
  actions: TimelineActions;
  bursts: BurstList;
  authors: Authors;
  past: { pane: PastPane | null };
}

export function bindToWorkbench(parts: Parts): void {
  listen(parts);
  fillSlots(parts);
  // The timeline lives as long as the window.
  $effect.root(() => {
    $effect(() => followActiveFile(parts));
    $effect(() => followSettings(parts));
    $effect(() => keepHeight(parts));
    $effect(() => followEditor(parts));
  });
}

function listen({ workbench, timeline, actions, bursts }: Parts): void {
  const { client, session } = workbench;
  client.onEvent((event) => {
    if (event.event === "historyGrew") timeline.historyGrew(event.data.paths);
    else if (event.event === "momentNamed" && session.workspace !== null) void timeline.refresh();
  });
  // Authors are drawn in their colours and called by their names.
  const looks = ({ members }: Together): string => JSON.stringify(members.map(({ device, color, person }) => [device, color, person]));
  workbench.people.onChanged(({ before, now }) => {
    if (session.workspace !== null && looks(before) !== looks(now)) void timeline.refresh();
  });
  session.onOpened(() => {
    void timeline.start();
    void restoreHeight({ workbench, timeline });
  });
  session.onClosing(() => {
    timeline.stop();
    actions.question = null;
    bursts.clear();
  });
  document.addEventListener("focusin", (event) => {
    const { target } = event;
    if (!(target instanceof HTMLElement)) return;
    // A name being typed into the tree is still work on files.
    if (target.closest("[data-testid='tree']") !== null) void timeline.followFocus("tree");
    else if (target.closest("[data-testid^='editor-']") !== null) void timeline.followFocus("text");
  });
}

/** Tall or small is kept with the workspace, like the other sizes of the window. */
const HEIGHT_KEY = "timeline";
const KEEP_MS = 300;
let lastShape = "";

interface Shape {
  tall: boolean;
  list: boolean;
  room_px: number;
}

async function restoreHeight({ workbench, timeline }: Pick<Parts, "workbench" | "timeline">): Promise<void> {
  try {
    const { value } = await workbench.client.get("state", { cmd: "getState", args: { key: HEIGHT_KEY } });
    const saved: unknown = value === null ? null : JSON.parse(value);
    if (!isShape(saved)) return;
    timeline.expanded = saved.tall;
    timeline.showsList = saved.list;
    timeline.room_px = Math.min(ROOM_PX_MAX, Math.max(ROOM_PX_MIN, saved.room_px));
  } catch {
    // It opens small.
  }
}

function shapeOf(timeline: TimelineState): Shape {
  return { tall: timeline.expanded, list: timeline.showsList, room_px: timeline.room_px };
}

function isShape(value: unknown): value is Shape {
  if (typeof value !== "object" || value === null) return false;
  const { tall, list, room_px } = value as Record<string, unknown>;
  return typeof tall === "boolean" && typeof list === "boolean" && typeof room_px === "number";
}

/** Keeps the shape when it changes, a little later: a hand that pulls changes it with every frame. */
function keepHeight({ workbench, timeline }: Parts): () => void {
  const value = JSON.stringify(shapeOf(timeline));
  const timer = setTimeout(() => {
    if (value === lastShape || workbench.session.workspace === null) return;
    lastShape = value;
    workbench.client.ask({ cmd: "putState", args: { key: HEIGHT_KEY, value } }).catch(() => {
      // It opens small the next time.
    });
  }, KEEP_MS);
  return () => clearTimeout(timer);
}

function followActiveFile({ workbench, timeline }: Parts): void {
  const path = workbench.editors.activePath;
  if (workbench.session.workspace !== null) untrack(() => void timeline.setPath(path));
}

function followEditor({ workbench, authors }: Parts): (() => void) | undefined {
  const { monaco, activeEditor } = workbench.editors;
  return monaco === null || activeEditor === null ? undefined : untrack(() => authors.follow(monaco, activeEditor));
}

function followSettings({ workbench, timeline }: Parts): void {
  const { axis } = workbench.session.settings;
  untrack(() => timeline.setAxis(axis === "clock" ? "clock" : "activity"));
}

function fillSlots({ workbench, timeline, actions, bursts, past }: Parts): void {
  const { editors, session, slots, client, people } = workbench;
  const onhintseen = (): void => {
    if (!session.settings.timelineHintSeen) void session.changeSettings({ timelineHintSeen: true });
  };
  const onaxis = (axis: "activity" | "clock"): void => void session.changeSettings({ axis });
  slots.strip = fill(Timeline, () => ({
    timeline,
    actions,
    bursts,
    whenEmpty: editors.activeFile?.readOnly != null || session.isViewer ? "No moments here yet." : "Start typing. Every moment will be here.",
    hintSeen: session.settings.timelineHintSeen,
    onhintseen,
    onaxis,
  }));
  const monaco = (): typeof editors.monaco => editors.monaco;
  const live = (): typeof editors.activeEditor => editors.activeEditor;
  const onpane = (pane: PastPane | null): void => {
    past.pane = pane;
    keepKeyboard(pane, editors);
  };
  slots.overEditor = {
    ...fill(PastLayer, () => ({ timeline, actions, monaco, live, onpane, client, people })),
    isOn: () => timeline.isPast,
    focus: () => past.pane?.focus(),
  };
}
