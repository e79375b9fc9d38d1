import { type Clock, longestTimerMs } from '../../core/time/clock.ts';
import { Deadline, deadlines } from '../../core/time/timers.ts';

const timerMs = (ms: number): number => Math.min(Math.max(1, ms), longestTimerMs);

/** Runs when it is `due`, and again every so often until it is stopped. Its timer lets the process end. */
export class Repeated extends Deadline {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #run: () => void;

  constructor(clock: Clock, intervalMs: number, run: () => void) {
    super();
    this.#clock = clock;
    this.#intervalMs = timerMs(intervalMs);
    this.#run = run;
  }

  startIn(ms: number): void {
    deadlines(this.#clock, timerMs(ms), false).add(this);
  }

  due(): void {
    this.startIn(this.#intervalMs);
    this.#run();
  }

  stop(): void {
    this.queue?.remove(this);
  }
}
