/** How the timeline says times, spans and changes. Local time, 24 hours, always with seconds. */
import type { MomentInfo } from "../../api/generated";
import { clock, moment } from "../../base/words";

export { clock, moment };

const SPANS: [ms: number, short: string, one: string, many: string][] = [
  [86_400_000, "d", "day", "days"],
  [3_600_000, "h", "hour", "hours"],
  [60_000, "min", "minute", "minutes"],
  [1_000, "s", "second", "seconds"],
];

/** "38 min", "2 h"; `0 s` for less than a second. */
export function span(ms: number): string {
  for (const [unit_ms, short] of SPANS) if (ms >= unit_ms) return `${Math.floor(ms / unit_ms)} ${short}`;
  return "0 s";
}

/** "38 min ago", "just now" */
export function ago(at_ms: number, now_ms: number): string {
  return now_ms - at_ms < 5_000 ? "just now" : `${span(now_ms - at_ms)} ago`;
}

/** "38 minutes ago", for a screen reader. */
export function agoInWords(at_ms: number, now_ms: number): string {
  const ms = now_ms - at_ms;
  if (ms < 5_000) return "just now";
  for (const [unit_ms, , one, many] of SPANS) {
    if (ms < unit_ms) continue;
    const n = Math.floor(ms / unit_ms);
    return `${n} ${n === 1 ? one : many} ago`;
  }
  return "just now";
}

/** "1 284" with a narrow space between thousands. */
export function count(n: number): string {
  return String(n).replace(/\B(?=(\d{3})+$)/g, "\u202f");
}

/** "1 change", "1 284 changes" */
export function changes(n: number): string {
  return `${count(n)} ${n === 1 ? "change" : "changes"}`;
}

/** "+12 −3", or what it was if it was not typing. */
export function change(info: MomentInfo): string {
  if (info.index === 0) return "before the first change";
  if (info.label !== null) return info.label;
  const parts = [];
  if (info.added > 0) parts.push(`+${count(info.added)}`);
  if (info.removed > 0) parts.push(`−${count(info.removed)}`);
  return parts.length === 0 ? "no text changed" : parts.join(" ");
}

function changeInWords(info: MomentInfo): string {
  if (info.index === 0) return "before the first change";
  if (info.label !== null) return info.label;
  const characters = (n: number): string => `${n} ${n === 1 ? "character" : "characters"}`;
  const parts = [];
  if (info.added > 0) parts.push(`added ${characters(info.added)}`);
  if (info.removed > 0) parts.push(`removed ${characters(info.removed)}`);
  return parts.length === 0 ? "no text changed" : parts.join(" and ");
}

/** "14:32:07, 38 minutes ago, Bo, added 12 characters, change 1284 of 1322" */
export function valueText(info: MomentInfo, n_moments: number, now_ms: number): string {
  const parts = [];
  if (info.index > 0) parts.push(moment(info.atMs, now_ms), agoInWords(info.atMs, now_ms));
  if (info.author !== null) parts.push(info.author.name);
  parts.push(changeInWords(info), `change ${info.index} of ${n_moments}`);
  return parts.join(", ");
}

export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** "7 files change back · 1 deleted file returns · 2 files made since then go away" */
export function planInWords(n_changed: number, n_returning: number, n_leaving: number): string {
  const parts = [];
  if (n_changed > 0) parts.push(n_changed === 1 ? "1 file changes back" : `${count(n_changed)} files change back`);
  if (n_returning > 0) {
    parts.push(n_returning === 1 ? "1 deleted file returns" : `${count(n_returning)} deleted files return`);
  }
  if (n_leaving > 0) {
    parts.push(n_leaving === 1 ? "1 file made since then goes away" : `${count(n_leaving)} files made since then go away`);
  }
  return parts.length === 0 ? "Nothing is different from that moment." : parts.join(" · ");
}
