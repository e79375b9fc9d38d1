import type { Backoff } from '../core/backoff.ts';
import { Check } from '../core/check.ts';
import { type Clock, longestTimerMs, systemClock, systemRandom } from '../core/clock.ts';
import { type ListenerErrorHandler, printOnce } from '../core/events.ts';
import type { Fallback } from '../core/fallback.ts';
import type { Classifier } from '../core/outcome.ts';
import { type EventName, eventNames, type Listeners, optionOf } from './events.ts';
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
  readonly clock?: Clock | undefined;
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
  ...['name', 'failureThreshold', 'trip', 'successThreshold', 'timeoutMs', 'sleepWindowMs', 'maxSleepWindowMs'],
  ...['maxConcurrent', 'release', 'abandonAfterMs', 'halfOpen', 'recovery', 'classify', 'slowCallMs', 'latency'],
  ...['fallback', 'start', 'restore', 'captureStacks', 'clock', 'random', 'onListenerError'],
  ...eventNames.map(optionOf),
];

const duration = [1, longestTimerMs] as const;
const count = [1, 2 ** 31 - 1] as const;

/** Checks everything, then throws all faults together: nothing is made of options that are half right. */
export function readOptions(options: CircuitBreakerOptions | undefined, report?: ListenerErrorHandler): Settings {
  const check = new Check('circuitBreaker');
  const given = check.record('', options, known);
  const own = Object.freeze({ ...given }) as CircuitBreakerOptions;
  const name = check.typed('name', given.name, 'string', 'circuit-breaker');
  if (given.trip !== undefined && given.failureThreshold !== undefined) {
    check.fault('trip', 'absent beside failureThreshold', given.trip, true);
  }
  const failureThreshold = check.integer('failureThreshold', given.failureThreshold, count, 5);
  const givenTrip = given.trip === undefined ? undefined : checkRule(check, 'trip', given.trip);
  const timeoutMs = given.timeoutMs === undefined ? 0 : check.number('timeoutMs', given.timeoutMs, duration);
  const sleepWindow = given.sleepWindowMs;
  const isBackoff = typeof sleepWindow === 'function';
  const sleepMs = isBackoff ? 30_000 : check.number('sleepWindowMs', sleepWindow, [0, longestTimerMs], 30_000);
  const maxSleepMs = check.number(
    'maxSleepWindowMs',
    given.maxSleepWindowMs,
    [1, longestTimerMs],
    Math.max(300_000, sleepMs),
  );
  const halfOpen = check.record('halfOpen', given.halfOpen, ['maxConcurrent', 'probeTimeoutMs', 'sample']);
  const sample = check.record('halfOpen.sample', halfOpen.sample, ['calls', 'failureRate']);
  const recovery = check.record('recovery', given.recovery, ['rampMs', 'initialShare']);
  const slowCallMs =
    given.slowCallMs === undefined ? 0 : check.number('slowCallMs', given.slowCallMs, [0.001, longestTimerMs]);
  const classify = check.typed<Classifier | undefined>('classify', given.classify, 'function', undefined);
  const byTime = givenTrip?.reads === 'time';
  const latency = check.typed('latency', given.latency, 'boolean', byTime);
  const random = check.typed('random', given.random, 'function', systemRandom);
  const tell = check.typed('onListenerError', given.onListenerError, 'function', report ?? printOnce(name));
  for (const event of eventNames) check.typed(optionOf(event), given[optionOf(event)], 'function', undefined);
  const settings: Settings = {
    given: own,
    name,
    clock: checkClock(check, given.clock),
    random,
    trip: givenTrip ?? consecutiveFailures(failureThreshold),
    successThreshold: check.integer('successThreshold', given.successThreshold, count, 2),
    timeoutMs,
    maxConcurrent: check.integer('maxConcurrent', given.maxConcurrent, count, Infinity),
    releaseOnTimeout: check.oneOf('release', given.release, ['on-settle', 'on-timeout'], 'on-settle') === 'on-timeout',
    abandonAfterMs: check.number(
      'abandonAfterMs',
      given.abandonAfterMs,
      duration,
      Math.min(longestTimerMs, 10 * timeoutMs),
    ),
    maxProbes: check.integer('halfOpen.maxConcurrent', halfOpen.maxConcurrent, count, 1),
    probeTimeoutMs: check.number('halfOpen.probeTimeoutMs', halfOpen.probeTimeoutMs, duration, timeoutMs),
    sample:
      halfOpen.sample === undefined
        ? undefined
        : {
            calls: check.integer('halfOpen.sample.calls', sample.calls, count),
            failureRate: check.number('halfOpen.sample.failureRate', sample.failureRate, [Number.MIN_VALUE, 1]),
          },
    rampMs: given.recovery === undefined ? 0 : check.number('recovery.rampMs', recovery.rampMs, duration),
    initialShare: check.number('recovery.initialShare', recovery.initialShare, [0.001, 1], 0.1),
    classify,
    slowCallMs: slowCallMs || (givenTrip?.slowCallMs ?? 0),
    latency,
    timed: latency || slowCallMs > 0 || classify !== undefined || givenTrip?.reads !== undefined,
    fallback: given.fallback as Fallback | undefined,
    captureStacks: check.typed('captureStacks', given.captureStacks, 'boolean', false),
    report: tell,
    sleepMs: sleeper(isBackoff ? (sleepWindow as Backoff<Evidence>) : sleepMs, maxSleepMs, random, tell),
  };
  check.oneOf('start', given.start, ['closed', ...forcedStates], 'closed');
  check.done();
  return settings;
}

function checkClock(check: Check, value: unknown): Clock {
  if (value === undefined) return systemClock;
  const clock = value as Partial<Record<keyof Clock, unknown>> | null;
  const sound = (['now', 'setTimeout', 'clearTimeout'] as const).every(
    (member) => typeof clock?.[member] === 'function',
  );
  if (!sound) check.fault('clock', 'an object with now, setTimeout and clearTimeout', value, true);
  return value as Clock;
}

/** Whatever a back-off answers, the sleep is a number from 0 to the maximum. */
function sleeper(
  sleepWindow: number | Backoff<Evidence>,
  maxMs: number,
  random: () => number,
  report: ListenerErrorHandler,
): MachineSettings['sleepMs'] {
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

/** The options of `update` that can't change under way. */
const fixed: readonly (keyof CircuitBreakerOptions)[] = [
  'name',
  'start',
  'restore',
  'clock',
  'random',
  'onListenerError',
];

/** The options as they are after an update; a new trip rule replaces `failureThreshold`, and the other way round. */
export function mergeOptions(settings: Settings, changes: CircuitBreakerOptions): Settings {
  const check = new Check('update');
  const given = check.record('', changes ?? null, known);
  const changed = Object.keys(given).filter((key) => given[key] !== undefined);
  for (const key of changed) {
    if ((fixed as string[]).includes(key) || eventNames.some((event: EventName) => optionOf(event) === key)) {
      check.fault(key, 'left alone (it can only be set at construction)', given[key], true);
    }
  }
  check.done();
  const merged: Record<string, unknown> = { ...settings.given };
  if (given.trip !== undefined) delete merged.failureThreshold;
  if (given.failureThreshold !== undefined) delete merged.trip;
  for (const key of changed) merged[key] = given[key];
  const next = readOptions(merged as CircuitBreakerOptions, settings.report);
  // The short form makes a new rule each time it is read: unchanged is unchanged.
  return given.trip === undefined && given.failureThreshold === undefined ? { ...next, trip: settings.trip } : next;
}
