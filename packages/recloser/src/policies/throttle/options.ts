import { callback, duration, flag, number, type Reader, read } from '../../core/check.ts';
import type { Classifier } from '../../core/outcome.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type ThrottleEvents } from './events.ts';

/** Options of `adaptiveThrottle`. */
export interface AdaptiveThrottleOptions extends PolicyOptions, ListenerOptions<ThrottleEvents> {
  /**
   * How many calls may be tried for each one that is accepted, 1 … 1,000; default 2. The nearer to 1, the fewer calls the dependency has
   * to refuse itself, and the longer it takes to notice its recovery.
   */
  readonly multiplier?: number | undefined;
  /** How far back calls count, from 1 ms; default 120,000. A recovery takes about as long. */
  readonly windowMs?: number | undefined;
  /** This many calls a second are tried whatever the figures say, 0 … 1,000,000; default 1. */
  readonly minimumPerSecond?: number | undefined;
  /** Judges calls: a `failure` was not accepted, an `ignored` call does not count. By default every error is a failure. */
  readonly classify?: Classifier | undefined;
  /** Whether refusals carry a stack trace; default false. */
  readonly captureStacks?: boolean | undefined;
}

/** The options, checked and complete. */
export interface ThrottleSettings extends PolicyOptions {
  readonly multiplier: number;
  readonly windowMs: number;
  readonly minimumPerSecond: number;
  readonly classify?: Classifier;
  readonly captureStacks: boolean;
}

const known = policyOptions(
  eventNames,
  {},
  {
    multiplier: number(1, 1_000),
    windowMs: duration,
    minimumPerSecond: number(0, 1_000_000),
    classify: callback as Reader<Classifier>,
    captureStacks: flag,
  },
);

export function readOptions(options: AdaptiveThrottleOptions): ThrottleSettings {
  const given = read('adaptiveThrottle', options, known);
  return { multiplier: 2, windowMs: 120_000, minimumPerSecond: 1, captureStacks: false, ...given };
}
