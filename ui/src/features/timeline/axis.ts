/**
 * Where a moment stands on the strip, and which moment stands at a place. Pure.
 * Activity gives every change the same room. Clock gives every millisecond the same room; what is known of the
 * time in between comes from the bars, which on that axis cover equal times.
 */
import type { Axis, Bucket } from "../../api/generated";
import type { Stretch } from "../../state/timeline.svelte";

export class AxisMap {
  /** Bars with at least one change; on the clock axis the only places where a moment can be. */
  readonly #filled: Bucket[];
  readonly #start_ms: number;
  readonly #end_ms: number;

  constructor(
    readonly axis: Axis,
    readonly stretch: Stretch,
    buckets: readonly Bucket[],
  ) {
    this.#filled = buckets.filter((bucket) => bucket.to > bucket.from);
    this.#start_ms = buckets[0]?.startMs ?? 0;
    this.#end_ms = buckets[buckets.length - 1]?.endMs ?? 0;
  }

  get #isLinear(): boolean {
    return this.axis === "activity" || this.#filled.length === 0 || this.#end_ms <= this.#start_ms;
  }

  /** 0..1 from the left end; outside of it for what lies beyond the part shown. */
  fractionOf(index: number): number {
    const { from, to } = this.stretch;
    if (to <= from) return 1;
    if (this.#isLinear || index >= to || index <= from) return (index - from) / (to - from);
    const bucket = this.#bucketOf(index);
    const within = (index - bucket.from) / (bucket.to - bucket.from);
    return this.#fractionOfTime(bucket.startMs + within * (bucket.endMs - bucket.startMs));
  }

  /** The moment nearest to a place. */
  indexAt(fraction: number): number {
    const { from, to } = this.stretch;
    if (this.#isLinear || fraction >= 1 || fraction <= 0) {
      return Math.round(from + Math.min(1, Math.max(0, fraction)) * (to - from));
    }
    const at_ms = this.#start_ms + fraction * (this.#end_ms - this.#start_ms);
    // The last change at or before that time: nothing happens in the empty room after a bar.
    let index = from;
    for (const bucket of this.#filled) {
      if (bucket.startMs > at_ms) break;
      const within = Math.min(1, (at_ms - bucket.startMs) / Math.max(1, bucket.endMs - bucket.startMs));
      index = Math.round(bucket.from + within * (bucket.to - bucket.from));
    }
    return index;
  }

  /** Where a bar begins and ends. */
  placeOf(bucket: Bucket): { left: number; right: number } {
    if (this.#isLinear) return { left: this.fractionOf(bucket.from), right: this.fractionOf(bucket.to) };
    return { left: this.#fractionOfTime(bucket.startMs), right: this.#fractionOfTime(bucket.endMs) };
  }

  #fractionOfTime(at_ms: number): number {
    return (at_ms - this.#start_ms) / (this.#end_ms - this.#start_ms);
  }

  #bucketOf(index: number): Bucket {
    let low = 0;
    let high = this.#filled.length - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#filled[middle] as Bucket).to >= index) high = middle;
      else low = middle + 1;
    }
    return this.#filled[low] as Bucket;
  }
}
