/**
 * Changesets: what a list of splices does to a text, in one canonical form, and the two
 * operations the editor link needs (compose, transform). Must never know a view or an engine.
 *
 * A changeset walks over its base text from the left: a positive number keeps so many units, a
 * negative number deletes so many, a string is inserted. What follows the last element is kept.
 * Units are UTF-16 code units.
 *
 * Canonical form (the engine keeps the same one, and ties depend on it):
 *  - equal kinds never stand side by side, nothing is empty, no trailing keep;
 *  - between two keeps there is at most one insert and at most one delete, THE INSERT FIRST.
 *    A replacement of p..q therefore inserts at p, on the left side of what it deletes.
 * Every function here returns canonical changesets; `push` is what makes them so.
 */
import type { Splice } from "../api/generated";

export type Op = number | string;
export type Changeset = readonly Op[];

export const EMPTY: Changeset = [];

/** Appends one element to a changeset under construction and keeps it canonical. */
function push(ops: Op[], op: Op): void {
  if (op === 0 || op === "") return;
  const last = ops[ops.length - 1];
  if (typeof op === "string") {
    if (typeof last === "string") ops[ops.length - 1] = last + op;
    else if (typeof last === "number" && last < 0) insertBeforeDelete(ops, op, last);
    else ops.push(op);
  } else if (typeof last === "number" && last > 0 === op > 0) {
    ops[ops.length - 1] = last + op;
  } else {
    ops.push(op);
  }
}

function insertBeforeDelete(ops: Op[], text: string, deletion: number): void {
  const before = ops[ops.length - 2];
  if (typeof before === "string") ops[ops.length - 2] = before + text;
  else ops.splice(ops.length - 1, 1, text, deletion);
}

function finish(ops: Op[]): Changeset {
  while (ops.length > 0) {
    const last = ops[ops.length - 1];
    if (typeof last !== "number" || last < 0) break;
    ops.pop();
  }
  return ops;
}

/** Reads a changeset piece by piece; beyond its end it keeps for ever. */
class Cursor {
  #next = 0;
  #op: Op;

  constructor(private readonly ops: Changeset) {
    this.#op = Infinity;
    this.#advance();
  }

  get op(): Op {
    return this.#op;
  }

  get ended(): boolean {
    return this.#op === Infinity;
  }

  /** Takes up to `n_max` units off the current element. */
  take(n_max: number): Op {
    const op = this.#op;
    if (op === Infinity) return n_max;
    const n = typeof op === "string" ? op.length : Math.abs(op);
    if (n <= n_max) {
      this.#advance();
      return op;
    }
    if (typeof op === "string") {
      this.#op = op.slice(n_max);
      return op.slice(0, n_max);
    }
    const part = op < 0 ? -n_max : n_max;
    this.#op = op - part;
    return part;
  }

  #advance(): void {
    const op = this.ops[this.#next];
    this.#next += 1;
    this.#op = op === undefined ? Infinity : op;
  }
}

function lengthOf(op: Op): number {
  return typeof op === "string" ? op.length : Math.abs(op);
}

/** The changeset that does `first`, then `second`. */
export function compose(first: Changeset, second: Changeset): Changeset {
  const out: Op[] = [];
  const a = new Cursor(first);
  const b = new Cursor(second);
  while (!a.ended || !b.ended) {
    if (typeof b.op === "string") {
      push(out, b.take(Infinity));
    } else if (typeof a.op === "number" && a.op < 0) {
      push(out, a.take(Infinity));
    } else {
      const n = Math.min(lengthOf(a.op), lengthOf(b.op));
      const kept = a.take(n);
      const done = b.take(n);
      if (typeof done === "number" && done > 0) push(out, kept);
      else if (typeof kept === "number") push(out, done);
      // What `first` inserted and `second` deleted was never there.
    }
  }
  return finish(out);
}

/**
 * Two changesets over one base text. Returns `[engine', view']` such that engine then view' and
 * view then engine' give one text. At one place the lines that the engine inserts stand left of the view's insert, and
 * what it inserts behind its last line end right of it; when the view's stays left, all of it does. What both delete is
 * deleted once; an insert inside what the other deletes survives.
 */
export function transform(engine: Changeset, view: Changeset, viewStaysLeft: boolean): [Changeset, Changeset] {
  const engineOut: Op[] = [];
  const viewOut: Op[] = [];
  const a = new Cursor(engine);
  const b = new Cursor(view);
  while (!a.ended || !b.ended) {
    const n_left = typeof a.op !== "string" ? 0 : typeof b.op !== "string" ? Infinity : viewStaysLeft ? 0 : linesOf(a.op);
    if (n_left > 0) {
      const inserted = a.take(n_left);
      push(engineOut, inserted);
      push(viewOut, lengthOf(inserted));
    } else if (typeof b.op === "string") {
      const inserted = b.take(Infinity);
      push(viewOut, inserted);
      push(engineOut, lengthOf(inserted));
    } else {
      const n = Math.min(lengthOf(a.op), lengthOf(b.op));
      const ofEngine = a.take(n) as number;
      const ofView = b.take(n) as number;
      if (ofView > 0) push(engineOut, ofEngine);
      if (ofEngine > 0) push(viewOut, ofView);
    }
  }
  return [finish(engineOut), finish(viewOut)];
}

/** How many units the whole lines at the start of a text have. */
export function linesOf(text: string): number {
  return text.lastIndexOf("\n") + 1;
}

/** One splice list as one changeset. Positions count in the text after the splices before. */
export function fromSplices(splices: readonly Splice[]): Changeset {
  const [only] = splices;
  if (only === undefined) return EMPTY;
  if (splices.length > 1) {
    // By halves: one after the other, ten thousand would each be carried past all those before.
    const middle = splices.length >> 1;
    return compose(fromSplices(splices.slice(0, middle)), fromSplices(splices.slice(middle)));
  }
  const [position, deleted, inserted] = only;
  const one: Op[] = [];
  push(one, position);
  push(one, inserted);
  push(one, -deleted);
  return finish(one);
}

/** The same as splices from left to right; a replacement becomes one splice. */
export function toSplices(change: Changeset): Splice[] {
  const splices: Splice[] = [];
  let position = 0;
  for (let i = 0; i < change.length; i += 1) {
    const op = change[i] as Op;
    if (typeof op === "string") {
      const next = change[i + 1];
      const deleted = typeof next === "number" && next < 0 ? -next : 0;
      if (deleted > 0) i += 1;
      splices.push([position, deleted, op]);
      position += op.length;
    } else if (op < 0) {
      splices.push([position, -op, ""]);
    } else {
      position += op;
    }
  }
  return splices;
}

export function applyTo(text: string, change: Changeset): string {
  const parts: string[] = [];
  let at = 0;
  for (const op of change) {
    if (typeof op === "string") {
      parts.push(op);
    } else if (op > 0) {
      parts.push(text.slice(at, at + op));
      at += op;
    } else {
      at -= op;
    }
  }
  parts.push(text.slice(at));
  return parts.join("");
}

/** Where a place of the text before is afterwards: left of what is inserted there, at the start of what was deleted around it. */
export function placeAfter(change: Changeset, position: number): number {
  let before = 0;
  let after = 0;
  for (const op of change) {
    if (typeof op === "string") {
      if (before >= position) break;
      after += op.length;
    } else if (op > 0) {
      if (before + op >= position) break;
      before += op;
      after += op;
    } else {
      if (before - op > position) return after;
      before -= op;
    }
  }
  return after + position - before;
}

/** How much of a base text the changeset must find there. */
export function reach(change: Changeset): number {
  let n = 0;
  for (const op of change) if (typeof op === "number") n += Math.abs(op);
  return n;
}

/** By how much the text grows. */
export function growth(change: Changeset): number {
  let n = 0;
  for (const op of change) {
    if (typeof op === "string") n += op.length;
    else if (op < 0) n += op;
  }
  return n;
}

function isHigh(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdbff;
}

function isLow(unit: number): boolean {
  return unit >= 0xdc00 && unit <= 0xdfff;
}

/** True when a cut at `at` would part a surrogate pair. */
function partsPair(text: string, at: number): boolean {
  return at > 0 && at < text.length && isHigh(text.charCodeAt(at - 1)) && isLow(text.charCodeAt(at));
}

/** Equal units at the start and the end of two texts, never parting a surrogate pair. */
function commonEnds(before: string, after: string): { start: number; end: number } {
  const n_max = Math.min(before.length, after.length);
  let start = 0;
  while (start < n_max && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  while (start > 0 && (partsPair(before, start) || partsPair(after, start))) start -= 1;
  let end = 0;
  while (
    end < n_max - start &&
    before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)
  ) {
    end += 1;
  }
  while (end > 0 && (partsPair(before, before.length - end) || partsPair(after, after.length - end))) end -= 1;
  return { start, end };
}

/** Drops from each replacement what it puts back as it was. `base` is the text it applies to. */
export function minimised(change: Changeset, base: string): Changeset {
  const out: Op[] = [];
  let at = 0;
  for (let i = 0; i < change.length; i += 1) {
    const op = change[i] as Op;
    const next = change[i + 1];
    if (typeof op === "string" && typeof next === "number" && next < 0) {
      const gone = base.slice(at, at - next);
      const { start, end } = commonEnds(gone, op);
      push(out, start);
      push(out, op.slice(start, op.length - end));
      push(out, -(gone.length - start - end));
      push(out, end);
      at -= next;
      i += 1;
    } else {
      push(out, op);
      if (typeof op === "number") at += Math.abs(op);
    }
  }
  return finish(out);
}

/** True when every inserted text can travel as UTF-8. */
export function isWellFormed(change: Changeset): boolean {
  return change.every((op) => typeof op === "number" || !/\p{Surrogate}/u.test(op));
}

/** Lone surrogates become U+FFFD, which is as long. */
export function wellFormed(change: Changeset): Changeset {
  return change.map((op) => (typeof op === "string" ? op.replace(/\p{Surrogate}/gu, "\ufffd") : op));
}

/** More differing lines than this and the whole middle counts as replaced. */
const DIFF_STEPS_MAX = 600;

/** A changeset that leads from one text to another: by lines, then tightened within them. */
export function difference(before: string, after: string): Changeset {
  const { start, end } = commonEnds(before, after);
  const old = before.slice(start, before.length - end);
  const now = after.slice(start, after.length - end);
  const out: Op[] = [];
  push(out, start);
  for (const op of diffLines(old.split(/(?<=\n)/), now.split(/(?<=\n)/))) push(out, op);
  return minimised(finish(out), before);
}

/** Myers' greedy walk over lines; `trail` keeps the furthest points of each round to walk back. */
function diffLines(old: string[], now: string[]): Op[] {
  const trail: Map<number, number>[] = [];
  let furthest = new Map<number, number>([[1, 0]]);
  for (let d = 0; d <= Math.min(old.length + now.length, DIFF_STEPS_MAX); d += 1) {
    trail.push(new Map(furthest));
    for (let k = -d; k <= d; k += 2) {
      const down = k === -d || (k !== d && (furthest.get(k - 1) ?? 0) < (furthest.get(k + 1) ?? 0));
      let x = down ? (furthest.get(k + 1) ?? 0) : (furthest.get(k - 1) ?? 0) + 1;
      while (x < old.length && x - k < now.length && old[x] === now[x - k]) x += 1;
      furthest.set(k, x);
      if (x >= old.length && x - k >= now.length) return walkBack(old, now, trail, d);
    }
    furthest = new Map(furthest);
  }
  return [now.join(""), -old.join("").length];
}

function walkBack(old: string[], now: string[], trail: Map<number, number>[], rounds: number): Op[] {
  const reversed: Op[] = [];
  let x = old.length;
  let y = now.length;
  for (let d = rounds; d >= 0; d -= 1) {
    const furthest = trail[d] as Map<number, number>;
    const k = x - y;
    const down = k === -d || (k !== d && (furthest.get(k - 1) ?? 0) < (furthest.get(k + 1) ?? 0));
    const fromK = down ? k + 1 : k - 1;
    const fromX = d === 0 ? 0 : (furthest.get(fromK) ?? 0);
    const fromY = d === 0 ? 0 : fromX - fromK;
    while (x > fromX && y > fromY) {
      x -= 1;
      y -= 1;
      reversed.push((old[x] as string).length);
    }
    if (d === 0) break;
    if (down) reversed.push(now[y - 1] as string);
    else reversed.push(-(old[x - 1] as string).length);
    x = fromX;
    y = fromY;
  }
  return reversed.reverse();
}

const CRC32C_TABLE = Uint32Array.from({ length: 256 }, (_, i) => {
  let c = i;
  for (let bit = 0; bit < 8; bit += 1) c = c & 1 ? (c >>> 1) ^ 0x82f63b78 : c >>> 1;
  return c >>> 0;
});

/** CRC32C (Castagnoli) of the UTF-8 form of a text that comes in parts. */
export class Crc32c {
  #crc = 0xffffffff;
  readonly #encoder = new TextEncoder();
  /** The first half of a surrogate pair whose other half comes with the next part. */
  #half = "";

  push(part: string): void {
    let text = this.#half + part;
    this.#half = isHigh(text.charCodeAt(text.length - 1)) ? text.slice(-1) : "";
    if (this.#half !== "") text = text.slice(0, -1);
    let crc = this.#crc;
    for (const byte of this.#encoder.encode(text)) crc = (CRC32C_TABLE[(crc ^ byte) & 0xff] as number) ^ (crc >>> 8);
    this.#crc = crc;
  }

  get value(): number {
    const rest = this.#half;
    this.#half = "";
    // A half that stays alone is U+FFFD, as the encoder writes it.
    if (rest !== "") this.push("\ufffd");
    return (this.#crc ^ 0xffffffff) >>> 0;
  }
}

export function crc32c(text: string): number {
  const crc = new Crc32c();
  crc.push(text);
  return crc.value;
}
