import { type Clock, longestTimerMs, systemClock } from '../../core/time/clock.ts';
import { ownTimer } from './own-timer.ts';

// Native timers drop the fraction.
const timerMs = (clock: Clock, ms: number): number =>
  Math.min(Math.max(1, clock === systemClock ? Math.ceil(ms) : ms), longestTimerMs);

/** Runs when it is `due`, and again every so often until it is stopped. Its timer lets the process end. */
export class Repeated {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #run: () => void;
  #callOff: (() => void) | undefined = undefined;

  constructor(clock: Clock, intervalMs: number, run: () => void) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#run = run;
  }

  get isPlanned(): boolean {
    return this.#callOff !== undefined;
  }

  startIn(ms: number): void {
    this.#callOff = ownTimer(this.#clock, timerMs(this.#clock, ms), () => this.due(), false);
  }

  due(): void {
    this.startIn(this.#intervalMs);
    this.#run();
  }

  stop(): void {
    this.#callOff?.();
    this.#callOff = undefined;
  }
}
