/**
 * What the timeline's buttons and commands do: acts that change something, and what is said about them.
 * Knows the workbench only by `Surroundings`.
 */
import type { HistoryHit, Moment, MomentInfo, NamedMoment, RestorePlan, RestoreTarget } from "../../api/generated";
import { sentenceOf } from "../../api/client";
import { COPY_FAILED, MESSAGES, wordingOf } from "../../base/messages";
import { parentOf } from "../../base/paths";
import type { ScopeKind, TimelineState } from "../../state/timeline.svelte";
import type { StripAction } from "./keys";
import * as words from "./words";

export interface ToastButton {
  label: string;
  run(): void;
}

export interface Surroundings {
  toast(text: string, options?: { buttons?: ToastButton[]; stays?: boolean; isUrgent?: boolean; code?: string; detail?: string }): void;
  /** Resolves only when the text really is in the clipboard. */
  copy(text: string): Promise<void>;
  /** Makes a file with this text and shows it. Resolves with its path. */
  openAsNew(path: string, text: string): Promise<string>;
  /** What is marked in the text of the past, in its units. Null when there is nothing marked. */
  pastSelection(): { start: number; end: number } | null;
  /** Shows a file in the active pane. */
  open(path: string): void;
  /** Puts the caret back where it was typing before the past was entered. */
  focusEditor(): void;
  /** Puts the caret into the text that is shown, past or present. */
  focusShown(): void;
  workspaceName(): string;
  /** Why the person may look only; null when they may do more. */
  whyLookOnly?(): string | null;
  now(): number;
}

export interface RestoreQuestion {
  kind: "folder" | "workspace";
  target: RestoreTarget;
  /** The moment that the title names. */
  at: Moment;
  /** What it is called in "Took the restore of … back." */
  name: string;
  title: string;
  since: string;
  /** "15:10", for the name of the moment that keeps the present. */
  asked: string;
  plan: RestorePlan;
}

const ZOOM_STEP = 0.6;

export class TimelineActions {
  /** The dialog before a folder or the workspace is restored. */
  question = $state.raw<RestoreQuestion | null>(null);
  isAsking = $state(false);
  /** The editor area has its selection in the past. */
  hasSelection = $state(false);

  constructor(
    readonly timeline: TimelineState,
    private readonly around: Surroundings,
  ) {}

  /** A key of the strip. */
  perform(action: StripAction): void {
    const { timeline } = this;
    switch (action.act) {
      case "step":
        void timeline.step(action.unit, action.direction);
        break;
      case "play":
        timeline.togglePlaying();
        break;
      case "zoomIn":
        timeline.zoomBy(ZOOM_STEP);
        break;
      case "zoomOut":
        timeline.zoomBy(1 / ZOOM_STEP);
        break;
      case "diff":
        timeline.cycleDiff();
        break;
      case "scope":
        void timeline.cycleScope();
        break;
      case "name":
        this.startNaming();
        break;
      case "restoreFile":
        void this.restoreFile();
        break;
      case "backToNow":
        this.backToNow();
        break;
    }
  }

  backToNow(): void {
    if (!this.timeline.isPast) return;
    this.timeline.backToNow();
    this.around.focusEditor();
  }

  startNaming(): void {
    this.timeline.expanded = true;
    this.timeline.renaming = null;
    this.timeline.naming = true;
  }

  startRenaming(moment: NamedMoment): void {
    this.timeline.renaming = moment;
    this.timeline.naming = true;
  }

  /** From the strip or the list to the text that is shown. */
  focusText(): void {
    this.around.focusShown();
  }

  async name(name: string, note: string | null): Promise<void> {
    const trimmed = name.trim();
    if (trimmed === "") {
      this.timeline.naming = false;
      return;
    }
    const { renaming } = this.timeline;
    await this.#say(async () => {
      await this.timeline.name(trimmed, note);
      this.around.toast(renaming === null ? `Named this moment “${trimmed}”.` : `Renamed this moment to “${trimmed}”.`);
    });
  }

  /** Why a restore is not possible now; null when it is. */
  get whyNoRestore(): string | null {
    const whyLookOnly = this.around.whyLookOnly?.() ?? null;
    if (whyLookOnly !== null) return whyLookOnly;
    if (!this.timeline.isPast) return "Drag back to a moment first.";
    return this.timeline.shown === null ? "Opening history…" : null;
  }

  get whyNoFileRestore(): string | null {
    if (this.timeline.path === null) return "Open a file first.";
    return this.whyNoRestore;
  }

  get whyNoSelectionRestore(): string | null {
    if (this.whyNoFileRestore !== null) return this.whyNoFileRestore;
    return this.hasSelection ? null : "Select something in the text of that moment first.";
  }

  async restoreFile(): Promise<void> {
    const { path } = this.timeline;
    if (path === null || this.whyNoFileRestore !== null) return;
    await this.#restore({ kind: "file", value: { path } }, words.fileName(path));
  }

  async restoreSelection(): Promise<void> {
    const { path } = this.timeline;
    const selection = this.around.pastSelection();
    if (path === null || selection === null || this.whyNoFileRestore !== null) return;
    await this.#restore({ kind: "pastSelection", value: { path, ...selection } }, words.fileName(path));
  }

  /** Asks first: it touches more than what is on the screen. */
  async askToRestoreWorkspace(): Promise<void> {
    await this.#ask("workspace", { kind: "workspace" }, this.around.workspaceName());
  }

  async askToRestoreFolder(folder?: string): Promise<void> {
    const { scope } = this.timeline;
    const path = folder ?? (scope.kind === "folder" ? scope.path : parentOf(this.timeline.path ?? ""));
    if (path === "") await this.askToRestoreWorkspace();
    else await this.#ask("folder", { kind: "folder", value: { path } }, `${path}/`);
  }

  async #ask(kind: RestoreQuestion["kind"], target: RestoreTarget, name: string): Promise<void> {
    if (this.whyNoRestore !== null || this.isAsking) return;
    this.isAsking = true;
    // It is about the moment shown: the film must not go on to others meanwhile.
    this.timeline.stopPlaying();
    const { at } = this.timeline;
    await this.#say(async () => {
      const plan = await this.timeline.preview(target);
      const when = words.moment(plan.atMs, this.around.now());
      const asked = words.clock(this.around.now()).slice(0, 5);
      const title = `Restore “${name}” to ${when}?`;
      this.question = { kind, target, at, name: kind === "workspace" ? "the workspace" : name, title, since: words.clock(plan.atMs), asked, plan };
    });
    this.isAsking = false;
  }

  async answer(isYes: boolean): Promise<void> {
    const { question } = this;
    this.question = null;
    if (question !== null && isYes) await this.#restore(question.target, question.name, question.at);
  }

  async #restore(target: RestoreTarget, name: string, at = this.timeline.at): Promise<void> {
    const { timeline } = this;
    timeline.stopPlaying();
    const shown = timeline.shown;
    const n_before = timeline.nMoments;
    const scopeKind = timeline.scopeKind;
    await this.#say(async () => {
      const restored = await timeline.restore(target, at);
      this.around.focusEditor();
      const { groupId } = restored;
      const when = shown === null ? "" : ` to ${words.moment(shown.moment.atMs, this.around.now())}`;
      const sentence = restored.sentence || `Restored ${name}${when}.`;
      if (groupId === null) {
        this.around.toast(sentence);
        return;
      }
      const buttons = [
        { label: "Undo", run: () => void this.undo(groupId, name) },
        { label: "Show what changed", run: () => void this.#showChanged(n_before, scopeKind) },
      ];
      this.around.toast(sentence, { buttons });
      await timeline.refresh();
    });
  }

  async undo(groupId: string, name: string): Promise<void> {
    await this.#say(async () => {
      const undone = await this.timeline.undo(groupId);
      const isDone = undone.kind === "applied";
      this.around.toast(undone.message ?? (isDone ? `Took the restore of ${name} back.` : "There is nothing to take back."));
    });
  }

  /** The text as it was before the restore, beside what it is now. */
  async #showChanged(n_before: number, scopeKind: ScopeKind): Promise<void> {
    const { timeline } = this;
    await timeline.setScope(scopeKind);
    await timeline.refresh();
    timeline.diff = "now";
    timeline.seek(n_before);
  }

  /** Shows the file and the moment in which a text appeared or vanished. */
  async goToHit(hit: HistoryHit): Promise<void> {
    const { timeline } = this;
    if (timeline.scope.kind !== "file" && hit.path !== timeline.path) {
      this.around.open(hit.path);
      await timeline.setPath(hit.path);
    }
    await timeline.goToHit(hit);
  }

  async copy(): Promise<void> {
    const text = this.timeline.shown?.text;
    if (text == null) return;
    const selection = this.around.pastSelection();
    const part = selection === null ? text : text.slice(selection.start, selection.end);
    try {
      await this.around.copy(part);
      this.around.toast(selection === null ? "Copied the whole text of that moment." : "Copied the selection.");
    } catch (cause) {
      this.around.toast(COPY_FAILED, { stays: true, detail: sentenceOf(cause) });
    }
  }

  async openAsNew(): Promise<void> {
    const { shown, path } = this.timeline;
    if (shown?.text == null || path === null) return;
    const { text, moment } = shown;
    await this.#say(async () => {
      const made = await this.around.openAsNew(nameOfCopy(shown.path ?? path, moment), text);
      this.around.toast(`Opened that moment as ${words.fileName(made)}.`);
    });
  }

  async #say(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (cause) {
      if (codeOf(cause) === "mismatch") this.#sayMismatch(cause);
      else this.around.toast(sentenceOf(cause), { stays: true });
    }
  }

  /** MSG-TL-3 */
  #sayMismatch(cause: unknown): void {
    const { head, body } = wordingOf("MSG-TL-3");
    const [copy] = MESSAGES["MSG-TL-3"].buttons;
    const text = this.timeline.shown?.text ?? null;
    const buttons = text === null ? [] : [{ label: copy, run: () => void this.copy() }];
    this.around.toast(`${head} ${body}`, { buttons, stays: true, isUrgent: true, code: "MSG-TL-3", detail: sentenceOf(cause) });
  }
}

function codeOf(cause: unknown): unknown {
  return typeof cause === "object" && cause !== null && "code" in cause ? cause.code : null;
}

/** "src/lexer.rs" at 14:32:07 becomes "src/lexer 14-32-07.rs". */
export function nameOfCopy(path: string, moment: MomentInfo): string {
  const name = words.fileName(path);
  const dot = name.lastIndexOf(".");
  const [stem, ending] = dot > 0 ? [name.slice(0, dot), name.slice(dot)] : [name, ""];
  return `${path.slice(0, path.length - name.length)}${stem} ${words.clock(moment.atMs).replaceAll(":", "-")}${ending}`;
}
