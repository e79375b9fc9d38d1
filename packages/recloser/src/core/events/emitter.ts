/** Gets what a listener or other function of the user's threw, and its event or option. The default prints the first of each policy. */
export type ListenerErrorHandler = (error: unknown, event: string) => void;

type Listener = (payload: never) => unknown;

/**
 * Listeners by event. They run synchronously and in order; an event that a listener causes waits until the running one has
 * been told to all. A throwing listener, or one whose promise rejects, is reported and changes nothing else.
 */
export class Emitter<Events extends object> {
  readonly #report: ListenerErrorHandler;
  readonly #listeners = new Map<keyof Events, readonly Listener[]>();
  readonly #waiting: [keyof Events, Listener, unknown][] = [];
  #telling = false;

  /** @param report must not throw */
  constructor(report: ListenerErrorHandler) {
    this.#report = report;
  }

  #of(event: keyof Events): readonly Listener[] {
    return this.#listeners.get(event) ?? [];
  }

  on<E extends keyof Events>(event: E, listener: (payload: Events[E]) => void): () => void {
    // Its own function, so that one listener added twice is two listeners.
    const own: Listener = (payload) => listener(payload);
    this.#listeners.set(event, [...this.#of(event), own]);
    return () => {
      this.#listeners.set(
        event,
        this.#of(event).filter((other) => other !== own),
      );
    };
  }

  emit<E extends keyof Events>(event: E, payload: Events[E]): void {
    for (const listener of this.#of(event)) this.#waiting.push([event, listener, payload]);
    if (this.#telling) return;
    this.#telling = true;
    // What listeners cause meanwhile comes after.
    for (const next of this.#waiting) this.#tell(...next);
    this.#waiting.length = 0;
    this.#telling = false;
  }

  clear(): void {
    this.#listeners.clear();
  }

  #tell(event: keyof Events, listener: Listener, payload: unknown): void {
    const report = (error: unknown): void => this.#report(error, String(event));
    try {
      const answer = listener(payload as never) as { readonly then?: unknown } | null | undefined;
      // One of another realm (Jest) or library is a promise by its `then`.
      if (typeof answer?.then === 'function') Promise.resolve(answer).catch(report);
    } catch (error) {
      report(error);
    }
  }
}

/** Who has had a fault printed. */
const printed = new WeakSet<object>();

/**
 * Reports what a function of the user's threw, and never throws: if the handler throws as well, there is nobody left to tell. Without a
 * handler only the first fault of a policy is printed: a broken listener on a hot path must not flood the log.
 */
export function report(
  policy: { readonly name: string; readonly onListenerError: ListenerErrorHandler | undefined },
  error: unknown,
  event: string,
): void {
  const { name, onListenerError } = policy;
  try {
    if (onListenerError !== undefined) Promise.resolve(onListenerError(error, event)).catch(() => {});
    else if (!printed.has(policy)) {
      printed.add(policy);
      console.error(`recloser: a listener of '${name}' threw on '${event}' (told once):`, error);
    }
  } catch {}
}
