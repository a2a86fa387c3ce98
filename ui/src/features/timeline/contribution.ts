/** Puts the timeline into the window: the strip, the past over the editor, the commands. */
import { viewersLook } from "../../base/messages";
import { painted } from "../../base/painted";
import { TimelineState } from "../../state/timeline.svelte";
import { BurstList } from "../../state/timelineBursts.svelte";
import { fill } from "../../workbench/slots.svelte";
import type { Workbench } from "../../workbench/workbench";
import { TimelineActions } from "./actions.svelte";
import { bindToWorkbench } from "./binding.svelte";
import { authorCommands, timelineCommands } from "./commands";
import type { PastPane } from "./pastPane";
import AuthorCard from "./AuthorCard.svelte";
import { Authors } from "./authors.svelte";
import RestoreDialog from "./RestoreDialog.svelte";

export function contribute(workbench: Workbench): void {
  const { client, editors, notices, session, people } = workbench;
  const timeline = new TimelineState({
    ask: (request) => client.ask(request),
    now: () => Date.now(),
    after: (ms, run) => {
      const timer = setTimeout(run, ms);
      return () => clearTimeout(timer);
    },
    painted,
  });
  const bursts = new BurstList((request) => client.ask(request));
  const past: { pane: PastPane | null } = { pane: null };
  const actions = new TimelineActions(timeline, {
    toast: (text, options) => void notices.toast(text, options),
    copy: (text) => workbench.copyText(text),
    openAsNew: (path, text) => openAsNew(workbench, path, text),
    pastSelection: () => past.pane?.selection() ?? null,
    open: (path) => void editors.open(path),
    focusEditor: () => editors.focusSoon(),
    focusShown: () => (past.pane === null ? editors.focusSoon() : past.pane.focus()),
    whyLookOnly: () => (session.isViewer ? viewersLook(people.ownerNames) : null),
    workspaceName: () => session.workspace?.name ?? "the workspace",
    now: () => Date.now(),
  });
  const authors = new Authors(client, () => editors.activePath, (index) => void showChange(timeline, index));
  workbench.commands.registerAll([
    ...timelineCommands(timeline, actions, workbench),
    ...authorCommands(authors, () => editors.activePath !== null && !timeline.isPast),
  ]);
  workbench.slots.addOverlay(fill(RestoreDialog, () => ({ actions })));
  workbench.slots.addOverlay(fill(AuthorCard, () => ({ authors })));
  bindToWorkbench({ workbench, timeline, actions, bursts, authors, past });
}

/** To one change of the active file, in the timeline of that file. */
async function showChange(timeline: TimelineState, index: number): Promise<void> {
  await timeline.setScope("file");
  timeline.seek(index);
  timeline.reveal(index);
}

/** A new file with this text beside the old one; a name that is taken gets a number. */
async function openAsNew(workbench: Workbench, path: string, text: string): Promise<string> {
  const { client, editors } = workbench;
  const dot = path.lastIndexOf(".");
  const cut = dot > path.lastIndexOf("/") + 1 ? dot : path.length;
  for (let n = 1; ; n += 1) {
    const candidate = n === 1 ? path : `${path.slice(0, cut)} ${n}${path.slice(cut)}`;
    try {
      await client.ask({ cmd: "createFile", args: { path: candidate, text } });
    } catch (cause) {
      if (n < 20 && isTaken(cause)) continue;
      throw cause;
    }
    editors.open(candidate);
    return candidate;
  }
}

function isTaken(cause: unknown): boolean {
  return typeof cause === "object" && cause !== null && "code" in cause && cause.code === "exists";
}
