/** Where the throw of a listener goes; the default prints it once for each policy. */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

type Listener = (payload: never) => unknown;

/**
 * Listeners by event. They run synchronously and in order; an event that a listener causes waits until the running one has
 * been told to all. A throwing listener, or one whose promise rejects, is reported and changes nothing else.
 */
export class Emitter<Events extends object> {
  readonly #report: ListenerErrorHandler;
  readonly #listeners = new Map<keyof Events, readonly Listener[]>();
  #waiting: [keyof Events, readonly Listener[], unknown][] | undefined;

  /** @param report must not throw */
  constructor(report: ListenerErrorHandler) {
    this.#report = report;
  }

  /** True if anybody listens: what nobody hears need not be put together. */
  has(event: keyof Events): boolean {
    return this.#listeners.has(event);
  }

  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    const listeners = this.#listeners;
    // Its own function, so that one listener added twice is two listeners.
    const own: Listener = (payload) => listener(payload);
    listeners.set(event, [...(listeners.get(event) ?? []), own]);
    return () => {
      const others = (listeners.get(event) ?? []).filter((other) => other !== own);
      if (others.length > 0) listeners.set(event, others);
      else listeners.delete(event);
    };
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    const listeners = this.#listeners.get(event);
    if (listeners === undefined) return;
    const running = this.#waiting !== undefined;
    this.#waiting ??= [];
    const waiting = this.#waiting;
    waiting.push([event, listeners, payload]);
    if (running) return;
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) this.#tell(...next);
    this.#waiting = undefined;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #tell(event: keyof Events, listeners: readonly Listener[], payload: unknown): void {
    const report = (error: unknown): void => this.#report(error, String(event));
    for (const listener of listeners) {
      try {
        const answer = listener(payload as never);
        if (answer instanceof Promise) answer.catch(report);
      } catch (error) {
        report(error);
      }
    }
  }
}

/**
 * A handler that never throws: whoever reports a fault by throwing has nobody left to tell. Without one of the user's the
 * first fault of a policy is printed: a broken listener on a hot path must not flood the log.
 */
export function reporter(policy: string, given: ListenerErrorHandler | undefined): ListenerErrorHandler {
  let printed = false;
  return (error, event) => {
    try {
      if (given !== undefined) given(error, event);
      else if (!printed) console.error(`recloser: a listener of '${policy}' threw on '${event}' (told once):`, error);
      printed = true;
    } catch {}
  };
}
