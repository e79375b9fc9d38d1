import type { Clock } from 'recloser';

const longestTimerMs = 2 ** 31 - 1;
/** So much real time at most passes between two heartbeats: what a busy event loop may take, less where it would show. */
export const longestBeatMs = (speed: number): number => Math.max(4, Math.min(12, 150 / speed));

interface Handle {
  timer?: NodeJS.Timeout;
}

/**
 * The time of the recording, `speed` times as fast as the real one. A breaker that gets this clock keeps its durations as
 * they are documented, and all that it reports is in the recording's time.
 *
 * It only goes on while heartbeats come in. When the machine stalls (a throttled container, a cold start), the recording
 * stands still; otherwise a pause of 0.2 s would be a dependency that takes 2 s at speed 10, and circuits would open for it.
 */
export class RecordingClock implements Clock {
  readonly #speed: number;
  readonly #longestBeatMs: number;
  #beatMs: number;
  #beatAt = performance.now();
  #stoodStillMs = 0;

  constructor(fromMs: number, speed: number) {
    this.#beatMs = fromMs;
    this.#speed = speed;
    this.#longestBeatMs = longestBeatMs(speed);
  }

  now(): number {
    return this.#beatMs + Math.min(performance.now() - this.#beatAt, this.#longestBeatMs) * this.#speed;
  }

  /** All processes of the run are alive at this moment. */
  beat(): void {
    const now = performance.now();
    this.#beatMs = this.now();
    this.#stoodStillMs += Math.max(0, now - this.#beatAt - this.#longestBeatMs);
    this.#beatAt = now;
  }

  /** In real time. */
  get stoodStillMs(): number {
    return this.#stoodStillMs;
  }

  setTimeout(callback: () => void, ms: number): Handle {
    const handle: Handle = {};
    const dueMs = this.now() + ms;
    const wait = (): void => {
      const leftMs = dueMs - this.now();
      if (leftMs > 0) handle.timer = setTimeout(wait, Math.min(Math.ceil(leftMs / this.#speed), longestTimerMs));
      else callback();
    };
    wait();
    return handle;
  }

  clearTimeout(handle: unknown): void {
    clearTimeout((handle as Handle | undefined)?.timer);
  }
}
