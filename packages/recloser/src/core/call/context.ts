/** What the protected function is told of its call. */
export interface CallContext {
  /**
   * Aborted when the call times out (with the `TimeoutError`) or its caller gives up (with the caller's reason), not when it
   * succeeds. Made when it is first read.
   */
  readonly signal: AbortSignal;
  /** As given to `execute`. */
  readonly key: string | undefined;
  readonly context: unknown;
  /** What is left of the shortest timeout around the call, in milliseconds, to be passed on as a deadline; Infinity without one. */
  readonly timeLeftMs: number;
  /** Which attempt at the call this is, from 1, as counted by the innermost policy that has made more than one. */
  readonly attempt: number;
}

/** Options of one call. The context of a surrounding call may stand in for them: then this is part of that one, as in a pipeline. */
export interface CallOptions<F = never> {
  /** When it is aborted the call rejects at once with its reason, even if the function does not listen. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the policy's own fallback; in a pipeline, of the outermost policy's. */
  readonly fallback?: F | undefined;
  /** Whose call it is: `lastGood` and keyed policies keep their values apart by it. */
  readonly key?: string | undefined;
  /** Passed on to the function, the classifier and the fallback. */
  readonly context?: unknown;
}

/** The protected function, or the next policy on the way to it. */
export type Work<Context = CallContext> = (context: Context) => unknown;

/** Calls the function; a synchronous throw is a rejection, and the result is a promise of the runtime's, with no `then` of its own. */
export function promised<Context>(work: Work<Context>, context: Context): Promise<unknown> {
  try {
    const answer = Promise.resolve(work(context));
    return answer.then === Promise.prototype.then ? answer : new Promise((resolve) => resolve(answer));
  } catch (error) {
    return Promise.reject(error);
  }
}
