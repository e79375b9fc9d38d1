import { type Clock, systemClock } from '../../core/time/clock.ts';
import { ownTimer, timerMs } from './own-timer.ts';

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
    // Native timers drop the fraction.
    const whole = this.#clock === systemClock ? Math.ceil(ms) : ms;
    this.#callOff = ownTimer(this.#clock, timerMs(whole), () => this.due(), false);
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
