import { TimeoutError, withoutStack } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { type Deadlines, deadlines } from '../time/timers.ts';
import type { CallContext } from './context.ts';

/** How long calls may take. */
export class TimeLimit {
  readonly timeoutMs: number;
  readonly #policy: string;
  readonly #clock: Clock;
  #deadlines: Deadlines | undefined = undefined;

  constructor(policy: string, timeoutMs: number, clock: Clock) {
    this.#policy = policy;
    this.timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  get deadlines(): Deadlines {
    if (!this.#deadlines?.current) this.#deadlines = deadlines(this.#clock, this.timeoutMs);
    return this.#deadlines;
  }

  leftMs(dueAt: number): number {
    return dueAt === Infinity ? this.timeoutMs : Math.max(0, dueAt - this.#clock.now());
  }

  /** A call's time is up: what it ends with. */
  expired(_call: CallContext): TimeoutError {
    const { timeoutMs } = this;
    const message = `${this.#policy}: timed out after ${timeoutMs} ms`;
    return withoutStack(TimeoutError, message, { breaker: this.#policy, timeoutMs });
  }
}
