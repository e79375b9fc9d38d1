import type { CallContext } from '../../core/call/context.ts';
import { also, callback, count, duration, flag, number, oneOf, type Reader, read, wait } from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type RateLimitEvents } from './events.ts';

/** How many permits a call costs, by whose it is: 0 or more, fractions too. 1 if it throws or is no such number. */
export type Cost = (caller: Pick<CallContext, 'key' | 'context'>) => number;

/** Options of `rateLimit`. */
export interface RateLimitOptions extends PolicyOptions, ListenerOptions<RateLimitEvents> {
  /** What calls may cost in `windowMs`, from 1; a call costs 1 unless `cost` says otherwise. */
  readonly permits: number;
  /** From 1 ms; default 1,000. */
  readonly windowMs?: number | undefined;
  /**
   * `token-bucket`, the default: what is left over is saved up to `burst`, so a burst and the rate together may follow a pause.
   * `sliding-window`: no window of `windowMs`, wherever it begins, sees more than `permits`.
   */
  readonly algorithm?: 'token-bucket' | 'sliding-window' | undefined;
  /** How many permits a bucket can save, from 1; default `permits`. */
  readonly burst?: number | undefined;
  /** What a call costs. */
  readonly cost?: Cost | undefined;
  /** How long a call may wait until there is enough for it; 0, the default: it is refused at once. */
  readonly maxWaitMs?: number | undefined;
  /** How many calls may wait, of all keys together, from 1; default 1,000. */
  readonly maxQueue?: number | undefined;
  /** Whether each `key` has a limit of its own; default false. */
  readonly keyed?: boolean | undefined;
  /** How many keys are remembered, from 1; default 10,000. The one that was not used for longest goes. */
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
