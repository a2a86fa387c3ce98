/**
 * How the others are, as the pill shows it: while somebody types there is nearly always a change on its way, so catching up
 * counts only when it lasts. Pure; the time is told.
 */
import type { LinkState } from "../api/generated";

/** How long the others may be behind and still count as live. */
const LIVE_FOR_MS = 1_000;

export interface ShownLink {
  link: LinkState;
  /** Since when there was something on its way all the time. Null: there is not. */
  since_ms: number | null;
}

/** Null: nothing was shown yet. */
export function afterTold(before: ShownLink | null, told: LinkState, now_ms: number): ShownLink {
  if (told.kind !== "catchingUp") return { link: told, since_ms: null };
  const since_ms = before?.since_ms ?? now_ms;
  // Only what was live stays so: whoever was offline is catching up from the first moment.
  if (before?.link.kind !== "live" || now_ms - since_ms >= LIVE_FOR_MS) return { link: told, since_ms };
  return { link: before.link, since_ms };
}

/** When to look again though nothing new was told. Null: not at all. */
export function untilDue_ms(shown: ShownLink | null, now_ms: number): number | null {
  if (shown === null || shown.since_ms === null || shown.link.kind === "catchingUp") return null;
  return Math.max(0, shown.since_ms + LIVE_FOR_MS - now_ms);
}
