import {
  also,
  callback,
  count,
  duration,
  flag,
  number,
  oneOf,
  optionsOf,
  type Reader,
  type Readers,
  read,
  share,
  slowness,
} from '../core/check.ts';
import { report } from '../core/events/emitter.ts';
import { type Fallback, taken } from '../core/fallback.ts';
import type { Classifier } from '../core/outcome.ts';
import { type Basics, basicsOf, common, type PolicyOptions } from '../core/policy-options.ts';
import { type Backoff, delayOf, delays } from '../core/time/backoff.ts';
import { longestTimerMs } from '../core/time/clock.ts';
import { eventNames, type Listeners } from './events.ts';
import { deepFreeze, type Evidence } from './evidence.ts';
import type { MachineSettings } from './machine.ts';
import { type ForcedState, forcedStates } from './override.ts';
import { type Snapshot, written } from './snapshot.ts';
import { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
import { type TripRule, tripRule } from './trip-rules/rule.ts';

/** Options of `circuitBreaker`. Durations are milliseconds, at most 2^31 − 1; `undefined` is absent. */
export interface CircuitBreakerOptions extends PolicyOptions, Listeners {
  /** Consecutive failures that open, from 1; default 5. Short for `trip: consecutiveFailures(n)`: give one of the two. */
  readonly failureThreshold?: number | undefined;
  /** The rule that opens. */
  readonly trip?: TripRule | undefined;
  /** Successful probes in a row that close, from 1; default 2. */
  readonly successThreshold?: number | undefined;
  /** How long one call may take, from 1 ms; without it there is no timeout. */
  readonly timeoutMs?: number | undefined;
  /**
   * How long the circuit stays open before it probes, from 0, or a back-off over the openings in a row; default 30,000. The `retryAfterMs` of
   * the failure that opens it lengthens that.
   */
  readonly sleepWindowMs?: number | Backoff<Evidence> | undefined;
  /** The longest sleep, whatever a back-off or a dependency's Retry-After says; default max(300,000, sleepWindowMs). */
  readonly maxSleepWindowMs?: number | undefined;
  /** Bulkhead: calls at work at a time, from 1; without it there is no limit. */
  readonly maxConcurrent?: number | undefined;
  /** When a call that timed out gives its place back: when its work ends (the default), or at once. */
  readonly release?: 'on-settle' | 'on-timeout' | undefined;
  /** With `on-settle`, how long after its end a call may hold its place; default 10 × `timeoutMs`, 60,000 without one. */
  readonly abandonAfterMs?: number | undefined;
  /** How many probes there may be, and what they decide. */
  readonly halfOpen?: HalfOpenOptions | undefined;
  /** After closing, admit a share that rises from `initialShare` (0.001 … 1; default 0.1) to 1 within `rampMs`, from 1; off by default. */
  readonly recovery?: { readonly rampMs: number; readonly initialShare?: number | undefined } | undefined;
  /** What a finished call says about the dependency; it never changes what the caller gets. */
  readonly classify?: Classifier | undefined;
  /** A completed call is slow from this many milliseconds on, above 0; default: that of the trip rule. */
  readonly slowCallMs?: number | undefined;
  /** Whether to keep latency percentiles, which costs two clock readings a call; default: true with time windows. */
  readonly latency?: boolean | undefined;
  /** What failed and refused calls get instead of their error. */
  readonly fallback?: Fallback | undefined;
  /** The state to begin in, unless it is restored; `observe-only` is the mode for a first roll-out. */
  readonly start?: 'closed' | ForcedState | undefined;
  /** What `toJSON()` wrote, here or in another process. */
  readonly restore?: Snapshot | undefined;
  /** Whether refusals carry a stack trace; default false: a stack is most of their cost. */
  readonly captureStacks?: boolean | undefined;
}

/** The options of `circuitBreaker` that `update` can change. */
export type BreakerChanges = Omit<CircuitBreakerOptions, keyof PolicyOptions | `on${string}` | 'start' | 'restore'>;

/** How the half-open circuit decides. */
export interface HalfOpenOptions {
  /** Probes at a time, from 1; default 1. */
  readonly maxConcurrent?: number | undefined;
  /** A probe not settled after so long is a failure, from 1 ms; default `timeoutMs`. Without either it only gives its permit back. */
  readonly probeTimeoutMs?: number | undefined;
  /** Decide by so many probes, from 1, instead of `successThreshold` in a row: it opens if at least `failureRate` of them, above 0 up to 1, fail. */
  readonly sample?: { readonly calls: number; readonly failureRate: number } | undefined;
}

/** The options in force: what was given, what `update` has changed, and the defaults of the rest. */
export interface BreakerSettings extends Omit<MachineSettings, 'sleepMs'> {
  /** What somebody gave, at construction or to `update`; all else is a default. */
  readonly given: CircuitBreakerOptions;
  readonly trip: TripRule;
  /** 0: none. */
  readonly timeoutMs: number;
  readonly sleepWindowMs: number | Backoff<Evidence>;
  readonly maxSleepWindowMs: number;
  /** `undefined`: no bulkhead. */
  readonly maxConcurrent: number | undefined;
  readonly releaseOnTimeout: boolean;
  readonly abandonAfterMs: number;
  readonly classify: Classifier | undefined;
  /** 0: nothing is slow. */
  readonly slowCallMs: number;
  readonly latency: boolean;
  readonly fallback: Fallback | undefined;
  readonly captureStacks: boolean;
}

/** The same, checked and complete: the one place of every default. */
export interface Settings extends Basics, BreakerSettings, MachineSettings {
  /** Whether each call reads the clock. */
  readonly timed: boolean;
  /** From when on a call is slow by the option or by the trip rule, whichever is less: a faster one needs no second look. */
  readonly noticedMs: number | undefined;
}

/** What can be changed under way, … */
const changeable = {
  failureThreshold: count,
  trip: tripRule,
  successThreshold: count,
  timeoutMs: duration,
  sleepWindowMs: delays,
  maxSleepWindowMs: duration,
  maxConcurrent: count,
  release: oneOf('on-settle', 'on-timeout'),
  abandonAfterMs: duration,
  halfOpen: optionsOf(
    {},
    { maxConcurrent: count, probeTimeoutMs: duration, sample: optionsOf({ calls: count, failureRate: share }) },
  ),
  recovery: optionsOf({ rampMs: duration }, { initialShare: number(0.001, 1) }),
  classify: callback,
  slowCallMs: slowness,
  latency: flag,
  fallback: (value: unknown) => taken(value) as never,
  captureStacks: flag,
};

/** … and what only construction sets. */
const fixed = { ...common(eventNames), start: oneOf('closed', ...forcedStates), restore: written };

export const allOptions: Readers<CircuitBreakerOptions> = { ...changeable, ...fixed };
/** (A function: bundlers shake off its call.) */
/*@__NO_SIDE_EFFECTS__*/
const optionsAmong = (known: Readers<CircuitBreakerOptions>): Reader<CircuitBreakerOptions> =>
  also(optionsOf<object, CircuitBreakerOptions>({}, known), ({ trip, failureThreshold }, fault) => {
    if (trip !== undefined && failureThreshold !== undefined) fault('trip', 'absent beside failureThreshold', trip);
  });

export const breakerOptions: Reader<CircuitBreakerOptions> = optionsAmong(allOptions);

/** Checks everything, then throws all faults together: nothing is made of options that are half right. */
export const readOptions = (value: CircuitBreakerOptions): Settings =>
  settingsOf(read('circuitBreaker', value, breakerOptions));

/** Completes options that are checked. */
export function settingsOf(
  given: CircuitBreakerOptions,
  { name, clock, random, onListenerError }: Basics = basicsOf('circuit-breaker', given),
): Settings {
  const {
    failureThreshold = 5,
    trip = consecutiveFailures(failureThreshold),
    successThreshold = 2,
    timeoutMs = 0,
    sleepWindowMs = 30_000,
    maxSleepWindowMs = Math.max(300_000, typeof sleepWindowMs === 'number' ? sleepWindowMs : 0),
    maxConcurrent,
    abandonAfterMs = Math.min(longestTimerMs, 10 * timeoutMs || 60_000),
    classify,
    slowCallMs = trip.slowCallMs ?? 0,
    latency = trip.reads === 'time',
    fallback,
    captureStacks = false,
  } = given;
  const { maxConcurrent: maxProbes = 1, probeTimeoutMs = timeoutMs, sample } = given.halfOpen ?? {};
  const { recovery } = given;
  return {
    // No spread: an object that starts as another's copy takes twice the memory.
    name,
    clock,
    random,
    onListenerError,
    given,
    trip,
    timeoutMs,
    sleepWindowMs,
    maxSleepWindowMs,
    maxConcurrent,
    successThreshold,
    maxProbes,
    probeTimeoutMs,
    sample,
    recovery: recovery && { rampMs: recovery.rampMs, initialShare: recovery.initialShare ?? 0.1 },
    releaseOnTimeout: given.release === 'on-timeout',
    abandonAfterMs,
    classify,
    slowCallMs,
    latency,
    // Not a number where there is none: an `Infinity` of its own is 16 bytes a breaker.
    noticedMs:
      slowCallMs || trip.slowCallMs ? Math.min(slowCallMs || Infinity, trip.slowCallMs ?? Infinity) : undefined,
    timed: latency || slowCallMs > 0 || classify !== undefined || trip.reads !== undefined,
    fallback,
    captureStacks,
    sleepMs,
  };
}

/** The sleep after an opening. (One function for all breakers: it keeps nothing.) */
function sleepMs(
  this: Settings,
  attempt: number,
  why: Evidence,
  previousMs: number | undefined,
  retryAfterMs: number,
): number {
  const { sleepWindowMs, maxSleepWindowMs } = this;
  if (typeof sleepWindowMs === 'function') deepFreeze(why);
  const ms = delayOf(this, 'sleepWindowMs', sleepWindowMs, maxSleepWindowMs, attempt, why, previousMs);
  return Math.min(maxSleepWindowMs, Math.max(ms, retryAfterMs));
}

const leftAlone: Reader<never> = (value, path, fault) =>
  fault(path, 'left alone (it is set at construction)', value) as never;

/** Readers of what an update has to leave alone. */
export const unchangeable = (): object => Object.fromEntries(Object.keys(fixed).map((key) => [key, leftAlone]));

export const optionChanges: Reader<CircuitBreakerOptions> = (value, path, fault) =>
  optionsAmong({ ...changeable, ...unchangeable() } as unknown as Readers<CircuitBreakerOptions>)(value, path, fault);

/** The options as they are after an update. */
export function mergeOptions(before: Settings, changes: CircuitBreakerOptions): Settings {
  const changed = read('update', changes, optionChanges);
  // A policy's faults are printed once, whatever its options become.
  const onListenerError: Basics['onListenerError'] =
    before.onListenerError ?? ((fault, event) => report(before, fault, event));
  const next = settingsOf(overlay(before.given, changed), { ...before, onListenerError });
  // The short form makes a new rule each time it is read: unchanged is unchanged.
  return (changed.trip ?? changed.failureThreshold) ? next : Object.assign(next, { trip: before.trip });
}

/** Options over others: a new trip rule replaces `failureThreshold`, and the other way round. */
export function overlay(under: CircuitBreakerOptions, over: CircuitBreakerOptions): CircuitBreakerOptions {
  const { trip, failureThreshold, ...others } = under;
  return { ...((over.trip ?? over.failureThreshold) ? others : under), ...over };
}
