import { describe, expect, it } from "vitest";
import type { LinkState } from "../api/generated";
import { type ShownLink, afterTold, untilDue_ms } from "./shownLink";

const LIVE: LinkState = { kind: "live", nOthers: 1 };
const OFFLINE: LinkState = { kind: "offline" };
const BEHIND: LinkState = { kind: "catchingUp", nLeft: 1, nAll: 1 };

/** What is shown after each of these was told at its time. */
function shownAfter(told: readonly (readonly [ms: number, link: LinkState])[]): string[] {
  let shown: ShownLink | null = null;
  return told.map(([ms, link]) => {
    shown = afterTold(shown, link, ms);
    return shown.link.kind;
  });
}

describe("how the others are, as it is shown", () => {
  it("stays live while somebody types", () => {
    const typing = Array.from({ length: 40 }, (_, n) => [n * 250, n % 4 === 3 ? LIVE : BEHIND] as const);
    expect(new Set(shownAfter([[0, LIVE], ...typing]))).toEqual(new Set(["live"]));
  });

  it("is catching up when that lasts, told again or not", () => {
    expect(shownAfter([[0, LIVE], [100, BEHIND], [600, BEHIND], [1_099, BEHIND], [1_100, BEHIND], [1_200, BEHIND], [1_300, LIVE], [1_400, BEHIND]])).toEqual(
      ["live", "live", "live", "live", "catchingUp", "catchingUp", "live", "live"],
    );
    const waiting = afterTold(afterTold(null, LIVE, 0), BEHIND, 100);
    expect(untilDue_ms(waiting, 700)).toBe(400);
    const due = afterTold(waiting, BEHIND, 1_100);
    expect(due.link).toBe(BEHIND);
    expect(untilDue_ms(due, 1_100)).toBe(null);
  });

  it("is catching up at once after being offline and at the start, and offline at once", () => {
    expect(shownAfter([[0, OFFLINE], [1, BEHIND], [2, LIVE], [3, OFFLINE]])).toEqual(["offline", "catchingUp", "live", "offline"]);
    expect(shownAfter([[0, BEHIND]])).toEqual(["catchingUp"]);
    expect(untilDue_ms(afterTold(null, OFFLINE, 0), 0)).toBe(null);
  });
});
