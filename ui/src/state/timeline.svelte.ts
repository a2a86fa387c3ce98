/**
 * The timeline as this window sees it: whose, which part, which moment, and the text of that moment.
 * Personal: nothing here is sent to anyone. Must never know a component, Monaco or the clock of the machine
 * (time and timers come in by the port).
 *
 * The hand is always ahead: `index` moves at once, `shown` is the newest text that has arrived. One request
 * for a text is under way at a time; when it is back, the next goes to where the hand is by then.
 */
import { sentenceOf } from "../api/client";
import { MESSAGES } from "../base/messages";
import type {
  Axis,
  Bucket,
  Direction,
  HistoryHit,
  Moment,
  MomentInfo,
  NamedMoment,
  Reply,
  Request,
  Restored,
  RestorePlan,
  RestoreTarget,
  Scope,
  Splice,
  StepUnit,
  TimelineInfo,
  Undone,
} from "../api/generated";
import { isWithin, parentOf } from "../base/paths";
import { past } from "./past.svelte";

export interface TimelinePort {
  /** Rejects with something that has a `message` to show. */
  ask(request: Request): Promise<Reply>;
  /** Unix milliseconds. */
  now(): number;
  /** Calls once after so many ms; returns what takes it back. */
  after(ms: number, run: () => void): () => void;
  /** Resolves when what was set is on the screen. */
  painted(): Promise<void>;
}

export type ScopeKind = "file" | "folder" | "workspace";
export type DiffMode = "off" | "now" | "previous";
export type ZoomPreset = "10min" | "1h" | "day" | "all";

export interface Shown {
  /** Moment index in the timeline of the scope at hand. */
  index: number;
  /** Null where there is no text: no file open, binary, not there at that moment. */
  text: string | null;
  exists: boolean;
  /** Path the file had then. */
  path: string | null;
  moment: MomentInfo;
}

/** How `shown.text` came from the text shown before: by splices, or as a whole. */
export type TextUpdate = { splices: Splice[] } | { text: string };

export interface Stretch {
  from: number;
  to: number;
}

/** What happened between two moments. */
export interface RangeSummary extends Stretch {
  from_ms: number;
  to_ms: number;
  /** Names, the busiest first. */
  authors: string[];
  lines_added: number;
  lines_removed: number;
  paths: string[];
}

type ReplyOf<K extends Reply["reply"]> = Extract<Reply, { reply: K }> extends { value: infer V } ? V : null;

/** The handle says "14:31…" when a text takes longer than this. */
const LATE_MS = 50;
/** While others type, the strip is asked for anew at most this often. */
const REFRESH_MS = 400;
/** What comes in one batch is asked for once. */
const REFRESH_MIN_MS = 30;
const STEPS_WAITING_MAX = 2;
const ZOOM_SPAN_MIN = 10;
const PLAY_TICK_MS = 33;
/** With "skip idle", a pause longer than this is jumped over. */
const IDLE_MS = 1_000;
const FIND_HITS_MAX = 200;
const BUCKETS_MAX = 400;
const BAR_PX = 4;
export const ROOM_PX_MIN = 48;
export const ROOM_PX_MAX = 400;

const PRESET_MS: Record<Exclude<ZoomPreset, "all">, number> = {
  "10min": 10 * 60_000,
  "1h": 3_600_000,
  day: 24 * 3_600_000,
};

export class TimelineState {
  /** The active file. */
  path = $state<string | null>(null);
  scopeKind = $state<ScopeKind>("file");
  /** The folder asked for; null for the folder of the active file. */
  folder = $state<string | null>(null);
  expanded = $state(false);
  /** Room for the lanes, or for the list, in the tall form. */
  room_px = $state(ROOM_PX_MIN);
  /** The moments are shown as a list, too. */
  showsList = $state(false);
  axis = $state<Axis>("activity");
  diff = $state<DiffMode>("off");
  speed = $state(1);
  skipIdle = $state(true);
  playing = $state(false);
  dragging = $state(false);
  /** The one-line box for a name is open. */
  naming = $state(false);
  /** The moment that the box gives another name; null for a new one. */
  renaming = $state.raw<NamedMoment | null>(null);

  info = $state.raw<TimelineInfo | null>(null);
  buckets = $state.raw<Bucket[]>([]);
  /** The part of the timeline that the bars show, as moment indices. */
  stretch = $state.raw<Stretch>({ from: 0, to: 0 });
  /** Where the handle is; null is now. */
  index = $state<number | null>(null);
  shown = $state.raw<Shown | null>(null);
  isLate = $state(false);
  /** A sentence to show in the timeline itself. */
  notice = $state<string | null>(null);

  /** Marked with Shift: what happened between these moments? */
  range = $state.raw<Stretch | null>(null);
  rangeSummary = $state.raw<RangeSummary | null>(null);

  findText = $state("");
  hits = $state.raw<HistoryHit[]>([]);
  hitsTruncated = $state(false);
  isFinding = $state(false);

  readonly #port: TimelinePort;
  /** Counts up when scope or file change: answers to older questions are dropped. */
  #generation = 0;
  /** Generation that `info` belongs to. */
  #infoGeneration = -1;
  /** The handle's index is still one of the timeline before; the same moment is being looked up. */
  #isMoving = false;
  #textUnderWay = false;
  #histogramUnderWay = false;
  #histogramStale = false;
  #n_buckets = 100;
  #n_stepsWaiting = 0;
  #stepQueue: Promise<void> = Promise.resolve();
  #refreshTimer: (() => void) | null = null;
  #refreshedAtMs = 0;
  #playTimer: (() => void) | null = null;
  /** Scope or folder were asked for: the focus does not change them. */
  #isScopeChosen = false;
  #isDisposed = false;
  #isStopped = false;
  /** Where `findText` was searched, or is. */
  #findScope = "";
  readonly #textListeners = new Set<(update: TextUpdate, shown: Shown) => void>();

  constructor(port: TimelinePort) {
    this.#port = port;
  }

  get scope(): Scope {
    return this.#scopeFor(this.path);
  }

  get nMoments(): number {
    return this.info?.nMoments ?? 0;
  }

  get isPast(): boolean {
    return this.index !== null;
  }

  /** Index of the handle, now included. */
  get position(): number {
    return this.index ?? this.nMoments;
  }

  /** The moment shown, as a request names it whatever its scope. */
  get at(): Moment {
    const shown = this.shown;
    return shown === null ? { kind: "now" } : { kind: "workspaceStep", value: shown.moment.workspaceIndex };
  }

  /** Told of every new text in the past, to draw it. */
  onText(listener: (update: TextUpdate, shown: Shown) => void): () => void {
    this.#textListeners.add(listener);
    return () => void this.#textListeners.delete(listener);
  }

  // --- whose timeline

  /** Another file is active. In the past this stays at the same moment. */
  async setPath(path: string | null): Promise<void> {
    if (path === this.path) return;
    this.path = path;
    await this.#changeScope();
  }

  /** The user chose whose timeline; "this file" hands the choice back to the focus. */
  async setScope(kind: ScopeKind): Promise<void> {
    this.#isScopeChosen = kind !== "file";
    if (kind === this.scopeKind && this.folder === null) return;
    this.scopeKind = kind;
    this.folder = null;
    await this.#changeScope();
  }

  /** The keyboard went to the tree or to a text: that is whose timeline it is, unless the user said otherwise. */
  async followFocus(place: "tree" | "text"): Promise<void> {
    const kind = place === "tree" ? "workspace" : "file";
    if (this.#isScopeChosen || this.isPast || this.#isStopped || kind === this.scopeKind) return;
    this.scopeKind = kind;
    this.folder = null;
    await this.#changeScope();
  }

  /** The timeline of one folder; null for the folder of the active file. */
  async showFolder(path: string | null): Promise<void> {
    this.#isScopeChosen = true;
    this.scopeKind = "folder";
    this.folder = path;
    await this.#changeScope();
  }

  /** A workspace was opened. */
  async start(): Promise<void> {
    this.stop();
    this.#isStopped = false;
    await this.#changeScope();
  }

  /** The workspace goes away: nothing of it stays. */
  stop(): void {
    this.#generation += 1;
    this.backToNow();
    this.#refreshTimer?.();
    this.#refreshTimer = null;
    this.path = null;
    this.folder = null;
    this.scopeKind = "file";
    this.#isScopeChosen = false;
    this.#isStopped = true;
    this.#clear();
    void this.find("");
  }

  #clear(): void {
    this.info = null;
    this.buckets = [];
    this.stretch = { from: 0, to: 0 };
    this.unmark();
  }

  async #changeScope(): Promise<void> {
    const anchor = past.moment;
    const generation = ++this.#generation;
    this.stopPlaying();
    this.#isMoving = anchor !== null;
    this.shown = null;
    this.notice = null;
    this.unmark();
    this.#findInOtherScope();
    await this.refresh();
    if (generation !== this.#generation) return;
    this.#isMoving = false;
    if (anchor === null) return;
    const moment: Moment = { kind: "workspaceStep", value: anchor.workspaceIndex };
    const there = await this.#try("moment", { cmd: "resolveMoment", args: { scope: this.scope, moment } });
    if (generation !== this.#generation || this.index === null) return;
    if (there === null) this.backToNow();
    else this.seek(there.index);
  }

  /** Asks for the whole picture again: what there is, and the bars of the part at hand. */
  async refresh(): Promise<void> {
    const generation = this.#generation;
    this.#refreshedAtMs = this.#port.now();
    const info = await this.#try("timeline", { cmd: "timeline", args: { scope: this.scope } });
    if (generation !== this.#generation) return;
    if (info === null) {
      if (this.#infoGeneration !== generation) this.#clear();
      return;
    }
    const n_before = this.nMoments;
    const isOther = this.#infoGeneration !== generation;
    this.info = info;
    this.#infoGeneration = generation;
    const { from, to } = this.stretch;
    if (isOther) this.stretch = { from: 0, to: info.nMoments };
    else if (to >= n_before) this.stretch = { from: Math.min(from, info.nMoments), to: info.nMoments };
    await this.#loadHistogram();
  }

  /** Event `historyGrew`. The Now end grows; where the hand is stays. */
  historyGrew(paths: readonly string[]): void {
    if (this.#isStopped || !this.#concerns(paths) || this.#refreshTimer !== null) return;
    const wait = Math.max(REFRESH_MIN_MS, this.#refreshedAtMs + REFRESH_MS - this.#port.now());
    this.#refreshTimer = this.#port.after(wait, () => {
      this.#refreshTimer = null;
      // Nothing may move under a hand that drags.
      if (this.dragging) this.historyGrew(paths);
      else void this.refresh();
    });
  }

  #concerns(paths: readonly string[]): boolean {
    const scope = this.scope;
    if (scope.kind === "workspace") return true;
    if (scope.kind === "file") return paths.includes(scope.path);
    return paths.some((path) => isWithin(path, scope.path));
  }

  #scopeFor(path: string | null): Scope {
    const folder = this.folder ?? parentOf(path ?? "");
    if (this.scopeKind === "folder" && folder !== "") return { kind: "folder", path: folder };
    // The folder of a file at the top is the workspace.
    if (path === null || this.scopeKind !== "file") return { kind: "workspace" };
    return { kind: "file", path };
  }

  // --- the part shown

  /** Width of the bars in CSS pixels. */
  setWidth(width_px: number): void {
    const n_buckets = Math.max(1, Math.min(BUCKETS_MAX, Math.floor(width_px / BAR_PX)));
    if (n_buckets === this.#n_buckets) return;
    this.#n_buckets = n_buckets;
    void this.#loadHistogram();
  }

  setAxis(axis: Axis): void {
    if (axis === this.axis) return;
    this.axis = axis;
    void this.#loadHistogram();
  }

  setStretch(from: number, to: number): void {
    const n = this.nMoments;
    const span = Math.min(n, Math.max(ZOOM_SPAN_MIN, Math.round(to - from)));
    const start = Math.max(0, Math.min(Math.round(from), n - span));
    this.stretch = { from: start, to: start + span };
    void this.#loadHistogram();
  }

  /** `factor` < 1 shows less. `around` keeps its place. */
  zoomBy(factor: number, around: number = this.position): void {
    const { from, to } = this.stretch;
    this.setStretch(around - (around - from) * factor, around + (to - around) * factor);
  }

  async zoomTo(preset: ZoomPreset): Promise<void> {
    const info = this.info;
    if (info === null || preset === "all") {
      this.setStretch(0, this.nMoments);
      return;
    }
    const generation = this.#generation;
    const end_ms = this.shown?.moment.atMs ?? info.lastMs ?? this.#port.now();
    const moment: Moment = { kind: "time", value: end_ms - PRESET_MS[preset] };
    const start = await this.#try("moment", { cmd: "resolveMoment", args: { scope: this.scope, moment } });
    if (generation !== this.#generation || start === null) return;
    if (this.index === null) this.setStretch(start.index, this.nMoments);
    else this.setStretch(start.index, this.index + (this.index - start.index) / 4);
  }

  async #loadHistogram(): Promise<void> {
    if (this.#histogramUnderWay) {
      this.#histogramStale = true;
      return;
    }
    this.#histogramUnderWay = true;
    do {
      this.#histogramStale = false;
      const generation = this.#generation;
      const { from, to } = this.stretch;
      const found = await this.#try("histogram", {
        cmd: "histogram",
        args: { scope: this.scope, axis: this.axis, from, to, nBuckets: this.#n_buckets },
      });
      if (found !== null && generation === this.#generation) this.buckets = found.buckets;
      else if (generation !== this.#generation) this.#histogramStale = true;
    } while (this.#histogramStale && !this.#isDisposed);
    this.#histogramUnderWay = false;
  }

  // --- the moment

  /** Puts the handle there; the text follows as fast as it can. */
  seek(index: number): void {
    if (this.info === null) return;
    this.index = Math.max(0, Math.min(this.nMoments, Math.round(index)));
    this.notice = null;
    void this.#followHand();
  }

  /** To a moment that was named: the newest is now. */
  goTo(index: number): void {
    this.stopPlaying();
    if (index >= this.nMoments) {
      this.backToNow();
      return;
    }
    this.seek(index);
    this.reveal(index);
  }

  /** Marks the moments between two places of the hand. */
  mark(from: number, to: number): void {
    const clamped = [from, to].map((index) => Math.max(0, Math.min(this.nMoments, Math.round(index))));
    this.range = { from: Math.min(...clamped), to: Math.max(...clamped) };
    this.rangeSummary = null;
  }

  unmark(): void {
    this.range = null;
    this.rangeSummary = null;
  }

  /** The hand let go of a marked range: says what is in it. */
  async sumUp(): Promise<void> {
    const { range, scope, path } = this;
    if (range === null || range.from === range.to) {
      this.unmark();
      return;
    }
    const { from, to } = range;
    const at = (index: number): Request => ({ cmd: "momentInfo", args: { scope, index } });
    const bars: Request = { cmd: "histogram", args: { scope, axis: "activity", from, to, nBuckets: 1 } };
    const [first, last, histogram] = await Promise.all([
      this.#try("moment", at(from)),
      this.#try("moment", at(to)),
      this.#try("histogram", bars),
    ]);
    if (first === null || last === null || histogram === null) return;
    const moment = (info: MomentInfo): Moment => ({ kind: "workspaceStep", value: info.workspaceIndex });
    const args = { path: scope.kind === "file" ? path : null, from: moment(first), to: moment(last) };
    const compared = await this.#try("compared", { cmd: "compare", args });
    if (compared === null || this.range !== range) return;
    const files = compared.files.filter((file) => scope.kind !== "folder" || isWithin(file.path, scope.path));
    const chars = [...(histogram.buckets[0]?.chars ?? [])].sort((a, b) => b[1] - a[1]);
    this.rangeSummary = {
      from,
      to,
      from_ms: first.atMs,
      to_ms: last.atMs,
      authors: chars.flatMap(([author]) => this.info?.authors[author]?.name ?? []),
      lines_added: files.reduce((sum, file) => sum + file.linesAdded, 0),
      lines_removed: files.reduce((sum, file) => sum + file.linesRemoved, 0),
      paths: files.map((file) => file.path),
    };
  }

  /** The hand takes the handle. */
  grab(): void {
    this.stopPlaying();
    this.dragging = true;
  }

  /** The hand let go: at the right end that means now. */
  settle(): void {
    this.dragging = false;
    if (this.index !== null && this.index >= this.nMoments) this.backToNow();
  }

  backToNow(): void {
    this.stopPlaying();
    this.dragging = false;
    this.naming = false;
    this.renaming = null;
    this.index = null;
    this.shown = null;
    this.isLate = false;
    this.notice = null;
    past.moment = null;
  }

  async #followHand(): Promise<void> {
    if (this.#textUnderWay) return;
    this.#textUnderWay = true;
    const notLate = this.#port.after(LATE_MS, () => (this.isLate = this.index !== null));
    try {
      while (this.index !== null && this.shown?.index !== this.index && !this.#isMoving && !this.#isDisposed) {
        if (!(await this.#fetchText(this.index))) break;
        // Every other frame is the hand's alone, and no text is asked for that is never seen.
        if (this.dragging) await this.#port.painted();
      }
    } finally {
      notLate();
      this.isLate = false;
      this.#textUnderWay = false;
    }
  }

  /** One text. False when there is no use in going on. */
  async #fetchText(index: number): Promise<boolean> {
    const generation = this.#generation;
    const { path, scope } = this;
    try {
      const shown = path === null ? await this.#momentOnly(scope, index) : await this.#textAt(path, scope, index);
      if (generation === this.#generation && this.index !== null) this.#show(scope, shown.shown, shown.update);
      return true;
    } catch (cause) {
      if (generation !== this.#generation) return true;
      this.notice = sentenceOf(cause);
      await this.#showMomentAlone(scope, index, generation);
      return this.index !== index;
    }
  }

  async #textAt(path: string, scope: Scope, index: number): Promise<{ shown: Shown; update: TextUpdate | null }> {
    const known = this.shown;
    const have = known?.text != null ? known.index : null;
    const then = await this.#ask("text", { cmd: "textAt", args: { path, scope, index, have } });
    const { splices, exists, moment } = then;
    const whole = splices !== null && known?.text != null ? splice(known.text, splices) : then.text;
    const text = exists ? whole : null;
    const update = text === null ? null : splices !== null ? { splices } : { text };
    return { shown: { index: then.index, text, exists, path: then.path, moment }, update };
  }

  async #momentOnly(scope: Scope, index: number): Promise<{ shown: Shown; update: null }> {
    const moment = await this.#ask("moment", { cmd: "momentInfo", args: { scope, index } });
    return { shown: { index, text: null, exists: false, path: moment.path, moment }, update: null };
  }

  /** A binary has moments too, only no text. */
  async #showMomentAlone(scope: Scope, index: number, generation: number): Promise<void> {
    const found = await this.#momentOnly(scope, index).catch(() => null);
    if (found !== null && generation === this.#generation && this.index !== null) this.#show(scope, found.shown, null);
  }

  #show(scope: Scope, shown: Shown, update: TextUpdate | null): void {
    this.shown = shown;
    const { workspaceIndex, atMs } = shown.moment;
    past.moment = { scope, index: shown.index, workspaceIndex, atMs };
    if (update !== null) for (const listener of this.#textListeners) listener(update, shown);
  }

  // --- steps and playing

  /** One step key. Steps are taken one after the other; of a held key only the newest few wait. */
  step(unit: StepUnit, direction: Direction): Promise<void> {
    if (this.info === null || this.#n_stepsWaiting >= STEPS_WAITING_MAX) return this.#stepQueue;
    this.#n_stepsWaiting += 1;
    this.stopPlaying();
    this.#stepQueue = this.#stepQueue.then(() => this.#stepOnce(unit, direction));
    return this.#stepQueue;
  }

  async #stepOnce(unit: StepUnit, direction: Direction): Promise<void> {
    const generation = this.#generation;
    const index = this.position;
    const args = { scope: this.scope, index, unit, direction };
    const there = await this.#try("moment", { cmd: "stepMoment", args });
    this.#n_stepsWaiting -= 1;
    if (there === null || generation !== this.#generation) return;
    if (direction === "forward" && there.index >= this.nMoments) {
      this.backToNow();
    } else if (there.index !== index || this.index === null) {
      if (there.index === this.nMoments) return;
      this.seek(there.index);
      this.reveal(there.index);
    } else if (direction === "back" && index === 0) {
      this.notice = this.scopeKind === "file" ? FIRST_OF_FILE : "This is the first moment we have.";
    }
  }

  /** Moves the part shown so that the moment is in it. */
  reveal(index: number): void {
    const { from, to } = this.stretch;
    if (index >= from && index <= to) return;
    const span = to - from;
    this.setStretch(index - span / 2, index + span / 2);
  }

  togglePlaying(): void {
    if (this.playing) this.stopPlaying();
    else this.#play();
  }

  stopPlaying(): void {
    this.#playTimer?.();
    this.#playTimer = null;
    this.playing = false;
  }

  #play(): void {
    if (this.info === null || this.nMoments === 0) return;
    if (this.index === null) this.seek(this.stretch.from);
    this.playing = true;
    const generation = this.#generation;
    let film_ms: number | null = this.shown?.moment.atMs ?? null;
    let tick_ms = this.#port.now();
    const tick = async (): Promise<void> => {
      const now_ms = this.#port.now();
      if (film_ms === null) film_ms = this.shown?.moment.atMs ?? null;
      else film_ms += (now_ms - tick_ms) * this.speed;
      tick_ms = now_ms;
      if (film_ms !== null) film_ms = await this.#playTo(film_ms);
      if (!this.playing || generation !== this.#generation) return;
      this.#playTimer = this.#port.after(PLAY_TICK_MS, () => void tick());
    };
    this.#playTimer = this.#port.after(PLAY_TICK_MS, () => void tick());
  }

  /** Shows what stood at this time of the film; returns the time, later when idle time was skipped. */
  async #playTo(film_ms: number): Promise<number> {
    const { scope, index } = this;
    if (index === null) return film_ms;
    const moment: Moment = { kind: "time", value: Math.floor(film_ms) };
    const there = await this.#try("moment", { cmd: "resolveMoment", args: { scope, moment } });
    if (there === null || !this.playing || this.index !== index) return film_ms;
    if (there.index > index) {
      this.seek(there.index);
      this.reveal(there.index);
      if (there.index >= this.nMoments) this.backToNow();
      return film_ms;
    }
    const args = { scope, index, unit: "change", direction: "forward" } as const;
    const next = await this.#try("moment", { cmd: "stepMoment", args });
    if (next === null || !this.playing || next.index <= index) {
      if (next !== null && this.playing) this.backToNow();
      return film_ms;
    }
    const waits_ms = next.atMs - film_ms;
    // Moments at one millisecond, or a first moment before all time, would otherwise hold the film.
    if (waits_ms <= 0 || (this.skipIdle && waits_ms > IDLE_MS)) {
      this.seek(next.index);
      this.reveal(next.index);
      if (next.index >= this.nMoments) this.backToNow();
      return next.atMs;
    }
    return film_ms;
  }

  cycleDiff(): void {
    const order: DiffMode[] = ["off", "now", "previous"];
    this.diff = order[(order.indexOf(this.diff) + 1) % order.length] as DiffMode;
  }

  async cycleScope(): Promise<void> {
    const isAtTop = parentOf(this.path ?? "") === "";
    const order: ScopeKind[] = isAtTop ? ["file", "workspace"] : ["file", "folder", "workspace"];
    await this.setScope(order[(order.indexOf(this.scopeKind) + 1) % order.length] as ScopeKind);
  }

  /** Text of the change before the one shown, for the diff with "previous". */
  async previousText(): Promise<string | null> {
    const { path, scope, shown } = this;
    if (path === null || shown === null || shown.index === 0) return null;
    const args = { path, scope, index: shown.index - 1, have: null };
    return (await this.#try("text", { cmd: "textAt", args }))?.text ?? null;
  }

  // --- acts; refusals come as rejections, for the caller to show

  async name(name: string, note: string | null): Promise<void> {
    const at = this.index === null ? null : this.at;
    const { renaming } = this;
    if (renaming === null) await this.#ask("done", { cmd: "nameMoment", args: { name, note, at } }, "moments");
    else await this.#ask("done", { cmd: "renameMoment", args: { deltaId: renaming.deltaId, name, note } });
    this.naming = false;
    this.renaming = null;
    await this.refresh();
  }

  preview(target: RestoreTarget): Promise<RestorePlan> {
    return this.#ask("preview", { cmd: "restorePreview", args: { target, at: this.at } });
  }

  /** Brings the target back to a moment and returns to now. */
  async restore(target: RestoreTarget, at: Moment): Promise<Restored> {
    const restored = await this.#ask("restored", { cmd: "restore", args: { target, at } });
    this.backToNow();
    return restored;
  }

  undo(groupId: string): Promise<Undone> {
    return this.#ask("undone", { cmd: "undoGroup", args: { groupId } });
  }

  async find(text: string): Promise<void> {
    const { scope } = this;
    const scopeAsked = JSON.stringify(scope);
    this.findText = text;
    this.#findScope = scopeAsked;
    this.isFinding = text !== "";
    if (text === "") {
      this.hits = [];
      this.hitsTruncated = false;
      return;
    }
    const found = await this.#try("found", { cmd: "findInHistory", args: { text, scope, limit: FIND_HITS_MAX } });
    if (this.findText !== text || this.#findScope !== scopeAsked) return;
    this.isFinding = false;
    // It was refused: nothing is known of this text.
    if (found === null) this.findText = "";
    this.hits = found?.hits ?? [];
    this.hitsTruncated = found?.truncated ?? false;
  }

  // What was found in the whole workspace holds for whichever file is looked at.
  #findInOtherScope(): void {
    if (this.findText === "" || JSON.stringify(this.scope) === this.#findScope) return;
    this.hits = [];
    void this.find(this.findText);
  }

  /** Index of a hit in the timeline at hand. */
  indexOfHit(hit: HistoryHit): number {
    return this.scope.kind === "file" ? hit.index : hit.workspaceIndex;
  }

  async goToHit(hit: HistoryHit): Promise<void> {
    const scope = this.scope;
    if (scope.kind !== "folder") {
      this.seek(this.indexOfHit(hit));
      this.reveal(this.position);
      return;
    }
    const moment: Moment = { kind: "workspaceStep", value: hit.workspaceIndex };
    const there = await this.#try("moment", { cmd: "resolveMoment", args: { scope, moment } });
    if (there !== null) this.seek(there.index);
  }

  /** To a moment of any scope, in the timeline that is shown. Says so when that timeline has none like it. */
  async goToMoment(moment: Moment): Promise<void> {
    if (this.info === null) await this.refresh();
    const there = await this.#try("moment", { cmd: "resolveMoment", args: { scope: this.scope, moment } });
    if (there !== null) this.goTo(there.index);
  }

  dispose(): void {
    this.#isDisposed = true;
    this.backToNow();
    this.#refreshTimer?.();
    this.#textListeners.clear();
  }

  async #ask<K extends Reply["reply"]>(kind: K, request: Request, or?: Reply["reply"]): Promise<ReplyOf<K>> {
    const reply = await this.#port.ask(request);
    if (reply.reply !== kind && reply.reply !== or) throw new Error(NOT_UNDERSTOOD);
    return ("value" in reply ? reply.value : null) as ReplyOf<K>;
  }

  /** Null, with the reason shown in the timeline, when it was refused. */
  async #try<K extends Reply["reply"]>(kind: K, request: Request): Promise<ReplyOf<K> | null> {
    try {
      return await this.#ask(kind, request);
    } catch (cause) {
      this.notice = sentenceOf(cause);
      return null;
    }
  }
}

const NOT_UNDERSTOOD = "CodeSync answered in a way this window does not understand. Nothing that was saved is lost.";

/** MSG-TL-1 */
export const FIRST_OF_FILE = MESSAGES["MSG-TL-1"].body;

function splice(text: string, splices: readonly Splice[]): string {
  let result = text;
  for (const [position, deleted, inserted] of splices) {
    result = result.slice(0, position) + inserted + result.slice(position + deleted);
  }
  return result;
}
