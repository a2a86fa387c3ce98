/** What the timeline follows in the window (active file, workspace, settings, events) and where it is shown. */
import { untrack } from "svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import type { TimelineState } from "../../state/timeline.svelte";
import type { TimelineActions } from "./actions.svelte";
import type { PastPane } from "./pastPane";
import PastLayer from "./PastLayer.svelte";
import Timeline from "./Timeline.svelte";

export interface Parts {
  workbench: Workbench;
  timeline: TimelineState;
  actions: TimelineActions;
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
  });
}

function listen({ workbench, timeline }: Parts): void {
  const { client, session } = workbench;
  client.onEvent((event) => {
    if (event.event === "historyGrew") timeline.historyGrew(event.data.paths);
    else if (event.event === "momentNamed" && session.workspace !== null) void timeline.refresh();
  });
  session.onOpened(() => {
    void timeline.start();
    void restoreHeight({ workbench, timeline });
  });
  session.onClosing(() => timeline.stop());
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

async function restoreHeight({ workbench, timeline }: Pick<Parts, "workbench" | "timeline">): Promise<void> {
  try {
    const { value } = await workbench.client.get("state", { cmd: "getState", args: { key: HEIGHT_KEY } });
    if (value !== null) timeline.expanded = value === "yes";
  } catch {
    // It opens small.
  }
}

let wasTall = false;

function keepHeight({ workbench, timeline }: Parts): void {
  const isTall = timeline.expanded;
  if (isTall === wasTall || untrack(() => workbench.session.workspace) === null) return;
  wasTall = isTall;
  workbench.client.ask({ cmd: "putState", args: { key: HEIGHT_KEY, value: isTall ? "yes" : "no" } }).catch(() => {
    // It opens small the next time.
  });
}

function followActiveFile({ workbench, timeline }: Parts): void {
  const path = workbench.editors.activePath;
  if (workbench.session.workspace !== null) untrack(() => void timeline.setPath(path));
}

function followSettings({ workbench, timeline }: Parts): void {
  const { axis } = workbench.session.settings;
  untrack(() => timeline.setAxis(axis === "clock" ? "clock" : "activity"));
}

function fillSlots({ workbench, timeline, actions, past }: Parts): void {
  const { editors, session, slots, client } = workbench;
  const onhintseen = (): void => {
    if (!session.settings.timelineHintSeen) void session.changeSettings({ timelineHintSeen: true });
  };
  const onaxis = (axis: "activity" | "clock"): void => void session.changeSettings({ axis });
  slots.strip = fill(Timeline, () => ({
    timeline,
    actions,
    hintSeen: session.settings.timelineHintSeen,
    onhintseen,
    onaxis,
  }));
  const monaco = (): typeof editors.monaco => editors.monaco;
  const live = (): typeof editors.activeEditor => editors.activeEditor;
  const onpane = (pane: PastPane | null): void => {
    past.pane = pane;
    // Keys belong to what is seen; the strip keeps them while it is being dragged.
    if (pane !== null && editors.hasTextFocus) pane.focus();
  };
  slots.overEditor = fill(PastLayer, () => ({ timeline, actions, monaco, live, onpane, client }));
}
