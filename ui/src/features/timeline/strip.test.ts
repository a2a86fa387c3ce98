/** The strip's geometry, keys and words. */
import { describe, expect, it } from "vitest";
import type { Bucket, MomentInfo } from "../../api/generated";
import { AxisMap } from "./axis";
import { gapMarks, laneBars, stackedBars } from "./bars";
import { type StripAction, stripAction } from "./keys";
import * as words from "./words";

function bucket(from: number, to: number, startMs: number, endMs: number, chars: [number, number][] = []): Bucket {
  return { from, to, startMs, endMs, chars };
}

/** Ten changes in the first tenth of the time, nothing for long, ten at the end. */
const CLOCK = [bucket(0, 10, 0, 100), bucket(10, 10, 100, 900), bucket(10, 20, 900, 1000)];

describe("activity axis", () => {
  const map = new AxisMap("activity", { from: 100, to: 300 }, []);

  it("gives every change the same room, both ways", () => {
    expect(map.fractionOf(100)).toBe(0);
    expect(map.fractionOf(200)).toBe(0.5);
    expect(map.indexAt(0.25)).toBe(150);
    for (let index = 100; index <= 300; index += 1) expect(map.indexAt(map.fractionOf(index))).toBe(index);
  });

  it("a hand beyond the edge holds the edge; a moment beyond it has a place outside", () => {
    expect(map.indexAt(-1)).toBe(100);
    expect(map.indexAt(2)).toBe(300);
    expect(map.fractionOf(500)).toBe(2);
  });

  it("an empty timeline has its only moment at the right end", () => {
    const empty = new AxisMap("activity", { from: 0, to: 0 }, []);
    expect(empty.fractionOf(0)).toBe(1);
    expect(empty.indexAt(0.3)).toBe(0);
  });
});

describe("clock axis", () => {
  const map = new AxisMap("clock", { from: 0, to: 20 }, CLOCK);

  it("places moments by their time", () => {
    expect(map.fractionOf(5)).toBeCloseTo(0.05);
    expect(map.fractionOf(15)).toBeCloseTo(0.95);
    expect(map.indexAt(0.05)).toBe(5);
    expect(map.indexAt(0.95)).toBe(15);
  });

  it("in idle time stands the last moment before it", () => {
    for (const fraction of [0.1, 0.3, 0.5, 0.899]) expect(map.indexAt(fraction)).toBe(10);
  });

  it("every moment comes back from its own place", () => {
    for (let index = 0; index <= 20; index += 1) expect(map.indexAt(map.fractionOf(index))).toBe(index);
  });

  it("never runs backwards", () => {
    let before = 0;
    for (let i = 0; i <= 1000; i += 1) {
      const index = map.indexAt(i / 1000);
      expect(index).toBeGreaterThanOrEqual(before);
      before = index;
    }
    expect(before).toBe(20);
  });
});

describe("bars", () => {
  const map = new AxisMap("activity", { from: 0, to: 20 }, []);
  const buckets = [bucket(0, 10, 0, 1, [[0, 30], [1, 10]]), bucket(10, 20, 1, 2, [[0, 1]])];

  it("stack the authors within a logarithmic height", () => {
    const bars = stackedBars(buckets, map);
    expect(bars.map((bar) => bar.author)).toEqual([0, 1, 0]);
    expect(bars[0]!.height + bars[1]!.height).toBeCloseTo(1);
    expect(bars[0]!.height / bars[1]!.height).toBeCloseTo(3);
    expect(bars[1]!.bottom).toBeCloseTo(bars[0]!.height);
    expect(bars[2]!.height).toBeGreaterThan(0.1);
    expect(bars[2]!.left).toBe(0.5);
  });

  it("changes without characters (a rename) are to be seen too", () => {
    expect(stackedBars([bucket(0, 5, 0, 1)], map)).toMatchObject([{ author: -1, bottom: 0 }]);
    expect(stackedBars([bucket(5, 5, 0, 1)], map)).toEqual([]);
  });

  it("a lane shows one author, to its own scale", () => {
    expect(laneBars(buckets, map, 0)).toMatchObject([{ left: 0, width: 0.5, height: 1 }, { left: 0.5 }]);
    expect(laneBars(buckets, map, 1)).toMatchObject([{ left: 0, width: 0.5 }]);
    expect(laneBars(buckets, map, 1)[0]?.height).toBeCloseTo(Math.log1p(10) / Math.log1p(16));
    const long = [bucket(0, 10, 0, 1, [[0, 300], [1, 40]])];
    expect(laneBars(long, map, 1)).toMatchObject([{ left: 0, width: 0.5, height: 1 }]);
  });

  it("letters typed one by one stay low, where nothing larger was either", () => {
    const letters = [bucket(0, 1, 0, 1, [[0, 1]]), bucket(1, 2, 1, 2, [[0, 1]])];
    for (const { height } of stackedBars(letters, map)) expect(height).toBeLessThan(0.3);
  });

  it("folds: the longest first, where there is room", () => {
    const gaps = [
      { index: 5, idleMs: 7_200_000 },
      { index: 6, idleMs: 61_000 },
      { index: 15, idleMs: 600_000 },
      { index: 20, idleMs: 9_000_000 },
    ];
    expect(gapMarks(gaps, map, 400, 40).map((mark) => mark.label)).toEqual(["2 h", "10 min"]);
    expect(gapMarks(gaps, new AxisMap("clock", { from: 0, to: 20 }, CLOCK), 400, 40)).toEqual([]);
  });
});

describe("keys of the strip", () => {
  const press = (key: string, mods = ""): StripAction | null =>
    stripAction({
      key,
      ctrlKey: mods.includes("c"),
      shiftKey: mods.includes("s"),
      altKey: mods.includes("a"),
      metaKey: false,
    });

  it.each<[string, string, StripAction]>([
    ["ArrowLeft", "", { act: "step", unit: "burst", direction: "back" }],
    ["ArrowRight", "", { act: "step", unit: "burst", direction: "forward" }],
    ["ArrowLeft", "s", { act: "step", unit: "change", direction: "back" }],
    ["ArrowRight", "c", { act: "step", unit: "named", direction: "forward" }],
    ["PageUp", "", { act: "step", unit: "page", direction: "back" }],
    ["PageDown", "", { act: "step", unit: "page", direction: "forward" }],
    ["Home", "", { act: "step", unit: "end", direction: "back" }],
    ["End", "", { act: "step", unit: "end", direction: "forward" }],
    [" ", "", { act: "play" }],
    ["+", "s", { act: "zoomIn" }],
    ["-", "", { act: "zoomOut" }],
    ["D", "", { act: "diff" }],
    ["s", "", { act: "scope" }],
    ["m", "", { act: "name" }],
    ["r", "", { act: "restoreFile" }],
    ["Escape", "", { act: "backToNow" }],
  ])("%s %s", (key, mods, action) => {
    expect(press(key, mods)).toEqual(action);
  });

  it("leaves other people's keys alone", () => {
    for (const [key, mods] of [["d", "c"], ["ArrowLeft", "ca"], ["Tab", ""], ["x", ""], ["s", "c"]] as const) {
      expect(press(key, mods)).toBeNull();
    }
  });
});

describe("words", () => {
  const at = new Date(2026, 10, 21, 14, 32, 7).getTime();
  const now = new Date(2026, 10, 21, 15, 10, 30).getTime();
  const info: MomentInfo = {
    index: 1284, nMoments: 1322, workspaceIndex: 9, atMs: at, deltaId: null,
    author: { id: "b", name: "Bo", initials: "BO", color: 0 },
    path: "src/lexer.rs", added: 12, removed: 0, label: null, position: 3,
  };

  it("times are local, of 24 hours, with the day when it is another", () => {
    expect(words.moment(at, now)).toBe("14:32:07");
    expect(words.moment(new Date(2026, 10, 3, 9, 5, 1).getTime(), now)).toBe("3 Nov 09:05:01");
    expect(words.moment(new Date(2025, 0, 3, 0, 0, 0).getTime(), now)).toBe("3 Jan 2025 00:00:00");
  });

  it("a screen reader hears it all", () => {
    expect(words.valueText(info, 1322, now)).toBe(
      "14:32:07, 38 minutes ago, Bo, added 12 characters, change 1284 of 1322",
    );
    expect(words.valueText({ ...info, added: 1, removed: 3 }, 1322, at + 61_000)).toBe(
      "14:32:07, 1 minute ago, Bo, added 1 character and removed 3 characters, change 1284 of 1322",
    );
    expect(words.valueText({ ...info, index: 0, author: null }, 1322, now)).toBe(
      "before the first change, change 0 of 1322",
    );
  });

  it("changes, counts and plans", () => {
    expect(words.change({ ...info, removed: 3 })).toBe("+12 −3");
    expect(words.change({ ...info, label: "renamed a.rs to b.rs" })).toBe("renamed a.rs to b.rs");
    expect(words.count(1_234_567)).toBe("1\u202f234\u202f567");
    expect(words.ago(at, now)).toBe("38 min ago");
    expect(words.ago(now - 2_000, now)).toBe("just now");
    expect(words.planInWords(7, 1, 2)).toBe(
      "7 files change back · 1 deleted file returns · 2 files made since then go away",
    );
    expect(words.planInWords(0, 0, 0)).toBe("Nothing is different from that moment.");
  });
});
