/**
 * What a feature may use. `features/<name>/contribution.ts` exports `contribute(workbench: Workbench): void`, called
 * once at start, before anything is shown.
 *
 * For the timeline:
 *  - `slots.strip = fill(Timeline, () => ({ ... }))` puts the strip at the bottom.
 *  - `slots.overEditor = { ...fill(PastView, () => ({ ... })), isOn, focus }` lays it over the live text of the active
 *    pane (a `position: relative` box below tabs and breadcrumbs); `slots.overEditor = null` takes it away. The live
 *    editor stays mounted underneath, with caret and scroll untouched; while `isOn`, no key reaches it.
 *  - `editors.active` is the active file as state (path, editor); `editors.monaco` the loaded Monaco.
 *  - `session.workspace` is null on the welcome page; `session.onOpened` fires after each opened workspace.
 */
import type { Client } from "../api/client";
import type { CommandRegistry } from "../commands/registry.svelte";
import type { FilesState } from "../state/files.svelte";
import type { Notices } from "../state/notices.svelte";
import type { People } from "../state/people.svelte";
import type { Session } from "../state/session.svelte";
import type { EditorArea } from "./editorArea.svelte";
import type { Layout } from "./layout.svelte";
import type { Slots } from "./slots.svelte";

export interface Workbench {
  readonly client: Client;
  readonly commands: CommandRegistry;
  /** Which workspace, its save state, the settings. */
  readonly session: Session;
  readonly notices: Notices;
  /** Who takes part, where they are, who is nearby. */
  readonly people: People;
  readonly files: FilesState;
  readonly editors: EditorArea;
  readonly layout: Layout;
  readonly slots: Slots;
  /** Puts text on the system's clipboard. Resolves only when it is really there. */
  copyText(text: string): Promise<void>;
}
