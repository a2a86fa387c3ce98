/**
 * The search of this window: what is looked for, what was found, what is to be replaced. Asks the shell again and again
 * while a search runs, and again for files that change. Knows no screen, and decides nothing about text.
 */
import { type Client, sentenceOf } from "../../api/client";
import type { FileMatches, ReplaceTarget, Replaced, SearchMatch, SearchQuery } from "../../api/generated";
import { parentOf } from "../../base/paths";
import { plural } from "../../base/words";
import { type Work, progress } from "../../state/progress.svelte";
import { globsOf } from "./globs";
import { type ResultRow, fileId, matchId, merged, nextMatch, rowsOf } from "./rows";

const TYPING_MS = 250;
/** Between two askings for news: often enough to look at once, seldom enough to leave time to draw. */
const NEWS_MS = 60;
const CHANGED_MS = 300;
/** When more files than this change at once, all are searched again. */
const AGAIN_MAX = 200;
const REMEMBERED_MAX = 50;

export class Search {
  text = $state("");
  replacement = $state("");
  include = $state("");
  exclude = $state("");
  isRegex = $state(false);
  matchCase = $state(false);
  wholeWord = $state(false);
  isReplaceShown = $state(false);
  areGlobsShown = $state(false);

  files = $state.raw<readonly FileMatches[]>([]);
  closed = $state.raw<ReadonlySet<string>>(new Set());
  /** Id of the row that is marked. */
  focusedId = $state<string | null>(null);
  isRunning = $state(false);
  /** What is shown was asked for, and was not stopped on the way. */
  isOver = $state(false);
  isStopped = $state(false);
  /** There is more than is shown. */
  isCut = $state(false);
  nFiles = $state(0);
  nTooLarge = $state(0);
  trouble = $state<string | null>(null);
  isReplacing = $state(false);

  readonly rows = $derived<readonly ResultRow[]>(rowsOf(this.files, this.closed));
  readonly nMatches = $derived(this.files.reduce((sum, file) => sum + file.matches.length, 0));

  /** What the results answer. */
  asked = $state.raw<SearchQuery | null>(null);
  #id: number | null = null;
  /** Rises with every search: what comes of an older one is not wanted any more. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** The fields say something else than was searched for. */
  #isDue = false;
  /** Files that changed since they were searched. */
  readonly #changed = new Set<string>();
  #changedTimer: ReturnType<typeof setTimeout> | undefined;
  /** Files of which matches were taken from the list. */
  readonly #thinned = new Set<string>();
  /** Newest first. */
  #remembered: string[] = [];
  #recalled = -1;

  /** `isShown`: somebody may look at the results. */
  constructor(
    private readonly client: Client,
    private readonly isShown: () => boolean,
  ) {
    client.onEvent((event) => {
      if (event.event === "historyGrew") this.#note(event.data.paths);
      else if (event.event === "treeChanged") this.#note(this.#filesIn(event.data.folders));
    });
  }

  get query(): SearchQuery {
    const { text, isRegex, matchCase, wholeWord, replacement } = this;
    // What it becomes differs from match to match only where it names parts of them.
    const wantsShown = this.isReplaceShown && isRegex && /[$\\]/.test(replacement);
    return { text, isRegex, matchCase, wholeWord, include: globsOf(this.include), exclude: globsOf(this.exclude), replacement: wantsShown ? replacement : null };
  }

  /** Something in the fields changed: searches once the hand rests. */
  typed(): void {
    this.#recalled = -1;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.run(), TYPING_MS);
    this.#isDue = true;
  }

  /** The text for the replacement changed: results change with it only where it names parts of them. */
  typedReplacement(): void {
    if (this.query.replacement !== this.asked?.replacement && this.text !== "") this.typed();
  }

  /** Searches now. Done when the search is. */
  async run(): Promise<void> {
    clearTimeout(this.#timer);
    this.#isDue = false;
    this.#turn += 1;
    const mine = this.#turn;
    this.trouble = null;
    this.isStopped = false;
    if (this.text === "") {
      this.#end();
      this.#clearResults();
      return;
    }
    const { query } = this;
    this.isRunning = true;
    this.isOver = false;
    try {
      const { id } = await this.client.search("begun", { cmd: "begin", args: { query } });
      if (mine !== this.#turn) return;
      this.#id = id;
      this.asked = query;
      this.#changed.clear();
      await progress.track("Searching…", (work) => this.#follow(mine, id, work), { onStop: () => this.stop(), done: "The search is over." });
    } catch (cause) {
      if (mine !== this.#turn) return;
      this.#clearResults();
      this.trouble = sentenceOf(cause);
      this.isRunning = false;
    }
  }

  async #follow(mine: number, id: number, work: Work): Promise<void> {
    // What was found before stays until there is something else to see.
    let isFirst = true;
    for (;;) {
      const news = await this.client.search("found", { cmd: "more", args: { id } });
      if (mine !== this.#turn) return;
      if (isFirst && (news.files.length > 0 || news.isOver)) {
        isFirst = false;
        this.#clearResults();
        this.isRunning = true;
      }
      if (news.files.length > 0) this.files = [...this.files, ...news.files];
      this.nFiles = news.nFiles;
      this.nTooLarge = news.nTooLarge;
      work.say(`Searching… ${plural(news.nFiles, "file")}`);
      if (news.isOver) {
        this.isCut = news.isCut;
        this.trouble = news.trouble?.message ?? null;
        this.isRunning = false;
        this.isOver = this.trouble === null;
        if (this.#changed.size > 0) this.#refreshSoon();
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, NEWS_MS));
      if (mine !== this.#turn) return;
    }
  }

  /** The results answer what is in the fields, and the files as they are now. */
  async settled(): Promise<void> {
    if (this.#isDue) await this.run();
    await this.refresh();
  }

  /** Ends a search that runs; what was found stays. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#isDue = false;
    if (!this.isRunning) return;
    this.#turn += 1;
    this.#end();
    this.isRunning = false;
    this.isStopped = true;
  }

  #end(): void {
    if (this.#id !== null) this.client.search("done", { cmd: "end", args: { id: this.#id } }).catch(() => undefined);
    this.#id = null;
  }

  #clearResults(): void {
    this.files = [];
    this.closed = new Set();
    this.#thinned.clear();
    this.focusedId = null;
    this.isRunning = false;
    this.isOver = false;
    this.isCut = false;
    this.nFiles = 0;
    this.nTooLarge = 0;
  }

  /** Fields and results as at the beginning; what was looked for is remembered. */
  clear(): void {
    this.remember();
    this.#turn += 1;
    clearTimeout(this.#timer);
    this.#isDue = false;
    this.#end();
    this.asked = null;
    this.#changed.clear();
    this.#clearResults();
    this.trouble = null;
    this.isStopped = false;
    this.text = this.replacement = this.include = this.exclude = "";
    this.#recalled = -1;
  }

  /** The workspace goes away. */
  reset(): void {
    this.clear();
    this.#remembered = [];
  }

  /** Files in the list that may be gone: entries of these folders changed. */
  #filesIn(folders: readonly string[]): string[] {
    const changed = new Set(folders);
    return this.files.map((file) => file.path).filter((path) => changed.has(parentOf(path)));
  }

  #note(paths: readonly string[]): void {
    if (this.asked === null || paths.length === 0) return;
    for (const path of paths) this.#changed.add(path);
    if (!this.isRunning && this.isShown()) this.#refreshSoon();
  }

  #refreshSoon(): void {
    clearTimeout(this.#changedTimer);
    this.#changedTimer = setTimeout(() => void this.refresh(), CHANGED_MS);
  }

  /** Searches the files again that changed since. */
  async refresh(): Promise<void> {
    clearTimeout(this.#changedTimer);
    const query = this.asked;
    if (query === null || this.#changed.size === 0 || this.isRunning) return;
    if (this.#changed.size > AGAIN_MAX) {
      await this.run();
      return;
    }
    const paths = [...this.#changed];
    this.#changed.clear();
    const mine = this.#turn;
    try {
      const { files } = await this.client.search("files", { cmd: "again", args: { query, paths } });
      if (mine !== this.#turn) return;
      this.files = merged(this.files, files, paths);
      for (const path of paths) this.#thinned.delete(path);
    } catch (cause) {
      // They are searched again with the next change, or by hand.
      console.debug("changed files could not be searched again", cause);
    }
  }

  // --- the list

  setClosed(path: string, isClosed: boolean): void {
    const closed = new Set(this.closed);
    if (isClosed) closed.add(path);
    else closed.delete(path);
    this.closed = closed;
    if (isClosed && this.files.find((file) => file.path === path)?.matches.some((match) => matchId(path, match) === this.focusedId) === true) {
      this.focusedId = fileId(path);
    }
  }

  closeAll(): void {
    this.closed = new Set(this.files.map((file) => file.path));
    const row = this.rows.find((one) => one.id === this.focusedId);
    if (row === undefined) this.focusedId = this.rows[0]?.id ?? null;
  }

  openAll(): void {
    this.closed = new Set();
  }

  /** Takes a row from the list: it is not replaced. */
  dismiss(row: ResultRow): void {
    const at = this.rows.findIndex((one) => one.id === row.id);
    const { path } = row.file;
    if (row.kind === "file") this.files = this.files.filter((file) => file.path !== path);
    else {
      this.#thinned.add(path);
      const without = (file: FileMatches): FileMatches => ({ ...file, matches: file.matches.filter((match) => match !== row.match) });
      this.files = this.files.map((file) => (file.path === path ? without(file) : file)).filter((file) => file.matches.length > 0);
    }
    this.focusedId = this.rows[Math.min(at, this.rows.length - 1)]?.id ?? null;
  }

  /** Marks the next match, or the one before, and gives it. */
  async step(step: 1 | -1): Promise<{ path: string; match: SearchMatch } | null> {
    await this.refresh();
    const next = nextMatch(this.files, this.focusedId, step);
    if (next === null) return null;
    const { path } = next.file;
    if (this.closed.has(path)) this.setClosed(path, false);
    this.focusedId = matchId(path, next.match);
    return { path, match: next.match };
  }

  // --- what was looked for before

  /** What is in the field is worth coming back to. */
  remember(): void {
    if (this.text === "") return;
    this.#remembered = [this.text, ...this.#remembered.filter((one) => one !== this.text)].slice(0, REMEMBERED_MAX);
    this.#recalled = 0;
  }

  /** Brings back what was looked for before, or goes on towards the newest. False when there is nothing further. */
  recall(step: 1 | -1): boolean {
    if (this.#recalled < 0) {
      if (step < 0) return false;
      this.remember();
    }
    const wanted = this.#recalled < 0 ? 0 : this.#recalled + step;
    const text = this.#remembered[wanted];
    if (text === undefined) return false;
    this.text = text;
    this.typed();
    this.#recalled = wanted;
    return true;
  }

  // --- replacing

  /** All that is in the list, or a part of it. */
  targets(row: ResultRow | null = null): ReplaceTarget[] {
    if (row?.kind === "match") return [{ path: row.file.path, only: [[row.match.position, row.match.length]] }];
    const files = row === null ? this.files : [row.file];
    return files.map((file) => ({ path: file.path, only: this.#isWhole(file) ? null : file.matches.map((match): [number, number] => [match.position, match.length]) }));
  }

  #isWhole(file: FileMatches): boolean {
    return !file.isCut && !this.#thinned.has(file.path);
  }

  /** Replaces what is in the list, or one row of it. Null when there is nothing to be replaced. */
  async replace(row: ResultRow | null, keepsMoment: boolean): Promise<Replaced | null> {
    const query = this.asked;
    const targets = this.targets(row);
    if (query === null || targets.length === 0 || this.isReplacing) return null;
    this.isReplacing = true;
    const following = row?.kind === "match" ? nextMatch(this.files, row.id, 1) : null;
    try {
      const args = { query, replacement: this.replacement, targets, keepsMoment };
      const replaced = await this.client.search("replaced", { cmd: "replace", args });
      for (const { path } of targets) this.#changed.add(path);
      await this.refresh();
      if (following !== null) this.#mark(following);
      return replaced;
    } finally {
      this.isReplacing = false;
    }
  }

  /** The row that came next, though its place may have moved. */
  #mark({ file: { path }, match }: { file: FileMatches; match: SearchMatch }): void {
    const matches = this.files.find((file) => file.path === path)?.matches ?? [];
    const now = matches.find((one) => one.position === match.position) ?? matches.find((one) => one.position >= match.position - match.length) ?? matches[0];
    this.focusedId = now === undefined ? (this.rows[0]?.id ?? null) : matchId(path, now);
  }
}
