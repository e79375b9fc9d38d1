import {
  also,
  count,
  duration,
  isRecord,
  number,
  optionsOf,
  type Reader,
  read,
  share,
  slowness,
} from '../../core/check.ts';
import { many, percent, span } from '../../core/words.ts';
import { CountWindow } from '../../windows/count-window.ts';
import { TimeWindow } from '../../windows/time-window.ts';
import type { Window } from '../../windows/window.ts';
import type { Measurement, TripCounter, TripRule } from './rule.ts';
import { standardScore, wilsonLowerBound } from './wilson.ts';

interface Size {
  /** The last N calls: 1 … 1,000,000. Give this or `windowMs`. */
  readonly windowCalls?: number | undefined;
  /** The last T milliseconds: 1 … 2^31 − 1. Give this or `windowCalls`. */
  readonly windowMs?: number | undefined;
  /** In how many steps a time window moves on: 1 … 1,000; default 10. */
  readonly buckets?: number | undefined;
  /** Nothing is decided below this many calls in the window, from 1; default 20, for `failureCount` 1. Never above `windowCalls`. */
  readonly minimumCalls?: number | undefined;
}

/** Options of `failureRate`. */
export interface RateOptions extends Size {
  /** The share that opens, above 0 up to 1; it is compared by ≥ and never rounded. */
  readonly threshold: number;
  /**
   * Opens only when the lower end of the Wilson interval of this confidence reaches the threshold: fewer false alarms on few
   * calls, a later opening. 0.5 … 0.9999; off by default. The threshold must be one that a window of hits only can reach.
   */
  readonly confidence?: number | undefined;
}

/** Options of `failureCount`. */
export interface CountOptions extends Size {
  /** The number of failures in the window that opens, from 1. */
  readonly threshold: number;
}

/** Options of `slowCallRate`. */
export interface SlowCallOptions extends RateOptions {
  /** From how many milliseconds a completed call counts as slow, above 0. */
  readonly slowCallMs: number;
}

type Kind = 'failureRate' | 'failureCount' | 'slowCallRate';

/** The share that was seen, and the bound it is judged by where that is another. */
function shareOf({ calls, confidence, value }: Measurement, hits = 0): string {
  const seen = percent(calls === 0 ? 0 : hits / calls);
  return confidence === undefined
    ? seen
    : `${seen} (at least ${percent(value)} with ${percent(confidence)} confidence)`;
}

interface Settings {
  readonly rule: Kind;
  readonly threshold: number;
  readonly minimumCalls: number;
  /** 0: a window of calls. */
  readonly windowMs: number;
  readonly windowCalls: number;
  readonly buckets: number;
  /** Only of `slowCallRate`. */
  readonly slowCallMs: number | undefined;
  /** 0: judge by the share itself. */
  readonly confidence: number;
  readonly z: number;
}

/** (A function: bundlers shake off its call, a spread they keep.) */
/*@__NO_SIDE_EFFECTS__*/
const ofWindow = <Own extends object>(own: Own) => ({
  windowMs: duration,
  windowCalls: number(1, 1_000_000, true),
  buckets: number(1, 1_000, true),
  minimumCalls: count,
  ...own,
});
const rate = ofWindow({ confidence: number(0.5, 0.9999) });
const kinds: Record<Kind, Reader<RateOptions & Partial<SlowCallOptions>>> = {
  failureRate: optionsOf({ threshold: share }, rate),
  slowCallRate: optionsOf({ threshold: share, slowCallMs: slowness }, rate),
  failureCount: optionsOf({ threshold: count }, ofWindow({})),
};

function readSettings(rule: Kind, given: unknown): Settings {
  let z = 0;
  const checked = also(kinds[rule], ({ threshold, windowMs, windowCalls, confidence }, fault, isSound) => {
    if ((windowMs === undefined) === (windowCalls === undefined)) {
      fault('windowMs or windowCalls', 'given, one of the two', windowMs === undefined ? windowMs : 'both');
    }
    if (!isSound) return;
    if (threshold > (windowCalls ?? threshold))
      fault('threshold', `at most windowCalls (${windowCalls})`, threshold, false);
    if (confidence === undefined) return;
    z = standardScore(confidence);
    const calls = windowCalls ?? 2 ** 31;
    const most = wilsonLowerBound(calls, calls, z);
    if (most >= threshold) return;
    fault(
      'threshold',
      `at most ${Math.floor(most * 1e3) / 1e3} (with confidence ${confidence} its window never shows more)`,
      threshold,
      false,
    );
  });
  const taken = read(rule, given, checked);
  const { threshold, windowMs = 0, windowCalls = 0, buckets = 10, confidence = 0, slowCallMs } = taken;
  const { minimumCalls = rule === 'failureCount' ? 1 : 20 } = taken;
  return {
    rule,
    threshold,
    minimumCalls: windowMs ? minimumCalls : Math.min(minimumCalls, windowCalls),
    windowMs,
    windowCalls,
    buckets,
    slowCallMs,
    confidence,
    z,
  };
}

class WindowedRule implements TripRule {
  readonly name: Kind;
  readonly #settings: Settings;

  constructor(kind: Kind, options: unknown) {
    this.name = kind;
    this.#settings = readSettings(kind, options);
  }

  get reads(): TripRule['reads'] {
    const { windowMs, slowCallMs } = this.#settings;
    return windowMs > 0 ? 'time' : slowCallMs === undefined ? undefined : 'durations';
  }

  get slowCallMs(): number | undefined {
    return this.#settings.slowCallMs;
  }

  /** What a rule of this name over the other kind of window wrote is no fault: the options have changed since. */
  start(now: number, saved?: unknown): TripCounter {
    const { windowMs, windowCalls, buckets } = this.#settings;
    const window = windowMs
      ? saved === undefined || typeof saved === 'string'
        ? new TimeWindow(windowMs, buckets, now)
        : TimeWindow.restore(windowMs, buckets, now, saved)
      : saved === undefined || isRecord(saved)
        ? new CountWindow(windowCalls)
        : CountWindow.restore(windowCalls, saved);
    return new WindowedCounter(this.#settings, window);
  }

  describe(m: Measurement): string | undefined {
    const window = m.windowMs ? `${many(m.calls, 'call')} in ${span(m.windowMs)}` : `the last ${many(m.calls, 'call')}`;
    if (m.rule === 'failureCount') return `${many(m.value, 'failure')} among ${window}`;
    if (m.rule === 'failureRate') return `failure rate ${shareOf(m, m.failures)} of ${window}`;
    return m.rule === 'slowCallRate'
      ? `${shareOf(m, m.slowCalls)} of ${window} took ${span(m.slowCallMs ?? 0)} or more`
      : undefined;
  }
}

class WindowedCounter implements TripCounter {
  readonly #settings: Settings;
  readonly #window: Window;

  constructor(settings: Settings, window: Window) {
    this.#settings = settings;
    this.#window = window;
  }

  record(failed: boolean, elapsedMs: number, now: number): boolean {
    const settings = this.#settings;
    const window = this.#window;
    window.add(settings.slowCallMs === undefined ? failed : elapsedMs >= settings.slowCallMs, now);
    const { calls, hits } = window;
    // No threshold is 0: without hits there is nothing to weigh.
    return hits > 0 && calls >= settings.minimumCalls && this.#value(hits, calls) >= settings.threshold;
  }

  #value(hits: number, calls: number): number {
    const { rule, z } = this.#settings;
    if (rule === 'failureCount' || calls === 0) return hits;
    return z === 0 ? hits / calls : wilsonLowerBound(hits, calls, z);
  }

  measure(now: number): Measurement {
    const { rule, threshold, minimumCalls, windowMs, windowCalls, slowCallMs, confidence } = this.#settings;
    const { calls, hits } = this.#window.count(now);
    return {
      rule,
      value: this.#value(hits, calls),
      threshold,
      calls,
      ...(slowCallMs ? { slowCalls: hits, slowCallMs } : { failures: hits }),
      minimumCalls,
      ...(windowMs > 0 ? { windowMs } : { windowCalls }),
      ...(confidence > 0 ? { confidence } : {}),
    };
  }

  clear(now: number): void {
    this.#window.clear(now);
  }

  toJSON(now: number): unknown {
    return this.#window.toJSON(now);
  }
}

/**
 * Opens when the share of failed calls in the window reaches the threshold (Hystrix's error percentage). Ignored and refused
 * calls are no samples. From `minimumCalls` (20) on.
 *
 * @throws RangeError, TypeError
 */
export function failureRate(options: RateOptions): TripRule {
  return new WindowedRule('failureRate', options);
}

/**
 * Opens when the window holds this many failures, whatever the number of calls. `minimumCalls` is 1 by default: a count
 * needs no crowd.
 *
 * @throws RangeError, TypeError
 */
export function failureCount(options: CountOptions): TripRule {
  return new WindowedRule('failureCount', options);
}

/**
 * Opens when the share of slow calls in the window reaches the threshold, whether they succeeded or failed
 * (resilience4j's slow-call rate). From `minimumCalls` (20) on.
 *
 * @throws RangeError, TypeError
 */
export function slowCallRate(options: SlowCallOptions): TripRule {
  return new WindowedRule('slowCallRate', options);
}
