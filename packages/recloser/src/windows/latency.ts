const rotateEveryMs = 60_000;
const perOctave = 16;

/** The bits of a double say its octave and its sixteenth of it: no logarithm, which would cost more than the clock's rest. */
const double = new Float64Array(1);
const words = new Uint32Array(double.buffer);
double[0] = 1;
const high = words[1] === 0 ? 0 : 1;

function bucketOf(ms: number): number {
  double[0] = ms;
  return (words[high] as number) >>> 16;
}

/** From a microsecond (2^-10 ms) to beyond the longest timer. */
const lowest = bucketOf(2 ** -10);
const size = bucketOf(2 ** 31) - lowest + 1;

/** The value that stands for a bucket: the harmonic middle, at most 3.1 % from either bound. */
function middle(index: number): number {
  const octave = 2 ** (Math.floor(index / perOctave) - 10);
  const from = octave * (1 + (index % perOctave) / perOctave);
  const to = from + octave / perOctave;
  return (2 * from * to) / (from + to);
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
  readonly #octaves: (number[] | undefined)[] = [];

  record(ms: number): void {
    let index = bucketOf(ms) - lowest;
    if (index < 0) index = 0;
    else if (index >= size) index = size - 1;
    let places = this.#octaves[index >> 4];
    if (places === undefined) {
      places = new Array<number>(perOctave).fill(0);
      this.#octaves[index >> 4] = places;
    }
    (places[index & 15] as number)++;
    if (ms > this.max) this.max = ms;
  }

  at(index: number): number {
    return this.#octaves[index >> 4]?.[index & 15] ?? 0;
  }
}

/**
 * A histogram of bounded size on a logarithmic scale: a percentile is within 5 % of the value. One for this minute and one
 * for the last forget what is old. (HdrHistogram's layout, Tene.)
 */
export class LatencyHistogram {
  #current: Minute = new Minute();
  #previous: Minute | undefined;
  #since: number;

  constructor(now: number) {
    this.#since = now;
  }

  record(ms: number, now: number): void {
    if (now - this.#since >= rotateEveryMs) this.#rotate(now);
    this.#current.record(ms);
  }

  #rotate(now: number): void {
    const minutes = Math.floor((now - this.#since) / rotateEveryMs);
    this.#previous = minutes === 1 ? this.#current : undefined;
    this.#current = new Minute();
    this.#since += minutes * rotateEveryMs;
  }

  /** Reads without rotating: what is too old at `now` is left out. */
  summary(now: number): LatencySummary | undefined {
    const minutes = Math.floor((now - this.#since) / rotateEveryMs);
    const parts = [minutes <= 1 ? this.#current : undefined, minutes <= 0 ? this.#previous : undefined];
    const at = (index: number): number => parts.reduce((sum, part) => sum + (part?.at(index) ?? 0), 0);
    const max = Math.max(...parts.map((part) => part?.max ?? 0));
    let count = 0;
    for (let i = 0; i < size; i++) count += at(i);
    if (count === 0) return undefined;
    const percentile = (share: number): number => {
      let left = Math.ceil(count * share);
      for (let i = 0; i < size; i++) {
        left -= at(i);
        if (left <= 0) return Math.min(middle(i), max);
      }
      return max;
    };
    return { count, p50: percentile(0.5), p95: percentile(0.95), p99: percentile(0.99), max };
  }
}
