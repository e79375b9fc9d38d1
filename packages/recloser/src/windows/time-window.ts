import { also, list, number, type Reader, read, record, stored } from '../core/check.ts';
import { longestTimerMs } from '../core/time/clock.ts';
import type { Window } from './window.ts';

interface Saved {
  readonly bucketMs: number;
  /** How long the newest bucket had been open. */
  readonly ageMs: number;
  /** `[calls, hits]`, the newest bucket first. */
  readonly buckets: readonly (readonly [calls: number, hits: number])[];
}

const pair: Reader<Saved['buckets'][0]> = (value, _path, fault) => {
  const [calls, hits] = Array.isArray(value) ? value : [];
  number(0, 2 ** 31, true)(calls, 'calls', fault);
  number(0, typeof calls === 'number' ? calls : 0, true)(hits, 'hits', fault);
  return [calls, hits];
};
const written: Reader<Saved> = also(
  record({
    bucketMs: number(0.001, longestTimerMs),
    ageMs: number(0, longestTimerMs),
    buckets: list(pair),
  }),
  ({ bucketMs, ageMs }, fault, isSound) => {
    if (isSound && ageMs > bucketMs) fault('ageMs', 'at most bucketMs', ageMs);
  },
);

/**
 * The last T milliseconds in B buckets. It is rotated by the time of the calls, not by a timer and not a bucket a call:
 * after any silence all that is stale goes at once. (cockatiel's SamplingBreaker kept an hour-old window.)
 */
export class TimeWindow implements Window {
  calls = 0;
  hits = 0;
  readonly #bucketMs: number;
  /** calls, hits, calls, hits, …: plain small integers in one array. */
  readonly #buckets: number[];
  #newest = 0;
  #newestSince: number;

  constructor(windowMs: number, buckets: number, now: number) {
    this.#bucketMs = windowMs / buckets;
    this.#buckets = new Array<number>(2 * buckets).fill(0);
    this.#newestSince = now;
  }

  add(hit: boolean, now: number): void {
    if (now - this.#newestSince >= this.#bucketMs) this.#rotate(now);
    const at = this.#newest;
    const buckets = this.#buckets;
    buckets[at] = (buckets[at] as number) + 1;
    this.calls++;
    if (hit) {
      buckets[at + 1] = (buckets[at + 1] as number) + 1;
      this.hits++;
    }
  }

  count(now: number): { calls: number; hits: number } {
    const buckets = this.#buckets;
    let { calls, hits } = this;
    const stale = Math.min(this.#bucketsSince(now), buckets.length / 2);
    for (let i = 1; i <= stale; i++) {
      const at = (this.#newest + 2 * i) % buckets.length;
      calls -= buckets[at] as number;
      hits -= buckets[at + 1] as number;
    }
    return { calls, hits };
  }

  clear(now: number): void {
    this.#buckets.fill(0);
    this.calls = this.hits = 0;
    this.#newestSince = now;
  }

  #bucketsSince(now: number): number {
    return Math.max(0, Math.floor((now - this.#newestSince) / this.#bucketMs));
  }

  #rotate(now: number): void {
    const buckets = this.#buckets;
    const steps = this.#bucketsSince(now);
    this.#newestSince += steps * this.#bucketMs;
    for (let i = Math.min(steps, buckets.length / 2); i > 0; i--) {
      const at = (this.#newest + 2) % buckets.length;
      this.calls -= buckets[at] as number;
      this.hits -= buckets[at + 1] as number;
      buckets[at] = buckets[at + 1] = 0;
      this.#newest = at;
    }
  }

  toJSON(now: number): Saved {
    const list: [number, number][] = [];
    const size = this.#buckets.length;
    const since = this.#bucketsSince(now);
    for (let i = 0; i < size / 2; i++) {
      const at = (this.#newest - 2 * (i - since) + 2 * size) % size;
      list.push(i < since ? [0, 0] : [this.#buckets[at] as number, this.#buckets[at + 1] as number]);
    }
    // Within the bucket, also where rounding says otherwise.
    const ageMs = Math.min(this.#bucketMs, Math.max(0, now - this.#newestSince - since * this.#bucketMs));
    return { bucketMs: this.#bucketMs, ageMs, buckets: list };
  }

  /**
   * Takes up what another window of the same shape wrote; the time in between does not count. Of another shape it begins
   * anew. @throws TypeError if no window wrote it
   */
  static restore(windowMs: number, buckets: number, now: number, saved: unknown): TimeWindow {
    const window = new TimeWindow(windowMs, buckets, now);
    const { bucketMs, ageMs, buckets: pairs } = read('a time window', saved, stored(written));
    if (bucketMs !== window.#bucketMs || pairs.length !== buckets) return window;
    window.#newestSince = now - ageMs;
    pairs.forEach(([calls, hits], i) => {
      const at = (window.#buckets.length - 2 * i) % window.#buckets.length;
      window.#buckets[at] = calls;
      window.#buckets[at + 1] = hits;
      window.calls += calls;
      window.hits += hits;
    });
    return window;
  }
}
