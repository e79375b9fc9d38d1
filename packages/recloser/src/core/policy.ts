import type { CallContext, CallOptions } from './call/context.ts';
import type { Fallback, FallbackAnswer, FallbackLike } from './fallback.ts';

/** The arguments a wrapped function takes: its own, less the context that `wrap` appends. */
export type ArgumentsOf<F extends (...args: never[]) => unknown> =
  Parameters<F> extends [...infer Own, CallContext] ? Own : Parameters<F>;

/** Whose call it is, or of what, by the arguments of a wrapped function. @typeParam F - the function's type */
export type KeyOfArguments<F extends (...args: never[]) => unknown> = (...args: ArgumentsOf<F>) => string | undefined;

/** A wrapped function: the same type where that is already a promise's, else with a promise of its result. */
export type Wrapped<F extends (...args: never[]) => unknown, Answer = never> = [Answer] extends [never]
  ? ReturnType<F> extends Promise<unknown>
    ? Parameters<F> extends [...infer _Own, CallContext]
      ? (...args: ArgumentsOf<F>) => ReturnType<F>
      : F
    : (...args: ArgumentsOf<F>) => Promise<Awaited<ReturnType<F>>>
  : (...args: ArgumentsOf<F>) => Promise<Awaited<ReturnType<F>> | Answer>;

declare const outcomes: unique symbol;

/**
 * What every policy is. `Answer`: what it may answer with in place of the function's own result; `Rejection`: the errors of its own
 * that it may reject with.
 */
export interface Policy<Answer = never, Rejection = never> {
  readonly name: string;
  /** Runs the function under the policy. It always answers a promise and never throws. */
  execute<T>(fn: (context: CallContext) => T, options?: CallOptions): Promise<Awaited<T> | Answer>;
  /** With a fallback of its own: what that may answer with is part of the result's type. */
  execute<T, F extends FallbackLike>(
    fn: (context: CallContext) => T,
    options: CallOptions<F>,
  ): Promise<Awaited<T> | Answer | FallbackAnswer<F>>;
  /** With a fallback of which the compiler knows nothing. */
  execute<T>(fn: (context: CallContext) => T, options?: CallOptions<Fallback>): Promise<Awaited<T> | Answer>;
  /**
   * The function under the policy: the context comes as its last argument, `this` is kept. `keyOf` gets the arguments and says the
   * `key` of the call. @typeParam F - the function's type
   */
  wrap<F extends (...args: never[]) => unknown>(fn: F, keyOf?: KeyOfArguments<F>): Wrapped<F, Answer>;
  /** Only for the compiler. (A function of the rejection: whatever a policy rejects with, it is a `Policy`.) */
  readonly [outcomes]?: (rejection: Rejection) => Answer;
}

/** Anything that runs functions: every policy of this package, and whatever of yours has the same `execute`. */
export interface PolicyLike {
  readonly name?: string;
  /** Runs the function and answers with its result or rejects. */
  execute(fn: (context: CallContext) => unknown, options?: CallOptions<never>): Promise<unknown>;
}

/** What a policy may answer with in place of the function's own result. */
export type AnswerOf<P> = P extends Pick<Policy<infer Answer, never>, typeof outcomes> ? Answer : never;

/** The errors of its own that a policy may reject with, besides what the function throws and the reason of the caller's abort. */
export type RejectionOf<P> = P extends Pick<Policy<unknown, infer Rejection>, typeof outcomes> ? Rejection : never;
