import type { CallContext } from '../../core/call/context.ts';
import { also, callback, count, duration, flag, number, oneOf, type Reader, read, wait } from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type RateLimitEvents } from './events.ts';

/** How many permits a call costs: 0 or more, fractions too. Counts as 1 if it throws or answers no such number. */
export type Cost = (caller: Pick<CallContext, 'key' | 'context'>) => number;

/** Options of `rateLimit`. */
export interface RateLimitOptions extends PolicyOptions, ListenerOptions<RateLimitEvents> {
  /** How many permits there are in each `windowMs`, from 1. A call costs one unless `cost` says otherwise. */
  readonly permits: number;
  /** The time that `permits` is for, from 1 ms; default 1,000. */
  readonly windowMs?: number | undefined;
  /**
   * `token-bucket` (the default): unused permits are saved, up to `burst`, so after a pause a burst may come on top of the rate.
   * `sliding-window`: no stretch of `windowMs`, wherever it begins, sees more than `permits`.
   */
  readonly algorithm?: 'token-bucket' | 'sliding-window' | undefined;
  /** How many permits a token bucket can save, from 1; default `permits`. */
  readonly burst?: number | undefined;
  /** How many permits a call costs; by default 1. */
  readonly cost?: Cost | undefined;
  /** How long a call may wait for its permits, in ms; default 0: it is refused at once. */
  readonly maxWaitMs?: number | undefined;
  /** How many calls may wait, of all keys together, 1 … 1,000,000; default 1,000. */
  readonly maxQueue?: number | undefined;
  /** Whether each `key` has a limit of its own; default false. */
  readonly keyed?: boolean | undefined;
  /** How many keys are remembered, 1 … 10,000,000; default 10,000. The least recently used one goes first. */
  readonly maxKeys?: number | undefined;
  /** Whether refusals carry a stack trace; default false. */
  readonly captureStacks?: boolean | undefined;
}

/** The options, checked and complete. */
export interface RateLimitSettings extends PolicyOptions {
  readonly permits: number;
  readonly windowMs: number;
  readonly algorithm: 'token-bucket' | 'sliding-window';
  readonly burst: number;
  readonly cost?: Cost;
  readonly maxWaitMs: number;
  readonly maxQueue: number;
  readonly keyed: boolean;
  readonly maxKeys: number;
  readonly captureStacks: boolean;
}

const known = also(
  policyOptions(
    eventNames,
    { permits: count },
    {
      windowMs: duration,
      algorithm: oneOf('token-bucket', 'sliding-window'),
      burst: count,
      cost: callback as Reader<Cost>,
      maxWaitMs: wait,
      maxQueue: number(1, 1_000_000, true),
      keyed: flag,
      maxKeys: number(1, 10_000_000, true),
      captureStacks: flag,
    },
  ),
  ({ algorithm, burst }, fault) => {
    if (algorithm === 'sliding-window' && burst !== undefined) fault('burst', 'left to the token bucket', burst);
  },
);

export function readOptions(options: RateLimitOptions): RateLimitSettings {
  const given = read('rateLimit', options, known);
  return {
    windowMs: 1_000,
    algorithm: 'token-bucket',
    burst: given.permits,
    maxWaitMs: 0,
    maxQueue: 1_000,
    keyed: false,
    maxKeys: 10_000,
    captureStacks: false,
    ...given,
  };
}
