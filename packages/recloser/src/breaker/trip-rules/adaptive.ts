import { number, optionsOf, read, record, stored } from '../../core/check.ts';
import { many, percent, span } from '../../core/words.ts';
import { amount, Normal, normal } from './normal.ts';
import type { Measurement, TripCounter, TripRule } from './rule.ts';

/** Options of `adaptive`. None is needed. */
export interface AdaptiveOptions {
  /**
   * How often a day it may open though all is normal, 0.000001 … 1,000; default 0.01. Ten times fewer costs about one more
   * bad call before it opens.
   */
  readonly falseOpensPerDay?: number | undefined;
  /**
   * The share of the normally good calls that has to go bad before opening is worth it, 0.05 … 0.9; default 0.3. For less
   * than that it stays closed, however certain.
   */
  readonly excess?: number | undefined;
}

interface Settings {
  readonly falseOpensPerDay: number;
  readonly excess: number;
}

/**
 * Calls that end closer together may share one cause (a reset connection, a pause for garbage, theirs or ours): together they
 * weigh as much as the time they take, each no less than a little, so that batches are seen.
 */
const oneCauseMs = 10;
const leastWeight = 0.015_625;
/**
 * When traffic stops, the slowest come last, in a row. So a bad call that a good one has overtaken weighs less, the longer
 * nothing had ended before it: full weight up to twice the usual time.
 */
const usualGaps = 2;
/** Of a call that ends when the last one did, to the last digit: the clock stands still and says nothing. */
const timelessWeight = 0.25;
/** The longest suspicion that may prove to have been normal, in calls. */
const mostHeld = 128;
/** With fewer calls a day than this the false alarms are counted as if there were so many. */
const fewestPerDay = 1_000;
/** So many there are for each false alarm, where they would be fewer: else it took no evidence at all. */
const fewestEach = 2;
/** In this time of trouble twice the slowness is accepted: what stays slow is the new normal, and slow is better than refused. */
const acceptMs = 120_000;
const mostAccepted = 1_048_576;
/** The part of what was accepted that each fast call takes back. */
const takenBack = 0.03;

/**
 * The exponent e for which e^(e × sum) is expected to stay as it is while the share of bad calls is normal, each bad call
 * adding 1 − allowance to the sum and each good one taking the allowance off. Normal traffic then lifts the sum to h at most
 * once in e^(e × h) calls. (Lundberg's; e × sum is the log-likelihood ratio of Page's test, the bound Lorden's.)
 */
function exponent(share: number, allowance: number): number {
  let [low, high] = [0, 200];
  for (let i = 0; i < 40; i++) {
    const middle = (low + high) / 2;
    const expected = share * Math.exp(middle * (1 - allowance)) + (1 - share) * Math.exp(-middle * allowance);
    if (expected < 1) low = middle;
    else high = middle;
  }
  return low;
}

/** Bad calls in excess of what is normal, since there was the first. */
interface Suspicion {
  sum: number;
  calls: number;
  failures: number;
  slowCalls: number;
  /** Duration (−1: failed) and weight of each call; `undefined` once they can't be normal any more. */
  held: number[] | undefined;
  /** Since when the circuit should be open; Infinity: it shouldn't. */
  guiltyAt: number;
}

const written = record(
  { normal, accepted: number(1, mostAccepted) },
  { suspicion: record({ sum: amount, calls: amount, failures: amount, slowCalls: amount }), guiltyMs: amount },
);
const innocent: Suspicion = { sum: 0, calls: 0, failures: 0, slowCalls: 0, held: undefined, guiltyAt: Infinity };

/**
 * Page's cumulative sum of bad calls, failed or slow. As long as it is above zero nothing is learnt: a suspicion that came to
 * nothing was normal, one that opened the circuit was not.
 */
class AdaptiveCounter implements TripCounter {
  readonly #settings: Settings;
  readonly #normal: Normal;
  /** These are derived from what is normal, anew when so much weight of calls is known. */
  #share = 1;
  #allowance = 1;
  #limit = Infinity;
  #slowMs = Infinity;
  #perMs = 0;
  #judgeAt = 0;
  #lastAt = -Infinity;
  /** When the last good call to begin had begun. */
  #goodSince = -Infinity;
  #suspicion: Suspicion | undefined = undefined;
  /** By which factor a call may be slower than what is slow by what is normal. */
  #accepted = 1;

  constructor(settings: Settings, normal: Normal, now: number) {
    this.#settings = settings;
    this.#normal = normal;
    this.#judge(now);
  }

  #judge(now: number): void {
    const { excess, falseOpensPerDay } = this.#settings;
    const { share, slowMs, perDay, perMs } = this.#normal.judge(now);
    // Failures come in clusters: that none was seen does not make a few at once a miracle.
    this.#share = Math.min(0.25, Math.max(share, excess / 15));
    this.#allowance = this.#share + (1 - this.#share) * excess;
    const calls = Math.max(fewestEach, Math.max(fewestPerDay, perDay) / falseOpensPerDay);
    this.#limit = Math.log(calls) / exponent(this.#share, this.#allowance);
    this.#slowMs = slowMs;
    this.#perMs = perMs;
    this.#judgeAt = this.#normal.weight * 1.0625 + 5;
  }

  record(failed: boolean, elapsedMs: number, now: number): boolean {
    const bad = failed || elapsedMs >= this.slowCallMs(now);
    const weight = this.#weigh(bad, now - elapsedMs, now);
    const ms = failed ? -1 : elapsedMs;
    if (!bad && this.#suspicion === undefined) {
      this.#learn(ms, weight);
      if (this.#normal.weight >= this.#judgeAt) this.#judge(now);
      return false;
    }
    this.#suspicion ??= { ...innocent, held: [] };
    const suspicion = this.#suspicion;
    suspicion.sum += weight * ((bad ? 1 : 0) - this.#allowance);
    suspicion.calls++;
    if (failed) suspicion.failures++;
    else if (bad) suspicion.slowCalls++;
    const guilty = suspicion.sum >= this.#limit;
    if (guilty) {
      // No higher: where it does not open the circuit (`allOf`, forced-closed) it must come down again.
      suspicion.sum = this.#limit;
      suspicion.guiltyAt = Math.min(suspicion.guiltyAt, now);
    }
    if (guilty || suspicion.held?.length === 2 * mostHeld) suspicion.held = undefined;
    suspicion.held?.push(ms, weight);
    if (suspicion.sum <= 0) {
      this.clear(now);
      const { held = [] } = suspicion;
      for (let i = 0; i < held.length; i += 2) this.#learn(held[i] as number, held[i + 1] as number);
    }
    return guilty;
  }

  #weigh(bad: boolean, startedAt: number, now: number): number {
    const sinceMs = now - this.#lastAt;
    this.#lastAt = now;
    if (sinceMs === 0) return timelessWeight;
    const least = leastWeight / Math.max(1, this.#perMs * oneCauseMs);
    const weight = Math.max(least, Math.min(1, sinceMs / oneCauseMs));
    if (bad && startedAt < this.#goodSince) return weight * Math.min(1, usualGaps / (this.#perMs * sinceMs));
    if (!bad && startedAt > this.#goodSince) this.#goodSince = startedAt;
    return weight;
  }

  #learn(ms: number, weight: number): void {
    this.#normal.learn(ms, weight);
    if (ms < this.#slowMs) this.#accepted -= (this.#accepted - 1) * takenBack * weight;
  }

  slowCallMs(now: number): number {
    return this.#slowMs * this.#acceptedAt(now);
  }

  #acceptedAt(now: number): number {
    const { guiltyAt } = this.#suspicion ?? innocent;
    return guiltyAt < now
      ? Math.min(mostAccepted, this.#accepted * 2 ** ((now - guiltyAt) / acceptMs))
      : this.#accepted;
  }

  measure(now: number): Measurement {
    const { sum, calls, failures, slowCalls } = this.#suspicion ?? innocent;
    const slowCallMs = this.slowCallMs(now);
    return {
      rule: 'adaptive',
      value: Math.min(1, sum / this.#limit),
      threshold: 1,
      calls,
      failures,
      slowCalls,
      ...(slowCallMs < Infinity ? { slowCallMs } : {}),
      normalShare: this.#share,
    };
  }

  /** Ends the suspicion; what is normal stays known. */
  clear(now: number): void {
    this.#accepted = this.#acceptedAt(now);
    this.#suspicion = undefined;
  }

  /** Without the calls of the suspicion: those are not learnt, whatever comes of it. */
  toJSON(now: number): unknown {
    const { held, guiltyAt, ...suspicion } = this.#suspicion ?? innocent;
    return {
      normal: this.#normal.toJSON(now),
      accepted: this.#accepted,
      ...(suspicion.calls > 0 ? { suspicion } : {}),
      ...(guiltyAt < Infinity ? { guiltyMs: now - guiltyAt } : {}),
    };
  }

  static restore(settings: Settings, saved: unknown, now: number): AdaptiveCounter {
    const { normal, accepted, suspicion, guiltyMs = -Infinity } = read('adaptive', saved, stored(written));
    const counter = new AdaptiveCounter(settings, Normal.restore(normal, now), now);
    counter.#accepted = accepted;
    if (suspicion !== undefined) {
      const sum = Math.min(suspicion.sum, counter.#limit);
      counter.#suspicion = { ...suspicion, sum, held: undefined, guiltyAt: now - guiltyMs };
    }
    return counter;
  }
}

const known = optionsOf<object, AdaptiveOptions>(
  {},
  { falseOpensPerDay: number(1e-6, 1_000), excess: number(0.05, 0.9) },
);

const describe = (falseOpensPerDay: number, m: Measurement): string | undefined => {
  const { rule, value, calls, failures, slowCalls, slowCallMs, normalShare = 0 } = m;
  if (rule !== 'adaptive') return undefined;
  const slow = slowCallMs === undefined ? '' : ` ${span(slowCallMs)} or more`;
  const normal = `normally at most ${percent(normalShare)}`;
  const sure =
    value < 1 ? `${percent(value)} of the evidence it takes` : `by chance ${falseOpensPerDay} times a day at most`;
  return calls === 0
    ? `${normal} of calls fail${slow && ` or take${slow}`}; ${sure}`
    : `${failures} of ${many(calls, 'call')} failed${slow && `, ${slowCalls} took${slow}`}, ${normal}; ${sure}`;
};

/**
 * Opens on what is not normal for the dependency, with nothing to set: it learns how many calls fail and how long they take, and
 * opens as soon as more of them fail, or take far longer, than chance explains. For a call in ten seconds as for thousands a
 * second.
 *
 * After Page, "Continuous inspection schemes" (1954); Lorden (1971) for the bound on false alarms.
 *
 * @throws RangeError, TypeError
 * @example
 * const search = circuitBreaker({ trip: adaptive(), timeoutMs: 2_000 });
 */
export function adaptive(options: AdaptiveOptions = {}): TripRule {
  const { falseOpensPerDay = 0.01, excess = 0.3 } = read('adaptive', options, known);
  const settings = { falseOpensPerDay, excess };
  return {
    name: 'adaptive',
    reads: 'time',
    start: (now, saved) =>
      saved === undefined
        ? new AdaptiveCounter(settings, new Normal(now), now)
        : AdaptiveCounter.restore(settings, saved, now),
    describe: (measured) => describe(settings.falseOpensPerDay, measured),
  };
}
