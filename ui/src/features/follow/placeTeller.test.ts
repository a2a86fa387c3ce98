import { beforeEach, describe, expect, it } from "vitest";
import type { Place } from "../../api/generated";
import { LATER_MS, PlaceTeller, SOON_MS } from "./placeTeller";

let now_ms = 0;
let timers: { at_ms: number; run: () => void }[] = [];
let line: number | null = 1;
let sent: { at_ms: number; line: number }[] = [];

function pass(ms: number): void {
  const until = now_ms + ms;
  for (;;) {
    timers.sort((a, b) => a.at_ms - b.at_ms);
    const next = timers[0];
    if (next === undefined || next.at_ms > until) break;
    timers.shift();
    now_ms = next.at_ms;
    next.run();
  }
  now_ms = until;
}

function at(topLine: number): Place {
  return { path: "a", selections: [], topLine, line: topLine, pastMs: null, isAway: false, isWritingMessage: false };
}

function makeTeller(): PlaceTeller {
  return new PlaceTeller({
    read: () => (line === null ? null : at(line)),
    send: (place) => void sent.push({ at_ms: now_ms, line: place.topLine }),
    now: () => now_ms,
    after: (ms, run) => {
      const timer = { at_ms: now_ms + ms, run };
      timers.push(timer);
      return () => (timers = timers.filter((one) => one !== timer));
    },
  });
}

describe("own place", () => {
  beforeEach(() => {
    now_ms = 0;
    timers = [];
    line = 1;
    sent = [];
  });

  it("is told to nobody when there is nobody", () => {
    const teller = makeTeller();
    teller.changed();
    pass(1_000);
    expect(sent).toEqual([]);
  });

  it("is told twenty times a second, and the last state always", () => {
    const teller = makeTeller();
    teller.isOn = true;
    for (let i = 2; i <= 101; i += 1) {
      pass(10);
      line = i;
      teller.changed();
    }
    pass(1_000);
    expect(sent.length).toBeGreaterThan(15);
    expect(sent.length).toBeLessThanOrEqual(22);
    expect(sent.at(-1)?.line).toBe(101);
    expect(sent.slice(1).every((one, i) => one.at_ms - (sent[i]?.at_ms ?? 0) >= SOON_MS)).toBe(true);
  });

  it("is not told twice alike, but told anew to whoever comes later", () => {
    const teller = makeTeller();
    teller.isOn = true;
    pass(100);
    teller.changed();
    pass(100);
    expect(sent.length).toBe(1);
    teller.anew();
    pass(100);
    expect(sent.length).toBe(2);
  });

  it("waits with what others moved, unless something of one's own comes before", () => {
    const teller = makeTeller();
    teller.isOn = true;
    pass(100);
    line = 2;
    teller.changed(LATER_MS);
    pass(LATER_MS - 1);
    expect(sent.length).toBe(1);
    pass(1);
    expect(sent.length).toBe(2);
    line = 3;
    teller.changed(LATER_MS);
    teller.changed(SOON_MS);
    pass(SOON_MS);
    expect(sent.length).toBe(3);
    pass(LATER_MS);
    expect(sent.length).toBe(3);
  });

  it("is asked for again when it could not be said", () => {
    const teller = makeTeller();
    line = null;
    teller.isOn = true;
    pass(100);
    expect(sent).toEqual([]);
    line = 7;
    pass(LATER_MS);
    expect(sent.map((one) => one.line)).toEqual([7]);
  });
});
