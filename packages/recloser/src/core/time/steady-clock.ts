import { report } from '../events/emitter.ts';
import { type Clock, systemClock } from './clock.ts';

type Teller = Parameters<typeof report>[0];

/**
 * A clock of the user's, which may fail at any time: then time stands still, and timers are the system's. What it throws is reported, not
 * thrown: a throw between counting a call and taking its place would lose both. If it is set back, as `Date.now` may be, time goes on
 * from where it stood.
 */
export class SteadyClock implements Clock {
  readonly #clock: Clock;
  readonly #policy: Teller;
  /** Timers of the system's that stand for one that could not be set. */
  #own: Set<unknown> | undefined = undefined;
  #last: number;
  /** By how much it was set back. */
  #behind = 0;

  constructor(clock: Clock, policy: Teller) {
    this.#clock = clock;
    this.#policy = policy;
    this.#last = clock.now();
  }

  now(): number {
    try {
      const now = this.#clock.now() + this.#behind;
      if (now >= this.#last) this.#last = now;
      // (If it returns no number, neither holds, and time stands still.)
      else if (now < this.#last) this.#behind += this.#last - now;
    } catch (fault) {
      report(this.#policy, fault, 'clock');
    }
    return this.#last;
  }

  setTimeout(callback: () => void, ms: number): unknown {
    try {
      return this.#clock.setTimeout(callback, ms);
    } catch (fault) {
      report(this.#policy, fault, 'clock');
      const timer = systemClock.setTimeout(() => {
        this.#own?.delete(timer);
        callback();
      }, ms);
      this.#own = (this.#own ?? new Set()).add(timer);
      return timer;
    }
  }

  clearTimeout(handle: unknown): void {
    try {
      if (this.#own?.delete(handle)) systemClock.clearTimeout(handle);
      else this.#clock.clearTimeout(handle);
    } catch (fault) {
      report(this.#policy, fault, 'clock');
    }
  }
}
