/** What the protected function gets to know of its call. */
export interface CallContext {
  /**
   * Aborted when the call times out (with the `TimeoutError`) or its caller gives up (with the caller's reason), not when it
   * succeeds. Made when it is first read.
   */
  readonly signal: AbortSignal;
  /** As given to `execute`. */
  readonly key: string | undefined;
  readonly context: unknown;
}

/** Options of one call. */
export interface CallOptions<F = never> {
  /** When it is aborted the call rejects at once with its reason, even if the function does not listen. */
  readonly signal?: AbortSignal | undefined;
  /** In place of the policy's own fallback. */
  readonly fallback?: F | undefined;
  /** Whose call it is: `lastGood` and keyed policies keep their values apart by it. */
  readonly key?: string | undefined;
  /** Handed through to the function, the classifier and the fallback. */
  readonly context?: unknown;
}

/** What the function sees of a call: its signal, and nothing that leads to other calls. */
export class ShownContext implements CallContext {
  readonly #call: CallContext;

  constructor(call: CallContext) {
    this.#call = call;
  }

  get key(): string | undefined {
    return this.#call.key;
  }

  get context(): unknown {
    return this.#call.context;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }
}

/** The context of a call that nothing ends early: its signal is never aborted, but listeners on it are the call's own. */
export class UnhurriedContext implements CallContext {
  #controller: AbortController | undefined = undefined;

  get key(): undefined {
    return undefined;
  }

  get context(): undefined {
    return undefined;
  }

  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }
}

/** Calls the function; a synchronous throw is a rejection, and the answer is a promise of the runtime's own. */
export function promised(fn: (context: CallContext) => unknown, context: CallContext): Promise<unknown> {
  try {
    return Promise.resolve(fn(context));
  } catch (error) {
    return Promise.reject(error);
  }
}
