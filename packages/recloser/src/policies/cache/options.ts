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

/** How long this value is fresh, in ms; it is not kept if the answer is not above 0. */
export type TimeToLive<Value = unknown> = (value: Value, key: string) => number;

/** Options of `cache`. */
export interface CacheOptions<Value = unknown> extends PolicyOptions, ListenerOptions<CacheEvents> {
  /** How long a value is fresh: 1 … 2^31 − 1 ms, or a function of the value. */
  readonly ttlMs: number | TimeToLive<Value>;
  /** For how many ms after that the value is still the answer while a newer one is fetched in the background (RFC 5861); default 0. */
  readonly staleWhileRevalidateMs?: number | undefined;
  /** For how many ms after it was fresh the value is the answer to a call that fails (RFC 5861); default 0. */
  readonly staleIfErrorMs?: number | undefined;
  /** Which errors a stale value may stand in for: not one that says the thing is gone. By default, and where this throws, any. */
  readonly staleIf?: ((error: unknown) => boolean) | undefined;
  /** What a call's value is kept under; by default its `key`. Without a key, or where this throws, the call passes uncached. */
  readonly keyOf?: KeyOf | undefined;
  /** How many values are kept in memory, 1 … 1,000,000; default 1,000. The least recently used one goes first. Not with a `store`. */
  readonly maxEntries?: number | undefined;
  /** Whether calls that miss the same key at once share one piece of work; default true. */
  readonly coalesce?: boolean | undefined;
  /** How long others may join that work, and how long a background fetch may take, from 1 ms; default 10,000. */
  readonly joinForMs?: number | undefined;
  /** Where to keep values, if not in memory. */
  readonly store?: CacheStore | undefined;
  /** How long the store may take for one answer, from 1 ms; default 1,000. Only with a `store`. */
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
