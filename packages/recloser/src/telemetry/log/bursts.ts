import { inNoContext } from '../../core/time/async-context.ts';
import { type Clock, unref } from '../../core/time/clock.ts';

/** How many came together. */
export interface Burst {
  readonly count: number;
  readonly byReason: Readonly<Record<string, number>>;
  /** In how many milliseconds; 0 for the first, which is told at once. */
  readonly overMs: number;
}

interface Waiting {
  /** When the last line was. */
  since: number;
  count: number;
  byReason: Record<string, number>;
  timer: unknown;
  say(burst: Burst): void;
}

/**
 * Tells the first of many at once, then no more than one line in `everyMs`, with how many there were. After that long without any it
 * forgets the key, so there are never more keys, nor timers, than names heard of lately.
 */
export class Bursts {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #waiting = new Map<string, Waiting>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /** One more; `say` must not throw. */
  add(key: string, reason: string, say: (burst: Burst) => void): void {
    const waiting = this.#waiting.get(key);
    if (waiting === undefined) {
      // Kept before it is told: a logger whose own transport is refused must not be told of that without end.
      const begun: Waiting = { since: 0, count: 0, byReason: {}, timer: undefined, say };
      this.#waiting.set(key, begun);
      this.#wait(key, begun);
      say({ count: 1, byReason: { [reason]: 1 }, overMs: 0 });
      return;
    }
    waiting.count++;
    waiting.byReason[reason] = (waiting.byReason[reason] ?? 0) + 1;
    waiting.say = say;
  }

  #wait(key: string, waiting: Waiting): void {
    waiting.since = this.#clock.now();
    const due = (): void => {
      if (waiting.count === 0) this.#waiting.delete(key);
      else {
        this.#tell(waiting);
        this.#wait(key, waiting);
      }
    };
    // The lines to come are nobody's call's.
    inNoContext(() => {
      waiting.timer = this.#clock.setTimeout(due, this.#everyMs);
    });
    unref(waiting.timer);
  }

  #tell(waiting: Waiting): void {
    const { count, byReason, say } = waiting;
    waiting.count = 0;
    waiting.byReason = {};
    say({ count, byReason, overMs: this.#clock.now() - waiting.since });
  }

  /** Tells what is still to be told, and ends. */
  close(): void {
    for (const waiting of this.#waiting.values()) {
      this.#clock.clearTimeout(waiting.timer);
      if (waiting.count > 0) this.#tell(waiting);
    }
    this.#waiting.clear();
  }
}
