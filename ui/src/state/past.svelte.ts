/**
 * The moment this window is looking at, for everything that shows the workspace (explorer, tabs,
 * status bar). Only the timeline sets it. While it is not null the window shows the past:
 *  - the explorer lists folders with `at: { kind: "workspaceStep", value: past.moment.workspaceIndex }`;
 *  - opening a file stays in the past (the timeline follows the active file by itself);
 *  - nothing may be edited from here; live edits go on underneath.
 */
import type { Moment, Scope } from "../api/generated";

export interface PastMoment {
  scope: Scope;
  /** In the timeline of `scope`. */
  index: number;
  /** The same moment in the timeline of the whole workspace. */
  workspaceIndex: number;
  atMs: number;
}

class Past {
  moment = $state.raw<PastMoment | null>(null);

  /** What to put into a request's `at`. */
  get at(): Moment | null {
    return this.moment === null ? null : { kind: "workspaceStep", value: this.moment.workspaceIndex };
  }
}

export const past = new Past();
