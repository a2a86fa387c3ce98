/** How a merge and what was done meanwhile are told. Pure. */
import type { Merged } from "../../api/generated";
import { plural } from "../../base/words";

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** "40 s", "12 min", "3 h 12 min", "2 days 4 h" */
export function spanOf(ms: number): string {
  if (ms < MINUTE_MS) return `${Math.max(1, Math.round(ms / 1_000))} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) {
    const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
    return `${Math.floor(ms / HOUR_MS)} h${minutes === 0 ? "" : ` ${minutes} min`}`;
  }
  const hours = Math.floor((ms % DAY_MS) / HOUR_MS);
  return `${plural(Math.floor(ms / DAY_MS), "day")}${hours === 0 ? "" : ` ${hours} h`}`;
}

/** "Bo", "Bo and Lin", "Bo, Lin and Ravi" */
export function namesOf(names: readonly string[]): string {
  if (names.length < 2) return names[0] ?? "the others";
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}

/** MSG-MERGE-1 */
export function mergeSentence({ with: names, apartMs, nOurs, nTheirs, nFiles, places }: Merged): string {
  const whose = names.length === 1 ? `${names[0]}'s` : "theirs";
  const head = `✓ Back together with ${namesOf(names)}. Merged ${spanOf(apartMs)} of work: ${plural(nOurs, "of your changes", "of your changes")}, ${plural(nTheirs, `of ${whose}`, `of ${whose}`)}, in ${plural(nFiles, "file")}.`;
  if (places.length === 0) return head;
  return `${head} ${places.length === 1 ? "1 place was" : `${places.length} places were`} edited by both of you.`;
}
