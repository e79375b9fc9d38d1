/** Where the throw of a listener goes; the default prints it once for each policy. */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

type Listener = (payload: never) => void;

/**
 * Listeners by event. They run synchronously and in order; an event that a listener causes waits until the running one has
 * been told to all. A throwing listener, or one whose promise rejects, is reported and changes nothing else.
 */
export class Emitter<Events extends object> {
  readonly #report: ListenerErrorHandler;
  readonly #listeners = new Map<keyof Events, readonly Listener[]>();
  #waiting: (() => void)[] | undefined;

  constructor(report: ListenerErrorHandler) {
    this.#report = report;
  }

  /** True if anybody listens: what nobody hears need not be put together. */
  has(event: keyof Events): boolean {
    return this.#listeners.has(event);
  }

  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    // Its own function, so that one listener added twice is two listeners.
    const own: Listener = (payload) => listener(payload);
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), own]);
    return () => {
      const others = (this.#listeners.get(event) ?? []).filter((other) => other !== own);
      if (others.length === 0) this.#listeners.delete(event);
      else this.#listeners.set(event, others);
    };
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    if (this.#waiting !== undefined) {
      this.#waiting.push(() => this.#tell(event, listeners, payload));
      return;
    }
    this.#waiting = [];
    this.#tell(event, listeners, payload);
    for (let next = this.#waiting.shift(); next !== undefined; next = this.#waiting.shift()) next();
    this.#waiting = undefined;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #tell(event: keyof Events, listeners: readonly Listener[], payload: unknown): void {
    for (const listener of listeners) {
      try {
        const answer: unknown = listener(payload as never);
        if (answer instanceof Promise) answer.catch((error) => this.report(error, String(event)));
      } catch (error) {
        this.report(error, String(event));
      }
    }
  }

  /** Also for what else of the user's goes wrong on the side: a classifier, a back-off. Never throws. */
  report(error: unknown, event: string): void {
    try {
      this.#report(error, event);
    } catch {
      // Whoever reports a fault by throwing has nobody left to tell.
    }
  }
}

/** Prints the first fault of a policy and is silent then: a broken listener on a hot path must not flood the log. */
export function printOnce(policy: string): ListenerErrorHandler {
  let printed = false;
  return (error, event) => {
    if (printed) return;
    printed = true;
    console.error(`recloser: a listener of '${policy}' threw on '${event}' (told once):`, error);
  };
}
