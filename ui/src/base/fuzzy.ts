/** Matching of a few typed letters against names: all letters in order, better when together and at word starts. */

export interface Match {
  score: number;
  /** Indices of the matched characters. */
  positions: number[];
}

const CONSECUTIVE = 8;
const WORD_START = 10;
const NAME_START = 12;
const GAP_COST = 1;

export function fuzzyMatch(query: string, target: string): Match | null {
  const wanted = query.replaceAll(" ", "").toLowerCase();
  if (wanted === "") return { score: 0, positions: [] };
  const low = target.toLowerCase();
  // A match wholly inside the file name beats one spread over the folders.
  const nameStart = target.lastIndexOf("/") + 1;
  const inName = wanted.includes("/") ? null : walk(wanted, target, low, nameStart);
  if (inName !== null) return { ...inName, score: inName.score + NAME_START * 2 };
  return walk(wanted, target, low, 0);
}

function walk(wanted: string, target: string, low: string, from: number): Match | null {
  const whole = low.indexOf(wanted, from);
  const positions = whole >= 0 ? run(bestWhole(wanted, target, low, from), wanted.length) : spread(wanted, target, low, from);
  if (positions === null) return null;
  return { positions, score: scoreOf(positions, target, from) - target.length / 100 };
}

function bestWhole(wanted: string, target: string, low: string, from: number): number {
  const first = low.indexOf(wanted, from);
  for (let at = first; at >= 0; at = low.indexOf(wanted, at + 1)) if (isWordStart(target, at)) return at;
  return first;
}

function run(start: number, length: number): number[] {
  return Array.from({ length }, (_, index) => start + index);
}

function spread(wanted: string, target: string, low: string, from: number): number[] | null {
  const positions: number[] = [];
  let at = from;
  for (let i = 0; i < wanted.length; i += 1) {
    const letter = wanted.charAt(i);
    const next = low.indexOf(letter, at);
    if (next < 0) return null;
    const jump = nextWordStart(letter, target, low, next);
    const isReachable = jump > next && restFits(wanted, i + 1, low, jump + 1);
    const chosen = isReachable && next !== at ? jump : next;
    positions.push(chosen);
    at = chosen + 1;
  }
  return positions;
}

function restFits(wanted: string, from: number, low: string, start: number): boolean {
  let at = start;
  for (let i = from; i < wanted.length; i += 1) {
    const next = low.indexOf(wanted.charAt(i), at);
    if (next < 0) return false;
    at = next + 1;
  }
  return true;
}

function nextWordStart(letter: string, target: string, low: string, from: number): number {
  for (let at = from; at >= 0; at = low.indexOf(letter, at + 1)) if (isWordStart(target, at)) return at;
  return -1;
}

function isWordStart(target: string, at: number): boolean {
  if (at === 0) return true;
  const before = target.charAt(at - 1);
  if ("/_-. :".includes(before)) return true;
  const here = target.charAt(at);
  return before === before.toLowerCase() && here !== here.toLowerCase();
}

function scoreOf(positions: readonly number[], target: string, from: number): number {
  let score = 0;
  let last = -2;
  for (const at of positions) {
    if (at === last + 1) score += CONSECUTIVE;
    else if (last >= 0) score -= Math.min(GAP_COST * (at - last - 1), 10);
    if (at === from) score += NAME_START;
    else if (isWordStart(target, at)) score += WORD_START;
    last = at;
  }
  return score;
}

/** A name cut into stretches that matched and stretches that did not. */
export function pieces(text: string, positions: readonly number[]): { text: string; isMatch: boolean }[] {
  const matched = new Set(positions);
  const result: { text: string; isMatch: boolean }[] = [];
  for (let i = 0; i < text.length; i += 1) {
    const isMatch = matched.has(i);
    const last = result.at(-1);
    if (last !== undefined && last.isMatch === isMatch) last.text += text.charAt(i);
    else result.push({ text: text.charAt(i), isMatch });
  }
  return result;
}
