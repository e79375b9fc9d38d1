import type { CallContext, CallOptions } from './call/context.ts';
import type { Fallback, FallbackAnswer, FallbackLike } from './fallback.ts';

/** The arguments a wrapped function takes: its own, less the context that `wrap` appends. */
export type ArgumentsOf<F extends (...args: never[]) => unknown> =
  Parameters<F> extends [...infer Own, CallContext] ? Own : Parameters<F>;

/** Makes the `key` of a call from the arguments of a wrapped function. @typeParam F - the function's type */
export type KeyOfArguments<F extends (...args: never[]) => unknown> = (...args: ArgumentsOf<F>) => string | undefined;

/** The type of a wrapped function: the same if it returns a promise already, else with a promise of its result. */
export type Wrapped<F extends (...args: never[]) => unknown, Answer = never> = [Answer] extends [never]
  ? ReturnType<F> extends Promise<unknown>
    ? Parameters<F> extends [...infer _Own, CallContext]
      ? (...args: ArgumentsOf<F>) => ReturnType<F>
      : F
    : (...args: ArgumentsOf<F>) => Promise<Awaited<ReturnType<F>>>
  : (...args: ArgumentsOf<F>) => Promise<Awaited<ReturnType<F>> | Answer>;

declare const outcomes: unique symbol;

/**
 * What every policy can do. `Answer`: what it may return in place of the function's own result; `Rejection`: the errors of its own
 * that it may reject with.
 */
export interface Policy<Answer = never, Rejection = never> {
  readonly name: string;
  /** Runs the function under the policy. It always returns a promise and never throws. */
  execute<T>(fn: (context: CallContext) => T, options?: CallOptions): Promise<Awaited<T> | Answer>;
  /** With a fallback for this call: what that may return is part of the result's type. */
  execute<T, F extends FallbackLike>(
    fn: (context: CallContext) => T,
    options: CallOptions<F>,
  ): Promise<Awaited<T> | Answer | FallbackAnswer<F>>;
  /** With a fallback whose type is not known. */
  execute<T>(fn: (context: CallContext) => T, options?: CallOptions<Fallback>): Promise<Awaited<T> | Answer>;
  /**
   * Returns the function under the policy: it gets the context after its own arguments, and `this` is kept. `keyOf` gets the arguments and
   * returns the `key` of the call. @throws TypeError if either is no function. @typeParam F - the function's type
   */
  wrap<F extends (...args: never[]) => unknown>(fn: F, keyOf?: KeyOfArguments<F>): Wrapped<F, Answer>;
  /** Only for the compiler. (A function of the rejection, so that a policy is a `Policy` whatever it rejects with.) */
  readonly [outcomes]?: (rejection: Rejection) => Answer;
}

/** Anything that runs functions: the policies of this package, and anything of yours with the same `execute`. */
export interface PolicyLike {
  readonly name?: string;
  /** Runs the function; resolves with its result or rejects. */
  execute(fn: (context: CallContext) => unknown, options?: CallOptions<never>): Promise<unknown>;
}

/** What a policy may return in place of the function's own result. */
export type AnswerOf<P> = P extends Pick<Policy<infer Answer, never>, typeof outcomes> ? Answer : never;

/** The errors of its own that a policy may reject with, besides what the function throws and the reason of the caller's abort. */
export type RejectionOf<P> = P extends Pick<Policy<unknown, infer Rejection>, typeof outcomes> ? Rejection : never;
