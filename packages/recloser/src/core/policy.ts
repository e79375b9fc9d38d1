import type { CallContext, CallOptions } from './call/context.ts';

/** The arguments a wrapped function takes: its own, less the context that `wrap` appends. */
export type ArgumentsOf<F extends (...args: never[]) => unknown> =
  Parameters<F> extends [...infer Own, CallContext] ? Own : Parameters<F>;

/** A wrapped function: the same type where that is already a promise's, else with a promise of its result. */
export type Wrapped<F extends (...args: never[]) => unknown> =
  ReturnType<F> extends Promise<unknown>
    ? Parameters<F> extends [...infer _Own, CallContext]
      ? (...args: ArgumentsOf<F>) => ReturnType<F>
      : F
    : (...args: ArgumentsOf<F>) => Promise<Awaited<ReturnType<F>>>;

/** What every policy is. */
export interface Policy<Options = CallOptions> {
  readonly name: string;
  /** Runs the function under the policy. It always answers a promise and never throws. */
  execute<T>(fn: (context: CallContext) => T, options?: Options): Promise<Awaited<T>>;
  /** The function under the policy: the context comes as its last argument, `this` is kept. */
  wrap<F extends (...args: never[]) => unknown>(fn: F): Wrapped<F>;
}
