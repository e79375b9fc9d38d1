import { Check, isRecord } from '../../core/check.ts';
import { longestTimerMs } from '../../core/clock.ts';
import { many, percent, span } from '../../core/words.ts';
import { CountWindow } from '../../windows/count-window.ts';
import { TimeWindow } from '../../windows/time-window.ts';
import type { Window } from '../../windows/window.ts';
import type { Measurement, TripCounter, TripRule } from './rule.ts';
import { standardScore, wilsonLowerBound } from './wilson.ts';

interface Size {
  /** The last N calls: 1 … 1,000,000. Give this or `windowMs`. */
  readonly windowCalls?: number;
  /** The last T milliseconds: 1 … 2^31 − 1. Give this or `windowCalls`. */
  readonly windowMs?: number;
  /** In how many steps a time window moves on: 1 … 1,000; 10 unless said. */
  readonly buckets?: number;
  /** Nothing is decided below this many calls in the window; never above `windowCalls`. */
  readonly minimumCalls?: number;
}

/** Options of `failureRate`. */
export interface RateOptions extends Size {
  /** The share that opens, above 0 up to 1; it is compared by ≥ and never rounded. */
  readonly threshold: number;
  /**
   * Opens only when the lower end of the Wilson interval of this confidence reaches the threshold: fewer false alarms on few
   * calls, a later opening. 0.5 … 0.9999; off unless given.
   */
  readonly confidence?: number;
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

interface Settings {
  readonly kind: Kind;
  readonly threshold: number;
  readonly minimumCalls: number;
  readonly windowMs: number;
  readonly windowCalls: number;
  readonly slowCallMs: number;
  /** 0: judge by the share itself. */
  readonly confidence: number;
  readonly z: number;
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
    window.add(settings.kind === 'slowCallRate' ? elapsedMs >= settings.slowCallMs : failed, now);
    return window.calls >= settings.minimumCalls && this.#value(window.hits, window.calls) >= settings.threshold;
  }

  #value(hits: number, calls: number): number {
    const { kind, z } = this.#settings;
    if (kind === 'failureCount' || calls === 0) return hits;
    return z === 0 ? hits / calls : wilsonLowerBound(hits, calls, z);
  }

  measure(now: number): Measurement {
    const { kind, threshold, minimumCalls, windowMs, windowCalls, slowCallMs, confidence } = this.#settings;
    const { calls, hits } = this.#window.count(now);
    return {
      rule: kind,
      value: this.#value(hits, calls),
      threshold,
      calls,
      ...(kind === 'slowCallRate' ? { slowCalls: hits, slowCallMs } : { failures: hits }),
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

/** The share that was seen, and the bound it is judged by where that is another. */
function shareOf({ calls, confidence, value }: Measurement, hits = 0): string {
  const seen = percent(calls === 0 ? 0 : hits / calls);
  return confidence === undefined
    ? seen
    : `${seen} (at least ${percent(value)} with ${percent(confidence)} confidence)`;
}

function describe(m: Measurement): string | undefined {
  const window =
    m.windowMs === undefined ? `the last ${many(m.calls, 'call')}` : `${many(m.calls, 'call')} in ${span(m.windowMs)}`;
  switch (m.rule) {
    case 'failureRate':
      return `failure rate ${shareOf(m, m.failures)} of ${window}`;
    case 'slowCallRate':
      return `${shareOf(m, m.slowCalls)} of ${window} took ${span(m.slowCallMs ?? 0)} or more`;
    case 'failureCount':
      return `${many(m.value, 'failure')} among ${window}`;
    default:
      return undefined;
  }
}

const common = ['threshold', 'windowMs', 'windowCalls', 'buckets', 'minimumCalls'];

function windowed(kind: Kind, options: unknown): TripRule {
  const check = new Check(kind);
  const isCount = kind === 'failureCount';
  const own = isCount ? [] : kind === 'slowCallRate' ? ['confidence', 'slowCallMs'] : ['confidence'];
  const given = check.record('', options ?? null, [...common, ...own]);
  const byTime = given.windowMs !== undefined;
  if (byTime === (given.windowCalls !== undefined)) {
    check.fault('windowMs or windowCalls', 'given, one of the two', byTime ? 'both' : undefined);
  }
  const windowMs = check.number('windowMs', given.windowMs, [1, longestTimerMs], 0);
  const windowCalls = check.number('windowCalls', given.windowCalls, [1, 1_000_000, true], 0);
  const buckets = check.number('buckets', given.buckets, [1, 1_000, true], 10);
  const least = check.number('minimumCalls', given.minimumCalls, [1, 2 ** 31 - 1, true], isCount ? 1 : 20);
  const confidence = check.number('confidence', given.confidence, [0.5, 0.9999], 0);
  const settings: Settings = {
    kind,
    threshold: isCount
      ? check.number('threshold', given.threshold, [1, byTime ? 2 ** 31 - 1 : windowCalls || 1_000_000, true])
      : check.number('threshold', given.threshold, [Number.MIN_VALUE, 1]),
    minimumCalls: byTime ? least : Math.min(least, windowCalls),
    windowMs,
    windowCalls,
    slowCallMs: kind === 'slowCallRate' ? check.number('slowCallMs', given.slowCallMs, [0.001, longestTimerMs]) : 0,
    confidence,
    z: confidence === 0 ? 0 : standardScore(confidence),
  };
  check.done();
  // What a rule of this name over the other kind of window wrote is no fault: the options have changed since.
  const window = (now: number, saved: unknown): Window => {
    if (byTime) {
      return saved === undefined || typeof saved === 'string'
        ? new TimeWindow(windowMs, buckets, now)
        : TimeWindow.restore(windowMs, buckets, now, saved);
    }
    return saved === undefined || isRecord(saved)
      ? new CountWindow(windowCalls)
      : CountWindow.restore(windowCalls, saved);
  };
  return {
    name: kind,
    reads: byTime ? 'time' : kind === 'slowCallRate' ? 'durations' : undefined,
    slowCallMs: settings.slowCallMs || undefined,
    start: (now, saved) => new WindowedCounter(settings, window(now, saved)),
    describe,
  };
}

/**
 * Opens when the share of failed calls in the window reaches the threshold (Hystrix's error percentage). Ignored and refused
 * calls are no samples. From `minimumCalls` (20) on.
 *
 * @throws RangeError, TypeError
 */
export function failureRate(options: RateOptions): TripRule {
  return windowed('failureRate', options);
}

/**
 * Opens when the window holds this many failures, whatever the number of calls. `minimumCalls` is 1 unless said: a count
 * needs no crowd.
 *
 * @throws RangeError, TypeError
 */
export function failureCount(options: CountOptions): TripRule {
  return windowed('failureCount', options);
}

/**
 * Opens when the share of slow calls in the window reaches the threshold, whether they succeeded or failed
 * (resilience4j's slow-call rate). From `minimumCalls` (20) on.
 *
 * @throws RangeError, TypeError
 */
export function slowCallRate(options: SlowCallOptions): TripRule {
  return windowed('slowCallRate', options);
}
