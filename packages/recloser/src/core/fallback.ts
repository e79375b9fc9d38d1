import { begin } from './call/begin.ts';
import type { CallContext } from './call/context.ts';
import { proceed, type Scope } from './call/scope.ts';
import { duration, flag, number, optionsOf, read } from './check.ts';

const lastGoodBrand = Symbol.for('recloser.lastGood');

/** What `lastGood()` returns: a description. Each policy that uses it keeps its own values. */
export interface LastGood {
  readonly maxAgeMs: number;
  readonly maxEntries: number;
  readonly shared: boolean;
}

/** Makes the answer to a failed or refused call, from its error and its context. */
export type FallbackFunction<T = unknown> = (error: unknown, context: CallContext) => T | PromiseLike<T>;

/**
 * What a failed or refused call gets instead of its error: a function, `lastGood()`, any other value as it is, or a chain:
 * a list with a function or `lastGood()` in it, tried in order until one answers. (A list of plain values is a value.)
 */
// Any value, yet not `unknown`: that swallows the union, and with it the types of the function's parameters.
export type Fallback<T = NonNullable<unknown> | null | undefined> =
  | FallbackFunction<T>
  | LastGood
  | readonly (FallbackFunction<T> | LastGood | T)[]
  | T;

/** What one link of a chain may be. */
export type FallbackLink = FallbackFunction | LastGood | string | number | boolean | bigint | symbol | object | null;

/** What a fallback may be. */
export type FallbackLike = FallbackLink | readonly FallbackLink[];

/** What one link may return; `lastGood` returns what the function itself has returned before. */
export type LinkAnswer<L> = L extends LastGood ? never : L extends (...args: never[]) => infer T ? Awaited<T> : L;

/** What a fallback may return, if its type is known. A list is a chain if there is a function or `lastGood()` in it, else a value. */
export type FallbackAnswer<F> = [Fallback] extends [F | undefined]
  ? never
  : F extends readonly (infer L)[]
    ? [Extract<L, LastGood | ((...args: never[]) => unknown)>] extends [never]
      ? F
      : LinkAnswer<L>
    : LinkAnswer<F>;

const stored = optionsOf<object, LastGood>(
  {},
  { maxAgeMs: duration, maxEntries: number(1, 1_000_000, true), shared: flag },
);

/**
 * A fallback to the last good value of the same `key`. The policy keeps the values; of too many the one stored longest ago goes.
 *
 * @param options.maxAgeMs how many milliseconds a value may be used for, 1 … 2^31 − 1; default: for ever
 * @param options.maxEntries keys kept, 1 … 1,000,000; default 1,000
 * @param options.shared whether calls without a `key` share one value; default false, so that nobody gets another's answer
 * @throws RangeError, TypeError
 */
export function lastGood(
  options: {
    readonly maxAgeMs?: number | undefined;
    readonly maxEntries?: number | undefined;
    readonly shared?: boolean | undefined;
  } = {},
): LastGood {
  const { maxAgeMs = Infinity, maxEntries = 1_000, shared = false } = read('lastGood', options, stored);
  return Object.freeze({ maxAgeMs, maxEntries, shared, [lastGoodBrand]: true });
}

const isLastGood = (value: unknown): value is LastGood =>
  typeof value === 'object' && value !== null && lastGoodBrand in value;

/** The alternatives of a fallback, in order: its links if it is a chain, else itself. */
const alternatives = (fallback: unknown): readonly unknown[] =>
  Array.isArray(fallback) && fallback.some((link) => typeof link === 'function' || isLastGood(link))
    ? fallback
    : [fallback];

/** The option's own copy, if it is a chain; any other value is kept as it is. */
export function taken(fallback: unknown): unknown {
  const links = alternatives(fallback);
  return links === fallback ? [...links] : fallback;
}

/** The `lastGood` among its alternatives, if there is one: then good values are to be remembered. */
export const lastGoodOf = (fallback: unknown): LastGood | undefined => alternatives(fallback).find(isLastGood);

/** Whether an error is another one or among its causes: whoever walks the causes must come to an end. */
function leadsTo(from: unknown, error: unknown): boolean {
  let cause = from;
  for (let depth = 0; depth < 100 && cause != null; depth++) {
    if (cause === error) return true;
    cause = (cause as { readonly cause?: unknown }).cause;
  }
  return false;
}

/** Makes the first error the cause of the later one, if that is another, extensible error without one. (It may be of another realm: Jest.) */
export function causedBy(error: unknown, first: unknown): unknown {
  try {
    if ('stack' in (error as object) && !('cause' in (error as object)) && !leadsTo(first, error)) {
      Object.defineProperty(error, 'cause', { value: first, writable: true, configurable: true });
    }
  } catch {
    // No object, not extensible, or a proxy.
  }
  return error;
}

/** What one policy returns in place of an error, and the good values it keeps for that. */
export class Answers {
  readonly #now: () => number;
  /** In the order they were stored. Each `lastGood` decides anew who may see them, and for how long. */
  readonly #good = new Map<string | undefined, { readonly value: unknown; readonly at: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  remember(fallback: unknown, key: string | undefined, value: unknown): void {
    const wanted = lastGoodOf(fallback);
    if (wanted === undefined || (key === undefined && !wanted.shared)) return;
    const good = this.#good;
    good.delete(key);
    good.set(key, { value, at: this.#now() });
    for (const oldest of good.keys()) {
      if (good.size <= wanted.maxEntries) break;
      good.delete(oldest);
    }
  }

  #recall({ maxAgeMs, shared }: LastGood, key: string | undefined): { readonly value: unknown } | undefined {
    const entry = key === undefined && !shared ? undefined : this.#good.get(key);
    return entry !== undefined && this.#now() - entry.at <= maxAgeMs ? entry : undefined;
  }

  /**
   * Tries the alternatives in order. Without an answer it rejects with the last one's own error, its cause the one before.
   *
   * `scope` is what surrounds the failed call: the call itself may have been aborted, by its timeout, and the fallback must still run. An
   * abort of the scope ends the fallback; one that came before is the failure to be answered.
   */
  instead(fallback: unknown, first: unknown, scope: Scope): Promise<unknown> {
    const { aborted } = scope;
    return (aborted ? proceed : begin)(async (context) => {
      let error = first;
      for (const alternative of alternatives(fallback)) {
        if (scope.aborted && !aborted) break;
        try {
          if (typeof alternative === 'function') return await alternative(error, context);
          if (!isLastGood(alternative)) return alternative;
          const good = this.#recall(alternative, context.key);
          if (good !== undefined) return good.value;
        } catch (failure) {
          error = causedBy(failure, error);
        }
      }
      throw error;
    }, scope);
  }
}
