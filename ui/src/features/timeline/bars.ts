/** From buckets to rectangles. Pure. Heights grow with the logarithm of the characters changed. */
import type { Bucket, Gap } from "../../api/generated";
import type { AxisMap } from "./axis";
import { span } from "./words";

export interface Bar {
  /** 0..1 of the width. */
  left: number;
  width: number;
  /** 0..1 of the height, from the bottom. */
  bottom: number;
  height: number;
  /** Index into the authors. */
  author: number;
  bucket: Bucket;
}

/** So many characters at once fill the height, when nowhere were more: letters typed one by one stay low. */
const FULL_CHARS = 16;

function total(bucket: Bucket): number {
  return bucket.chars.reduce((sum, [, n]) => sum + n, 0);
}

function heightOf(n_chars: number, n_chars_max: number): number {
  if (n_chars <= 0) return 0;
  // Even one character is to be seen.
  return Math.max(0.12, Math.log1p(n_chars) / Math.log1p(n_chars_max));
}

/** One stack per bucket; within a stack each author has the share that is theirs. */
export function stackedBars(buckets: readonly Bucket[], map: AxisMap): Bar[] {
  const n_chars_max = Math.max(FULL_CHARS, ...buckets.map(total));
  const bars: Bar[] = [];
  for (const bucket of buckets) {
    const n_chars = total(bucket);
    const { left, right } = map.placeOf(bucket);
    const height = heightOf(n_chars, n_chars_max);
    let bottom = 0;
    for (const [author, n] of bucket.chars) {
      if (n <= 0) continue;
      const part = (height * n) / n_chars;
      bars.push({ left, width: right - left, bottom, height: part, author, bucket });
      bottom += part;
    }
    if (n_chars === 0 && bucket.to > bucket.from) {
      bars.push({ left, width: right - left, bottom: 0, height: 0.12, author: -1, bucket });
    }
  }
  return bars;
}

/** The bars of one author alone. */
export function laneBars(buckets: readonly Bucket[], map: AxisMap, author: number): Bar[] {
  const own = (bucket: Bucket): number => bucket.chars.find(([of]) => of === author)?.[1] ?? 0;
  const n_chars_max = Math.max(FULL_CHARS, ...buckets.map(own));
  return buckets
    .filter((bucket) => own(bucket) > 0)
    .map((bucket) => {
      const { left, right } = map.placeOf(bucket);
      return { left, width: right - left, bottom: 0, height: heightOf(own(bucket), n_chars_max), author, bucket };
    });
}

export interface GapMark {
  fraction: number;
  label: string;
  idle_ms: number;
}

/** The folds to draw: the longest idle times first, none closer to another than there is room for. */
export function gapMarks(gaps: readonly Gap[], map: AxisMap, width_px: number, room_px: number): GapMark[] {
  if (map.axis !== "activity" || width_px <= 0) return [];
  const { from, to } = map.stretch;
  const marks: GapMark[] = [];
  const inside = gaps.filter((gap) => gap.index > from && gap.index < to);
  for (const gap of inside.sort((a, b) => b.idleMs - a.idleMs)) {
    const fraction = map.fractionOf(gap.index);
    if (marks.some((mark) => Math.abs(mark.fraction - fraction) * width_px < room_px)) continue;
    marks.push({ fraction, label: span(gap.idleMs), idle_ms: gap.idleMs });
  }
  return marks.sort((a, b) => a.fraction - b.fraction);
}
