import type { KeyOf } from '../../core/call/flights.ts';
import {
  also,
  callback,
  duration,
  flag,
  having,
  number,
  orFunction,
  type Reader,
  read,
  wait,
} from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { type CacheEvents, eventNames } from './events.ts';
import type { CacheStore } from './store.ts';

/** How long a value is fresh, by what it is; what is not above 0 is not kept. */
export type TimeToLive<Value = unknown> = (value: Value, key: string) => number;

/** Options of `cache`. */
export interface CacheOptions<Value = unknown> extends PolicyOptions, ListenerOptions<CacheEvents> {
  /** How long a value is fresh: 1 … 2^31 − 1 ms, or by what it is. */
  readonly ttlMs: number | TimeToLive<Value>;
  /** How much longer it is the answer while a newer one is fetched in the background (RFC 5861); default 0. */
  readonly staleWhileRevalidateMs?: number | undefined;
  /** How much longer than fresh it is the answer where the call fails (RFC 5861); default 0. */
  readonly staleIfErrorMs?: number | undefined;
  /** Which errors a stale value may answer for, not those that say it is gone; default: all, also where this throws. */
  readonly staleIf?: ((error: unknown) => boolean) | undefined;
  /** Which calls ask for the same; default their `key`. Calls without a key pass, and those for which this throws. */
  readonly keyOf?: KeyOf | undefined;
  /** Values kept in memory, 1 … 1,000,000; default 1,000. */
  readonly maxEntries?: number | undefined;
  /** Whether calls that miss together wait for one piece of work; default true. */
  readonly coalesce?: boolean | undefined;
  /** How long others may join it, and how long a background fetch may take, from 1 ms; default 10,000. */
  readonly joinForMs?: number | undefined;
  /** Where values are kept, if not in memory. */
  readonly store?: CacheStore | undefined;
  /** How long one answer of the store may take, from 1 ms; default 1,000. */
  readonly storeTimeoutMs?: number | undefined;
}

/** The options, checked and complete. */
export interface CacheSettings extends Omit<CacheOptions, keyof ListenerOptions<CacheEvents>> {
  readonly staleWhileRevalidateMs: number;
  readonly staleIfErrorMs: number;
  readonly maxEntries: number;
  readonly coalesce: boolean;
  readonly joinForMs: number;
  readonly storeTimeoutMs: number;
}

const known = also(
  policyOptions(
    eventNames,
    { ttlMs: orFunction(duration) as Reader<number | TimeToLive> },
    {
      staleWhileRevalidateMs: wait,
      staleIfErrorMs: wait,
      staleIf: callback as Reader<(error: unknown) => boolean>,
      keyOf: callback as Reader<KeyOf>,
      maxEntries: number(1, 1_000_000, true),
      coalesce: flag,
      joinForMs: duration,
      store: having('a store', { get: 'function', set: 'function', delete: 'function', clear: 'function' }),
      storeTimeoutMs: duration,
    },
  ),
  ({ store, maxEntries, storeTimeoutMs }, fault) => {
    if (store && maxEntries) fault('maxEntries', 'left to the store', maxEntries);
    if (!store && storeTimeoutMs) fault('storeTimeoutMs', 'left out without a store', storeTimeoutMs);
  },
);

export function readOptions<Value>(options: CacheOptions<Value> | number): CacheSettings {
  return {
    staleWhileRevalidateMs: 0,
    staleIfErrorMs: 0,
    maxEntries: 1_000,
    coalesce: true,
    joinForMs: 10_000,
    storeTimeoutMs: 1_000,
    ...read('cache', typeof options === 'number' ? { ttlMs: options } : options, known),
  };
}
