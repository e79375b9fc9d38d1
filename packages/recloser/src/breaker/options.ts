import { type Bounds, Check } from '../core/check.ts';
import { type ListenerErrorHandler, reporter } from '../core/events.ts';
import type { Fallback } from '../core/fallback.ts';
import type { Classifier } from '../core/outcome.ts';
import type { Backoff } from '../core/time/backoff.ts';
import { type Clock, longestTimerMs, systemClock, systemRandom } from '../core/time/clock.ts';
import { eventNames, type Listeners, optionOf } from './events.ts';
import type { Evidence } from './evidence.ts';
import type { MachineSettings } from './machine.ts';
import { type ForcedState, forcedStates } from './override.ts';
import type { Snapshot } from './snapshot.ts';
import { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
import { checkRule, type TripRule } from './trip-rules/rule.ts';

/** Options of `circuitBreaker`. Durations are milliseconds, at most 2^31 − 1; `undefined` is absent. */
export interface CircuitBreakerOptions extends Listeners {
  /** Shown in errors, events and metrics; `circuit-breaker` unless said. */
  readonly name?: string | undefined;
  /** Consecutive failures that open, from 1; 5 unless said. Short for `trip: consecutiveFailures(n)`: give one of the two. */
  readonly failureThreshold?: number | undefined;
  /** The rule that opens. */
  readonly trip?: TripRule | undefined;
  /** Successful probes in a row that close, from 1; 2 unless said. */
  readonly successThreshold?: number | undefined;
  /** How long one call may take, from 1 ms; without it there is no timeout. */
  readonly timeoutMs?: number | undefined;
  /** How long the circuit stays open before it probes, from 0, or a back-off over the openings in a row; 30,000 unless said. */
  readonly sleepWindowMs?: number | Backoff<Evidence> | undefined;
  /** The longest sleep, whatever a back-off or a dependency's Retry-After says; max(300,000, sleepWindowMs) unless said. */
  readonly maxSleepWindowMs?: number | undefined;
  /** Bulkhead: calls at work at a time, from 1; without it there is no limit. */
  readonly maxConcurrent?: number | undefined;
  /** When a call that timed out gives its place back: when its work ends (the default), or at once. */
  readonly release?: 'on-settle' | 'on-timeout' | undefined;
  /** With `on-settle`, how long after its end a call may hold its place; 10 × `timeoutMs` unless said. */
  readonly abandonAfterMs?: number | undefined;
  readonly halfOpen?: HalfOpenOptions | undefined;
  /** After closing, admit a share that rises from `initialShare` (0.1) to 1 within `rampMs`; off unless given. */
  readonly recovery?: { readonly rampMs: number; readonly initialShare?: number | undefined } | undefined;
  /** What a finished call says about the dependency; it never changes what the caller gets. */
  readonly classify?: Classifier | undefined;
  /** A completed call is slow from this many milliseconds on; that of the trip rule unless said. */
  readonly slowCallMs?: number | undefined;
  /** Whether to keep latency percentiles, which costs two clock readings a call; true with time windows unless said. */
  readonly latency?: boolean | undefined;
  /** What failed and refused calls get instead of their error. */
  readonly fallback?: Fallback | undefined;
  /** The state to begin in; `observe-only` is the mode for a first roll-out. */
  readonly start?: 'closed' | ForcedState | undefined;
  /** What `toJSON()` wrote, here or in another process. */
  readonly restore?: Snapshot | undefined;
  /** Whether refusals carry a stack trace; false unless said: a stack is most of their price. */
  readonly captureStacks?: boolean | undefined;
  /** Where time and timers come from; the monotonic clock of the system unless given. */
  readonly clock?: Clock | undefined;
  /** From 0 to 1, for jitter; `Math.random` unless given. */
  readonly random?: (() => number) | undefined;
  /** Gets what listeners, classifiers and back-offs throw; one `console.error` unless given. */
  readonly onListenerError?: ListenerErrorHandler | undefined;
}

/** How the half-open circuit decides. */
export interface HalfOpenOptions {
  /** Probes at a time, from 1; 1 unless said. */
  readonly maxConcurrent?: number | undefined;
  /** A probe not settled by then is a failure; `timeoutMs` unless said. Without both it only gives its permit back. */
  readonly probeTimeoutMs?: number | undefined;
  /** Decide by the failure rate of so many probes instead of `successThreshold` in a row. */
  readonly sample?: { readonly calls: number; readonly failureRate: number } | undefined;
}

/** The options, checked and complete: the one place of every default. */
export interface Settings extends MachineSettings {
  readonly given: CircuitBreakerOptions;
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly trip: TripRule;
  /** 0: none. */
  readonly timeoutMs: number;
  /** Infinity: no bulkhead. */
  readonly maxConcurrent: number;
  readonly releaseOnTimeout: boolean;
  /** 0: never. */
  readonly abandonAfterMs: number;
  readonly classify: Classifier | undefined;
  /** 0: nothing is slow. */
  readonly slowCallMs: number;
  readonly latency: boolean;
  /** Whether each call reads the clock. */
  readonly timed: boolean;
  readonly fallback: Fallback | undefined;
  readonly captureStacks: boolean;
  readonly report: ListenerErrorHandler;
}

const known: readonly string[] = [
  ...'name failureThreshold trip successThreshold timeoutMs sleepWindowMs maxSleepWindowMs maxConcurrent release'.split(
    ' ',
  ),
  ...'abandonAfterMs halfOpen recovery classify slowCallMs latency fallback start restore captureStacks clock'.split(
    ' ',
  ),
  ...['random', 'onListenerError'],
  ...eventNames.map(optionOf),
];

const duration: Bounds = [1, longestTimerMs];
const wait: Bounds = [0, longestTimerMs];
const slowness: Bounds = [0.001, longestTimerMs];
const count: Bounds = [1, 2 ** 31 - 1, true];
const share: Bounds = [Number.MIN_VALUE, 1];

/** Checks everything, then throws all faults together: nothing is made of options that are half right. */
export function readOptions(options: CircuitBreakerOptions | undefined): Settings {
  const check = new Check('circuitBreaker');
  const given = check.record('', options, known);
  const halfOpen = check.record('halfOpen', given.halfOpen, ['maxConcurrent', 'probeTimeoutMs', 'sample']);
  const sample = check.record('halfOpen.sample', halfOpen.sample, ['calls', 'failureRate']);
  const recovery = check.record('recovery', given.recovery, ['rampMs', 'initialShare']);
  const number = (key: string, bounds: Bounds, fallback?: number): number =>
    check.number(key, given[key], bounds, fallback);

  const name = check.typed('name', given.name, 'string', 'circuit-breaker');
  const report = reporter(name, check.typed('onListenerError', given.onListenerError, 'function', undefined));
  const random = check.typed('random', given.random, 'function', systemRandom);
  const classify = check.typed<Classifier | undefined>('classify', given.classify, 'function', undefined);
  for (const event of eventNames) check.typed(optionOf(event), given[optionOf(event)], 'function', undefined);
  check.oneOf('start', given.start, ['closed', ...forcedStates]);
  if (given.trip !== undefined) {
    checkRule(check, 'trip', given.trip);
    if (given.failureThreshold !== undefined) check.fault('trip', 'absent beside failureThreshold', given.trip);
  }
  if (given.clock !== undefined) checkClock(check, given.clock);
  const failureThreshold = number('failureThreshold', count, 5);
  const timeoutMs = number('timeoutMs', duration, 0);
  const slowCallMs = number('slowCallMs', slowness, 0);
  const backoff = typeof given.sleepWindowMs === 'function' ? (given.sleepWindowMs as Backoff<Evidence>) : undefined;
  const sleepMs = backoff === undefined ? number('sleepWindowMs', wait, 30_000) : 0;
  const maxSleepMs = number('maxSleepWindowMs', duration, Math.max(300_000, sleepMs));
  const release = check.oneOf('release', given.release, ['on-settle', 'on-timeout']);
  const maxConcurrent = number('maxConcurrent', count, Infinity);
  const successThreshold = number('successThreshold', count, 2);
  const abandonAfterMs = number('abandonAfterMs', duration, Math.min(longestTimerMs, 10 * timeoutMs));
  const probes = {
    maxProbes: check.number('halfOpen.maxConcurrent', halfOpen.maxConcurrent, count, 1),
    probeTimeoutMs: check.number('halfOpen.probeTimeoutMs', halfOpen.probeTimeoutMs, duration, timeoutMs),
    sample: halfOpen.sample && {
      calls: check.number('halfOpen.sample.calls', sample.calls, count),
      failureRate: check.number('halfOpen.sample.failureRate', sample.failureRate, share),
    },
    rampMs: given.recovery ? check.number('recovery.rampMs', recovery.rampMs, duration) : 0,
    initialShare: check.number('recovery.initialShare', recovery.initialShare, [0.001, 1], 0.1),
  } as Pick<Settings, 'maxProbes' | 'probeTimeoutMs' | 'sample' | 'rampMs' | 'initialShare'>;
  const captureStacks = check.typed('captureStacks', given.captureStacks, 'boolean', false);
  const latencyGiven = check.typed<boolean | undefined>('latency', given.latency, 'boolean', undefined);
  check.done();

  const trip = (given.trip as TripRule | undefined) ?? consecutiveFailures(failureThreshold);
  const latency = latencyGiven ?? trip.reads === 'time';
  return {
    given: {
      ...given,
      ...(given.halfOpen ? { halfOpen: { ...halfOpen, ...(halfOpen.sample ? { sample: { ...sample } } : {}) } } : {}),
      ...(given.recovery ? { recovery: { ...recovery } } : {}),
    } as CircuitBreakerOptions,
    name,
    clock: (given.clock as Clock | undefined) ?? systemClock,
    random,
    trip,
    timeoutMs,
    maxConcurrent,
    successThreshold,
    ...probes,
    releaseOnTimeout: release === 'on-timeout',
    abandonAfterMs,
    classify,
    slowCallMs: slowCallMs || (trip.slowCallMs ?? 0),
    latency,
    timed: latency || slowCallMs > 0 || classify !== undefined || trip.reads !== undefined,
    fallback: given.fallback as Fallback | undefined,
    captureStacks,
    report,
    sleepMs: sleeper(backoff ?? sleepMs, maxSleepMs, random, report),
  };
}

/** Whatever a back-off answers, the sleep is a number from 0 to the maximum. (Its own function: it keeps nothing else alive.) */
function sleeper(
  sleepWindow: number | Backoff<Evidence>,
  maxMs: number,
  random: () => number,
  report: ListenerErrorHandler,
): Settings['sleepMs'] {
  return (attempt, why, previousMs, retryAfterMs) => {
    let ms = maxMs;
    try {
      ms = typeof sleepWindow === 'number' ? sleepWindow : sleepWindow(attempt, why, { random, previousMs });
      if (typeof ms !== 'number' || Number.isNaN(ms))
        throw new RangeError(`sleepWindowMs: the back-off answered ${ms}`);
    } catch (fault) {
      report(fault, 'sleepWindowMs');
      ms = maxMs;
    }
    return Math.min(maxMs, Math.max(0, ms, retryAfterMs));
  };
}

function checkClock(check: Check, value: unknown): void {
  const clock = value as Record<string, unknown> | null;
  for (const member of ['now', 'setTimeout', 'clearTimeout']) {
    if (typeof clock?.[member] !== 'function') check.fault('clock', `an object with ${member}()`, value);
  }
}

/** The options as they are after an update; a new trip rule replaces `failureThreshold`, and the other way round. */
export function mergeOptions({ given, trip }: Settings, changes: CircuitBreakerOptions): Settings {
  const check = new Check('update');
  const changed = check.record('', changes ?? null, known);
  const merged: Record<string, unknown> = { ...given };
  for (const key in changed) {
    if (changed[key] === undefined) continue;
    if (/^(name|start|restore|clock|random|on[A-Z].*)$/.test(key)) {
      check.fault(key, 'left alone (it is set at construction)', changed[key]);
    }
    if (key === 'trip') merged.failureThreshold = undefined;
    if (key === 'failureThreshold') merged.trip = undefined;
  }
  check.done();
  for (const key in changed) if (changed[key] !== undefined) merged[key] = changed[key];
  const next = readOptions(merged);
  // The short form makes a new rule each time it is read: unchanged is unchanged.
  return (changed.trip ?? changed.failureThreshold) ? next : { ...next, trip };
}
