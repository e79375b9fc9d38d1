import { type PlacesOptions, type PlacesSettings, placesDefaults, withPlaces } from '../../core/bounded/options.ts';
import { also, callback, count, number, oneOf, orFunction, type Reader, read } from '../../core/check.ts';
import type { Classifier } from '../../core/outcome.ts';
import { type ListenerOptions, policyOptions } from '../../core/policy-options.ts';
import { type AdaptiveEvents, eventNames } from './events.ts';
import type { LimitRule } from './round.ts';

/** Options of `adaptiveConcurrency`. */
export interface AdaptiveConcurrencyOptions extends PlacesOptions, ListenerOptions<AdaptiveEvents> {
  /** The lowest limit, from 1; default 1. */
  readonly minLimit?: number | undefined;
  /** The highest limit, from 1; default 200, or `minLimit` if that is more. */
  readonly maxLimit?: number | undefined;
  /** The limit to begin with, from `minLimit` to `maxLimit`; default 20, or the bound nearest to it. */
  readonly initialLimit?: number | undefined;
  /**
   * `gradient` (the default) follows latency. `aimd` adds one after each good round and takes a share off after a bad one; it needs a
   * dependency that refuses calls, or a timeout inside. Or a rule of your own.
   */
  readonly algorithm?: 'gradient' | 'aimd' | LimitRule | undefined;
  /** A round in which more than this share of the calls failed is bad, 0 … 1; default 0.1. */
  readonly failureThreshold?: number | undefined;
  /** What a bad round multiplies the limit by, 0.1 … 0.99; default 0.9. */
  readonly backoffRatio?: number | undefined;
  /** The fewest calls in a round, 10 … 1,000,000; default 100. A round also has at least twice as many calls as the limit. */
  readonly roundCalls?: number | undefined;
  /** Which calls failed because of overload, and which to leave out (`ignored`). By default every error counts as a failure. */
  readonly classify?: Classifier | undefined;
}

/** The options, checked and complete. */
export interface AdaptiveSettings extends PlacesSettings {
  readonly minLimit: number;
  readonly maxLimit: number;
  readonly initialLimit: number;
  readonly algorithm: 'gradient' | 'aimd' | LimitRule;
  readonly failureThreshold: number;
  readonly backoffRatio: number;
  readonly roundCalls: number;
  readonly classify?: Classifier;
}

const known = also(
  policyOptions(
    eventNames,
    {},
    withPlaces({
      minLimit: count,
      maxLimit: count,
      initialLimit: count,
      algorithm: orFunction(oneOf('gradient', 'aimd')) as Reader<AdaptiveSettings['algorithm']>,
      failureThreshold: number(0, 1),
      backoffRatio: number(0.1, 0.99),
      roundCalls: number(10, 1_000_000, true),
      classify: callback as Reader<Classifier>,
    }),
  ),
  ({ minLimit = 1, maxLimit = Math.max(200, minLimit), initialLimit = minLimit }, fault, isSound) => {
    if (!isSound) return;
    if (minLimit > maxLimit) fault('minLimit', 'at most maxLimit', minLimit, false);
    else if (initialLimit < minLimit || initialLimit > maxLimit) {
      fault('initialLimit', 'from minLimit to maxLimit', initialLimit, false);
    }
  },
);

export function readOptions(options: AdaptiveConcurrencyOptions): AdaptiveSettings {
  const given = read('adaptiveConcurrency', options, known);
  const { minLimit = 1, maxLimit = Math.max(200, minLimit) } = given;
  return {
    ...placesDefaults,
    minLimit,
    maxLimit,
    initialLimit: Math.min(maxLimit, Math.max(minLimit, 20)),
    algorithm: 'gradient',
    failureThreshold: 0.1,
    backoffRatio: 0.9,
    roundCalls: 100,
    ...given,
  };
}
