/** Who on the network sees this computer, as it is chosen: for good, or everybody for ten minutes. Pure. */
import type { Settings } from "../api/generated";

const VISIBLE_FOR_MS = 10 * 60_000;
/** What stands in lists for "everyone for ten minutes". */
export const FOR_A_WHILE = "forAWhile";

type Chosen = Pick<Settings, "visibleTo" | "visibleUntilMs">;

/** How long everybody still sees it, for a choice of ten minutes; 0 when it is over, or none was made. */
export function visibleFor_ms({ visibleUntilMs }: Chosen, now_ms: number): number {
  const left_ms = visibleUntilMs - now_ms;
  return left_ms <= VISIBLE_FOR_MS ? Math.max(0, left_ms) : 0;
}

/** The choice as lists have it. */
export function visibilityOf(settings: Chosen, now_ms: number): string {
  return visibleFor_ms(settings, now_ms) > 0 ? FOR_A_WHILE : settings.visibleTo;
}

/** What a choice changes. After the ten minutes it is as before; who was seen by all is then seen by those who are known. */
export function chosenVisibility(choice: string, { visibleTo }: Chosen, now_ms: number): Chosen {
  if (choice !== FOR_A_WHILE) return { visibleTo: choice, visibleUntilMs: 0 };
  return { visibleTo: visibleTo === "everyone" ? "known" : visibleTo, visibleUntilMs: now_ms + VISIBLE_FOR_MS };
}
