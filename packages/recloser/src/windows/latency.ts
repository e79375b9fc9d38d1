const minuteMs = 60_000;
const perOctave = 16;

/**
 * A float's highest bits are its octave and the sixteenth of it: a bucket without a logarithm, which would cost more than the
 * clock's rest. (HdrHistogram's layout, Tene.)
 */
const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);
const restOfMantissa = 19;

function bucketOf(ms: number): number {
  float[0] = ms;
  return (bits[0] as number) >>> restOfMantissa;
}

/** From a microsecond (2^-10 ms) to beyond the longest timer; what is less is nothing and has the first. */
const lowest = bucketOf(2 ** -10) - 1;
const highest = bucketOf(2 ** 31);

/** The value that stands for a bucket: its middle, at most 3.1 % from either bound. */
function middle(bucket: number): number {
  bits[0] = (bucket + 0.5) * 2 ** restOfMantissa;
  return float[0] as number;
}

/** Latencies of the calls of the last one to two minutes. */
export interface LatencySummary {
  readonly count: number;
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
  readonly max: number;
}

/** One minute. An octave takes its sixteen places when it is first hit: a dependency's latencies span few of them. */
class Minute {
  max = 0;
  readonly octaves: number[][] = [];

  record(ms: number): void {
    const bucket = Math.min(Math.max(bucketOf(ms), lowest), highest) - lowest;
    const places = (this.octaves[bucket >> 4] ??= new Array<number>(perOctave).fill(0));
    places[bucket & 15] = (places[bucket & 15] as number) + 1;
    if (ms > this.max) this.max = ms;
  }
}

/**
 * A histogram of bounded size on a logarithmic scale: a percentile is within 5 % of the value. One for this minute and one
 * for the last forget what is old.
 */
export class LatencyHistogram {
  #current: Minute = new Minute();
  #previous: Minute | undefined;
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  record(ms: number, now: number): void {
    if (now - this.#since >= minuteMs) {
      const passed = this.#passed(now);
      this.#previous = passed === 1 ? this.#current : undefined;
      this.#current = new Minute();
      this.#since += passed * minuteMs;
    }
    this.#current.record(ms);
  }

  #passed(now: number): number {
    return Math.floor((now - this.#since) / minuteMs);
  }

  /** Reads without rotating: what is too old at `now` is left out. `undefined` if nothing is there. */
  read(now: number): { count: number; max: number; percentile(share: number): number } | undefined {
    const passed = this.#passed(now);
    const parts = [passed < 2 && this.#current, passed < 1 && this.#previous].filter((part) => !!part);
    if (parts.length === 0) return undefined;
    // Dense, however few are hit. (Measured: of a busy breaker a sparse one takes twice as long to fill and walk.)
    const counts = new Array<number>(highest - lowest + 1).fill(0);
    let count = 0;
    for (const { octaves } of parts) {
      octaves.forEach((places, octave) => {
        places.forEach((n, i) => {
          counts[octave * perOctave + i]! += n;
          count += n;
        });
      });
    }
    if (count === 0) return undefined;
    const max = Math.max(...parts.map((part) => part.max));
    const percentile = (share: number): number => {
      let left = Math.ceil(count * share);
      const bucket = counts.findIndex((n) => (left -= n) <= 0);
      return Math.min(max, bucket && middle(lowest + bucket));
    };
    return { count, max, percentile };
  }

  summary(now: number): LatencySummary | undefined {
    const read = this.read(now);
    if (read === undefined) return undefined;
    const { count, max, percentile } = read;
    return { count, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max };
  }
}
