/**
 * What is seen of a file too large to edit: the rows at hand, where the view is, the caret and what is marked. Asks for
 * rows as they are needed and holds few of them. Must never hold the whole file, nor know the page.
 */
import { type Client, sentenceOf } from "../../api/client";
import type { LargePlace, LargeReply, LargeRequest, LargeRow, LargeState } from "../../api/generated";

export const PAGE_ROWS = 128;
const PAGES_MAX = 48;
/** Between two looks while the file is being looked through, and later for changes on the disk. */
const SOON_MS = 60;
const LATER_MS = 1_000;

export type Move = "up" | "down" | "pageUp" | "pageDown" | "left" | "right" | "rowStart" | "rowEnd" | "start" | "end";

/** By the name of the key. */
export const MOVES: Record<string, Move> = {
  ArrowUp: "up", ArrowDown: "down", PageUp: "pageUp", PageDown: "pageDown", ArrowLeft: "left", ArrowRight: "right", Home: "rowStart", End: "rowEnd",
};

const START: LargePlace = { row: 0, column: 0 };

export class LargeView {
  state = $state.raw<LargeState | null>(null);
  /** Why nothing new can be read. */
  trouble = $state<string | null>(null);
  /** The row at the upper edge, with its hidden part. */
  top = $state(0);
  /** Rows that fit, with a part of one. */
  n_visible = $state(1);
  caret = $state.raw<LargePlace>(START);
  /** The other end of what is marked. */
  anchor = $state.raw<LargePlace>(START);
  /** Where the caret is for one who hears it: set when the keyboard moved it. */
  heard = $state("");
  /** Rises when rows came or went. */
  #n_changes = $state(0);
  readonly #pages = new Map<number, LargeRow[]>();
  readonly #asked = new Map<number, Promise<void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #goal = 0;
  #isOver = false;
  /** Puts the keyboard here; set by what draws it. */
  takeFocus: (() => void) | null = null;
  openFind: (() => void) | null = null;
  findAgain: ((isBackwards: boolean) => void) | null = null;
  /** The keyboard is here. */
  hasFocus = false;

  constructor(
    private readonly client: Client,
    readonly path: string,
  ) {}

  /** Begins to look, and goes on until `dispose`. */
  async start(): Promise<void> {
    await this.#look();
  }

  dispose(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    void this.ask("done", { cmd: "leave", args: { path: this.path } }).catch((cause: unknown) => console.debug("let go of by the workspace itself", cause));
  }

  get n_rows(): number {
    return this.state?.nRows ?? 1;
  }

  get topMax(): number {
    return Math.max(0, this.n_rows - this.n_visible);
  }

  get isLooking(): boolean {
    return this.state !== null && this.state.lookedBytes < this.state.sizeBytes;
  }

  get hasMarked(): boolean {
    return this.anchor.row !== this.caret.row || this.anchor.column !== this.caret.column;
  }

  /** The ends of what is marked, in their order. */
  get marked(): [LargePlace, LargePlace] {
    return isBefore(this.caret, this.anchor) ? [this.caret, this.anchor] : [this.anchor, this.caret];
  }

  /** As the status bar counts: both from 1. */
  get caretPlace(): { line: number; column: number } {
    return { line: this.row(this.caret.row)?.line ?? 1, column: this.caret.column + 1 };
  }

  async ask<K extends LargeReply["reply"]>(kind: K, request: LargeRequest): Promise<Extract<LargeReply, { reply: K }>> {
    const reply = await this.client.large(request);
    if (reply.reply !== kind) throw new Error(`unexpected reply to ${request.cmd}`);
    return reply as Extract<LargeReply, { reply: K }>;
  }

  async #look(): Promise<void> {
    try {
      const { value } = await this.ask("state", { cmd: "look", args: { path: this.path } });
      if (this.#isOver) return;
      this.#takeIn(value);
      this.trouble = null;
    } catch (cause) {
      if (this.#isOver) return;
      this.trouble = sentenceOf(cause);
    }
    this.#timer = setTimeout(() => void this.#look(), this.isLooking ? SOON_MS : LATER_MS);
  }

  #takeIn(next: LargeState): void {
    const before = this.state;
    if (before !== null && JSON.stringify(before) === JSON.stringify(next)) return;
    if (before !== null && before.generation !== next.generation) this.#pages.clear();
    // A page at the end may have been cut short there.
    else for (const [page, rows] of this.#pages) if (rows.length < PAGE_ROWS) this.#pages.delete(page);
    this.state = next;
    if (this.caret.row >= next.nRows || this.anchor.row >= next.nRows) this.place({ row: next.nRows - 1, column: 0 });
    this.top = Math.min(this.top, this.topMax);
    this.#n_changes += 1;
  }

  /** A row, if it is at hand. */
  row(index: number): LargeRow | null {
    void this.#n_changes;
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS] ?? null;
  }

  /** Gets the rows from one to another, and those around them. */
  need(first: number, last: number): void {
    void this.#n_changes;
    if (this.state === null || !this.state.isText) return;
    const to = Math.floor(Math.min(this.n_rows - 1, last + PAGE_ROWS / 2) / PAGE_ROWS);
    for (let page = Math.floor(Math.max(0, first - PAGE_ROWS / 2) / PAGE_ROWS); page <= to; page += 1) void this.#fetch(page);
  }

  #fetch(page: number): Promise<void> {
    const rows = this.#pages.get(page);
    if (rows !== undefined) {
      // The pages used last are kept.
      this.#pages.delete(page);
      this.#pages.set(page, rows);
      return Promise.resolve();
    }
    const asked = this.#asked.get(page) ?? this.#read(page).finally(() => this.#asked.delete(page));
    this.#asked.set(page, asked);
    return asked;
  }

  async #read(page: number): Promise<void> {
    try {
      const { value } = await this.ask("rows", { cmd: "rows", args: { path: this.path, from: page * PAGE_ROWS, n: PAGE_ROWS } });
      // Rows of a file that changed meanwhile: the next look says so.
      if (this.#isOver || value.generation !== this.state?.generation) return;
      this.#pages.set(page, value.rows);
      for (const old of this.#pages.keys()) {
        if (this.#pages.size <= PAGES_MAX) break;
        this.#pages.delete(old);
      }
      this.#n_changes += 1;
    } catch (cause) {
      if (!this.#isOver) this.trouble = sentenceOf(cause);
    }
  }

  scrollTo(top: number): void {
    this.top = Math.max(0, Math.min(this.topMax, top));
  }

  /** Shows a row: in the middle, when it cannot be seen. */
  reveal(row: number): void {
    const n_whole = Math.max(1, Math.floor(this.n_visible));
    const isNear = row >= this.top - n_whole && row <= this.top + 2 * n_whole;
    if (row < this.top) this.scrollTo(isNear ? row : row - n_whole / 2);
    else if (row > this.top + this.n_visible - 1) this.scrollTo(isNear ? row - this.n_visible + 1 : row - n_whole / 2);
  }

  /** Puts the caret somewhere; what was marked stays marked up to there when it is extended. */
  place(at: LargePlace, isExtended = false): void {
    this.caret = at;
    if (!isExtended) this.anchor = at;
    this.#goal = at.column;
  }

  mark(from: LargePlace, to: LargePlace): void {
    this.anchor = from;
    this.caret = to;
    this.#goal = to.column;
    this.reveal(to.row);
  }

  markAll(): void {
    this.anchor = START;
    this.caret = { row: this.n_rows - 1, column: Number.MAX_SAFE_INTEGER };
  }

  /** Marks the word at a place, or the blanks or signs there. */
  markWord({ row, column }: LargePlace): void {
    const words = [...(this.row(row)?.text ?? "").matchAll(/[\p{L}\p{N}_]+|[^\p{L}\p{N}_\s]+|\s+/gu)];
    const word = words.find((one) => one.index <= column && column <= one.index + one[0].length);
    if (word !== undefined) this.mark({ row, column: word.index }, { row, column: word.index + word[0].length });
  }

  /** A row's text in the parts that look different, and on which side of the marked one the caret is. */
  partsOf(index: number): { before: string; marked: string; behind: string; caret: "start" | "end" | null; goesOn: boolean } {
    const text = this.row(index)?.text ?? "";
    const [from, to] = this.marked;
    const begin = index < from.row ? text.length : index === from.row ? Math.min(from.column, text.length) : 0;
    const end = index > to.row ? begin : index === to.row ? Math.min(to.column, text.length) : text.length;
    const caret = index !== this.caret.row ? null : this.caret === from && this.hasMarked ? "start" : "end";
    const goesOn = index >= from.row && index < to.row;
    return { before: text.slice(0, begin), marked: text.slice(begin, end), behind: text.slice(end), caret, goesOn };
  }

  /** Moves the caret as a key does. */
  async move(move: Move, isExtended: boolean): Promise<void> {
    const { caret } = this;
    const goal = this.#goal;
    const n_page = Math.max(1, Math.floor(this.n_visible) - 1);
    const toRow = async (row: number): Promise<LargePlace> => {
      const wanted = Math.max(0, Math.min(this.n_rows - 1, row));
      return { row: wanted, column: Math.min(goal, await this.#length(wanted)) };
    };
    const isVertical = ["up", "down", "pageUp", "pageDown"].includes(move);
    const n_rows = { up: -1, down: 1, pageUp: -n_page, pageDown: n_page }[move as "up"] ?? 0;
    if (move === "pageUp" || move === "pageDown") this.scrollTo(this.top + n_rows);
    const to = isVertical ? await toRow(caret.row + n_rows) : await this.#sideways(move);
    this.place(to, isExtended);
    if (isVertical) this.#goal = goal;
    this.reveal(to.row);
    await this.#fetch(Math.floor(to.row / PAGE_ROWS));
    const row = this.row(to.row);
    if (isVertical || move === "start" || move === "end") this.heard = row === null ? "" : `${row.line} ${row.text.slice(0, 500)}`;
  }

  async #sideways(move: Move): Promise<LargePlace> {
    const { row, column } = this.caret;
    if (move === "start") return START;
    if (move === "end") return { row: this.n_rows - 1, column: await this.#length(this.n_rows - 1) };
    if (move === "rowStart") return { row, column: 0 };
    const length = await this.#length(row);
    if (move === "rowEnd") return { row, column: length };
    const text = this.row(row)?.text ?? "";
    const at = Math.min(column, length);
    if (move === "left") {
      if (at > 0) return { row, column: at - (isLow(text, at - 1) ? 2 : 1) };
      return row === 0 ? START : { row: row - 1, column: await this.#length(row - 1) };
    }
    if (at < length) return { row, column: at + (isLow(text, at + 1) ? 2 : 1) };
    return row + 1 < this.n_rows ? { row: row + 1, column: 0 } : { row, column: length };
  }

  async #length(row: number): Promise<number> {
    await this.#fetch(Math.floor(row / PAGE_ROWS));
    return this.row(row)?.text.length ?? 0;
  }

  /** The rows around the caret are at hand. */
  async settled(): Promise<void> {
    await this.#fetch(Math.floor(this.caret.row / PAGE_ROWS));
  }

  /** Goes to a line, counted from 1. */
  async goToLine(line: number): Promise<void> {
    const { value } = await this.ask("row", { cmd: "rowOfLine", args: { path: this.path, line } });
    this.place({ row: value.row, column: 0 });
    this.reveal(value.row);
  }

  /** What is marked, or the row of the caret. */
  async markedText(): Promise<string> {
    const { row } = this.caret;
    const [from, to] = this.hasMarked ? this.marked : [{ row, column: 0 }, { row, column: Number.MAX_SAFE_INTEGER }];
    const { value } = await this.ask("text", { cmd: "text", args: { path: this.path, from, to } });
    return this.hasMarked ? value.text : `${value.text}\n`;
  }
}

export function isBefore(a: LargePlace, b: LargePlace): boolean {
  return a.row < b.row || (a.row === b.row && a.column < b.column);
}

function isLow(text: string, at: number): boolean {
  const unit = text.charCodeAt(at);
  return unit >= 0xdc00 && unit < 0xe000;
}

/** The same length with something to see for each character that has no shape. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\u0000-\u0008\u000a-\u001f\u007f]/g, (letter) => (letter === "\u007f" ? "\u2421" : String.fromCharCode(0x2400 + letter.charCodeAt(0))));
}

/** A browser cannot make an element of any height: beyond this the scroll bar stands for more than its pixels. */
export const SCROLL_PX_MAX = 1_000_000;

/** Height of what is scrolled over. */
export function scrollHeight(n_rows: number, row_px: number): number {
  return Math.min(n_rows * row_px, SCROLL_PX_MAX);
}
