/** What is counted, in each time slice and in total. */
export interface Counts {
  failures: number;
  fallbacks: number;
  successes: number;
  rejects: number;
  fires: number;
  timeouts: number;
  cacheHits: number;
  cacheMisses: number;
  coalesceCacheHits: number;
  coalesceCacheMisses: number;
  semaphoreRejections: number;
}

/** One time slice. */
export interface Bucket extends Counts {
  percentiles: { [percentile: number]: number };
  /** Milliseconds of the calls that succeeded or failed, in the order they ended. */
  latencyTimes: number[];
  isCircuitBreakerOpen?: boolean;
}

/** The time slices of a `status`, the newest first. */
export type Window = Bucket[];

/** The figures of the whole window. `latencyTimes` are sorted; without percentiles the figures made of them are −1. */
export interface Stats extends Bucket {
  latencyMean: number;
}

export const emptyBucket = (): Bucket => ({
  failures: 0,
  fallbacks: 0,
  successes: 0,
  rejects: 0,
  fires: 0,
  timeouts: 0,
  cacheHits: 0,
  cacheMisses: 0,
  coalesceCacheHits: 0,
  coalesceCacheMisses: 0,
  semaphoreRejections: 0,
  percentiles: {},
  latencyTimes: [],
});

export type Counter = keyof Counts;
const counters = Object.keys(emptyBucket()).filter((key) => !/^(percentiles|latencyTimes)$/.test(key)) as Counter[];

/** A first bucket with figures from elsewhere: what is no number, or missing, is 0. */
export function primed(stats: Partial<Stats>): Bucket {
  const bucket = { ...emptyBucket(), ...stats };
  for (const counter of counters) bucket[counter] = Number.isFinite(bucket[counter]) ? bucket[counter] : 0;
  bucket.latencyTimes = Array.isArray(stats.latencyTimes) ? [...stats.latencyTimes] : [];
  return bucket;
}

export const sum = (window: readonly Bucket[], counter: Counter): number =>
  window.reduce((total, bucket) => total + bucket[counter], 0);

const shares = [0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 1];

export function totals(window: readonly Bucket[], latencies: boolean): Stats {
  const stats: Stats = { ...emptyBucket(), latencyMean: latencies ? 0 : -1 };
  for (const counter of counters) stats[counter] = sum(window, counter);
  if (latencies) {
    const times = window.flatMap((bucket) => bucket.latencyTimes).sort((a, b) => a - b);
    stats.latencyTimes = times;
    if (times.length > 0) stats.latencyMean = times.reduce((total, ms) => total + ms, 0) / times.length;
  }
  for (const share of shares) {
    const at = Math.max(0, Math.ceil(share * stats.latencyTimes.length) - 1);
    stats.percentiles[share] = latencies ? (stats.latencyTimes[at] ?? 0) : -1;
  }
  return stats;
}
