import type { CallContext } from './call.ts';
import { Check } from './check.ts';
import { longestTimerMs } from './clock.ts';

const lastGoodBrand = Symbol.for('recloser.lastGood');

/** The answer of `lastGood()`: a description; the values live in the policy that uses it. */
export interface LastGood {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  readonly shared: boolean;
}

/** An answer in place of the failed one; it gets the error and the context of the call. */
export type FallbackFunction<T = unknown> = (error: unknown, context: CallContext) => T | PromiseLike<T>;

/**
 * What a failed or refused call gets instead of its error: a function, `lastGood()`, any other value as it is, or a chain:
 * a list with a function or `lastGood()` in it, tried in order until one answers. (A list of plain values is a value.)
 */
export type Fallback<T = unknown> =
  | FallbackFunction<T>
  | LastGood
  | readonly (FallbackFunction<T> | LastGood | T)[]
  | T;

/**
 * Answers with the last good value of the same `key`. Values are kept in the policy, least recently stored first out.
 *
 * @param options.maxAgeMs a value older than this is no answer: 1 … 2^31 − 1; without it values do not age
 * @param options.maxEntries keys kept, 1 … 1,000,000; 1,000 unless said
 * @param options.shared whether calls without a `key` share one value; false unless said, so that nobody gets another's answer
 * @throws RangeError, TypeError
 */
export function lastGood(options?: {
  readonly maxAgeMs?: number;
  readonly maxEntries?: number;
  readonly shared?: boolean;
}): LastGood {
  const check = new Check('lastGood');
  const given = check.record('', options, ['maxAgeMs', 'maxEntries', 'shared']);
  const description = {
    maxAgeMs: given.maxAgeMs === undefined ? Infinity : check.number('maxAgeMs', given.maxAgeMs, [1, longestTimerMs]),
    maxEntries: check.integer('maxEntries', given.maxEntries, [1, 1_000_000], 1_000),
    shared: check.typed('shared', given.shared, 'boolean', false),
  };
  check.done();
  Object.defineProperty(description, lastGoodBrand, { value: true });
  return Object.freeze(description);
}

const isLastGood = (value: unknown): value is LastGood =>
  typeof value === 'object' && value !== null && lastGoodBrand in value;

const isChain = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && value.some((link) => typeof link === 'function' || isLastGood(link));

/** The `lastGood` of a fallback, alone or in a chain. */
export const lastGoodOf = (fallback: unknown): LastGood | undefined =>
  isLastGood(fallback) ? fallback : isChain(fallback) ? fallback.find(isLastGood) : undefined;

/** The values of `lastGood`, in the order they were stored. */
export class GoodValues {
  readonly #values = new Map<string | undefined, { readonly value: unknown; readonly at: number }>();

  put({ maxEntries, shared }: LastGood, key: string | undefined, value: unknown, now: number): void {
    if (key === undefined && !shared) return;
    this.#values.delete(key);
    this.#values.set(key, { value, at: now });
    if (this.#values.size > maxEntries) this.#values.delete(this.#values.keys().next().value);
  }

  get({ maxAgeMs, shared }: LastGood, key: string | undefined, now: number): { readonly value: unknown } | undefined {
    if (key === undefined && !shared) return undefined;
    const entry = this.#values.get(key);
    return entry !== undefined && now - entry.at <= maxAgeMs ? entry : undefined;
  }
}

/** The first error becomes the cause of the later one, if that is another, extensible error without one. */
function withCause(error: unknown, first: unknown): unknown {
  if (error !== first && error instanceof Error && !('cause' in error) && Object.isExtensible(error)) {
    Object.defineProperty(error, 'cause', { value: first, writable: true, configurable: true });
  }
  return error;
}

/** Tries the alternatives in order. Without an answer it rejects with the last alternative's own error. */
export async function fallBack(
  fallback: unknown,
  first: unknown,
  context: CallContext,
  recall: (wanted: LastGood) => { readonly value: unknown } | undefined,
): Promise<unknown> {
  let error = first;
  for (const alternative of isChain(fallback) ? fallback : [fallback]) {
    try {
      if (typeof alternative === 'function') return await alternative(error, context);
      if (!isLastGood(alternative)) return alternative;
      const good = recall(alternative);
      if (good !== undefined) return good.value;
    } catch (failure) {
      error = withCause(failure, error);
    }
  }
  throw error;
}
