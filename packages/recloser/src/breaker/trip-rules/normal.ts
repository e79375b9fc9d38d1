import { list, number, type Reader, record } from '../../core/check.ts';

/** Latencies are counted in bands, four to the octave: band i begins at 2^(i/4) ms; the first also holds what is faster. */
const perOctave = 4;
/** 22 octaves. (Here and below a number and no sum: sums that nobody uses stay in bundles.) */
const bandCount = 88;
const bandOf = (ms: number): number => (ms > 1 ? Math.min(bandCount - 1, Math.floor(perOctave * Math.log2(ms))) : 0);
/** Slow is 4.8 times the median's band and twice the 95th percentile's; never below 5.7 ms, where a busy event loop is to blame. */
const beyondMedian = 10;
const beyondMost = 5;

const dayMs = 86_400_000;
const halveAfterMs = 21_600_000;
const halveAfterCalls = 1_000;
/** The rate of a process younger than this is not known yet. */
const shortestMs = 10_000;
const callsForLatency = 20;
/** What is assumed before anything is known: one bad call of so many. */
const assumedCalls = 25;

export const amount: Reader<number> = number(0, 1e15);

interface Saved {
  readonly forMs: number;
  readonly calls: number;
  readonly failures: number;
  readonly bands: readonly number[];
}

export const normal: Reader<Saved> = record<Saved>({
  forMs: amount,
  calls: amount,
  failures: amount,
  bands: list(amount, bandCount),
});

/** What a call is judged by. */
export interface Judgement {
  /** The share of normal calls that are bad, as an upper bound. */
  readonly share: number;
  /** Infinity until enough is known, and where calls take a quarter of an hour. */
  readonly slowMs: number;
  /** Calls a day, each by its weight. */
  readonly perDay: number;
  readonly perMs: number;
}

/** What is normal at one dependency: how often it fails, how long it takes, how often it is called. */
export class Normal {
  /** Of all calls, each at most 1: what ends together says less than as many calls apart. */
  weight = 0;
  #calls = 0;
  #failures = 0;
  #since: number;
  /** No longer than the slowest call needs, for there may be thousands. */
  readonly #bands: number[] = [];

  constructor(now: number) {
    this.#since = now;
  }

  /** `ms` is negative for a failure: how long that took says nothing about a good call. */
  learn(ms: number, weight: number): void {
    this.#calls++;
    this.weight += weight;
    if (ms < 0) this.#failures += weight;
    else this.#add(bandOf(ms), weight);
  }

  #add(band: number, weight: number): void {
    this.#bands[band] = (this.#bands[band] ?? 0) + weight;
  }

  judge(now: number): Judgement {
    if (now - this.#since > halveAfterMs && this.weight > halveAfterCalls) this.#halve(now);
    const successes = this.weight - this.#failures;
    const slowBand = Math.max(this.#band(successes * 0.5) + beyondMedian, this.#band(successes * 0.95) + beyondMost);
    const known = successes >= callsForLatency && slowBand < bandCount;
    let bad = this.#failures + 1;
    for (let i = slowBand; known && i < bandCount; i++) bad += this.#bands[i] ?? 0;
    const forMs = Math.max(shortestMs, now - this.#since);
    return {
      // Two standard deviations more than was seen: a dependency may have been lucky so far.
      share: (bad + 2 * Math.sqrt(bad)) / (this.weight + assumedCalls),
      slowMs: known ? 2 ** (slowBand / perOctave) : Infinity,
      perDay: (this.weight / forMs) * dayMs,
      perMs: this.#calls / forMs,
    };
  }

  /** The band up to which so much weight lies. */
  #band(upTo: number): number {
    let band = -1;
    for (let sum = 0; sum < upTo && band < bandCount - 1; ) sum += this.#bands[++band] ?? 0;
    return band;
  }

  /** Forgets half of it, so that what is normal may change: slowly, or an outage that creeps up would be learnt. */
  #halve(now: number): void {
    this.#since += (now - this.#since) / 2;
    this.weight /= 2;
    this.#calls /= 2;
    this.#failures /= 2;
    for (const [band, weight = 0] of this.#bands.entries()) this.#bands[band] = weight / 2;
  }

  toJSON(now: number): Saved {
    return {
      forMs: now - this.#since,
      calls: this.#calls,
      failures: this.#failures,
      bands: Array.from(this.#bands, (weight = 0) => weight),
    };
  }

  static restore({ forMs, calls, failures, bands }: Saved, now: number): Normal {
    const restored = new Normal(now - forMs);
    restored.#calls = calls;
    restored.#failures = restored.weight = failures;
    for (const [band, weight = 0] of bands.entries()) {
      restored.#add(band, weight);
      restored.weight += weight;
    }
    return restored;
  }
}
