/** Times and numbers as people read them. */

/** "15:04:22" of this computer's day. */
export function clock(at_ms: number): string {
  const at = new Date(at_ms);
  return [at.getHours(), at.getMinutes(), at.getSeconds()].map((part) => String(part).padStart(2, "0")).join(":");
}

/** "14:32:07" today, "3 Nov 14:32:07" this year, "3 Nov 2025 14:32:07" before. */
export function moment(at_ms: number, now_ms: number): string {
  return nDaysAgo(at_ms, now_ms) === 0 ? clock(at_ms) : `${date(at_ms, now_ms)} ${clock(at_ms)}`;
}

/** "14:32" today, "3 Nov 14:32" before. */
export function minute(at_ms: number, now_ms: number): string {
  return moment(at_ms, now_ms).slice(0, -":07".length);
}

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const DAYS = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** "just now", "2 min", "3 h", "Mon", "3 Nov". */
export function ago(at_ms: number, now_ms: number): string {
  const past_ms = Math.max(0, now_ms - at_ms);
  if (past_ms < MINUTE_MS) return "just now";
  if (past_ms < 60 * MINUTE_MS) return `${Math.floor(past_ms / MINUTE_MS)} min`;
  if (past_ms < DAY_MS) return `${Math.floor(past_ms / (60 * MINUTE_MS))} h`;
  return day(at_ms, now_ms);
}

/** "14:52", "Mon", "3 Nov": after "since" and "last seen". */
export function when(at_ms: number, now_ms: number): string {
  return now_ms - at_ms < DAY_MS ? clock(at_ms).slice(0, 5) : day(at_ms, now_ms);
}

function day(at_ms: number, now_ms: number): string {
  return nDaysAgo(at_ms, now_ms) < 7 ? (DAYS[new Date(at_ms).getDay()] ?? "") : date(at_ms, now_ms);
}

/** How many midnights of this computer lie between. */
export function nDaysAgo(at_ms: number, now_ms: number): number {
  const midnight = (ms: number): number => new Date(ms).setHours(0, 0, 0, 0);
  return Math.round((midnight(now_ms) - midnight(at_ms)) / DAY_MS);
}

/** "3 Nov", "3 Nov 2025" of another year. */
export function date(at_ms: number, now_ms: number): string {
  const at = new Date(at_ms);
  const year = at.getFullYear() === new Date(now_ms).getFullYear() ? "" : ` ${at.getFullYear()}`;
  return `${at.getDate()} ${MONTHS[at.getMonth()]}${year}`;
}

export function plural(n: number, one: string, many = `${one}s`): string {
  return `${n.toLocaleString("en").replaceAll(",", " ")} ${n === 1 ? one : many}`;
}

export function bytes(n: number): string {
  if (n < 1_000) return `${n} B`;
  for (const [size, unit] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]] as const) {
    if (n >= size) return `${(n / size).toFixed(n / size < 10 ? 1 : 0)} ${unit}`;
  }
  return `${n} B`;
}

/** True when every word typed is somewhere in the text, whatever the capitals. */
export function hasAllWords(text: string, typed: string): boolean {
  const low = text.toLowerCase();
  return typed.trim().toLowerCase().split(/\s+/).every((word) => low.includes(word));
}

/** Two letters that stand for a name, the same as in histories: of its first and last word, or of its only one. */
export function initialsOf(name: string): string {
  const words = name.split(/\s+/).filter((word) => word !== "");
  const [first = "?"] = words;
  const last = words.at(-1);
  const letters = words.length < 2 ? [...first].slice(0, 2) : [...first].slice(0, 1).concat([...(last ?? "")].slice(0, 1));
  return letters.join("").toUpperCase();
}

/** The author colours by name, in their order. */
export const COLOR_NAMES = ["Sky", "Amber", "Mint", "Rose", "Violet", "Lemon", "Teal", "Coral"] as const;

/** The CSS colour of an author or member. */
export function colorVar(color: number): string {
  return `var(--author-${color % 8})`;
}

/** "9:41" */
export function countdown(left_ms: number): string {
  const left_s = Math.max(0, Math.ceil(left_ms / 1_000));
  const hours = Math.floor(left_s / 3_600);
  const minutes = Math.floor((left_s % 3_600) / 60);
  const seconds = String(left_s % 60).padStart(2, "0");
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** "UTF-8", "UTF-8 with BOM". In UTF-16 the mark goes without saying. */
export function encodingInWords(encoding: string, byteOrderMark: boolean): string {
  return byteOrderMark && encoding.toUpperCase() === "UTF-8" ? `${encoding} with BOM` : encoding;
}

/** "1 character", "12 characters" */
export function characters(n: number): string {
  return plural(n, "character");
}

const WORDED: readonly [ms: number, one: string][] = [
  [86_400_000, "day"],
  [3_600_000, "hour"],
  [60_000, "minute"],
  [1_000, "second"],
];

/** "5 seconds ago", "just now", for whoever listens rather than looks. */
export function agoInWords(at_ms: number, now_ms: number): string {
  const ms = now_ms - at_ms;
  const unit = ms < 2_000 ? undefined : WORDED.find(([unit_ms]) => ms >= unit_ms);
  return unit === undefined ? "just now" : `${plural(Math.floor(ms / unit[0]), unit[1])} ago`;
}
