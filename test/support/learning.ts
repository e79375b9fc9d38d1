import { expect } from 'vitest';
import { adaptive } from '../../packages/recloser/src/breaker/trip-rules/adaptive.ts';
import type { Measurement, TripCounter } from '../../packages/recloser/src/breaker/trip-rules/rule.ts';

export const hour = 3_600_000;

/** A counter and the time of its last call; calls come so many milliseconds apart. */
export class Dependency {
  readonly rule = adaptive();
  now = 0;
  counter: TripCounter = this.rule.start(0);

  /** Whether any of so many calls opened; it then stands as it was at that call. */
  call(calls: number, ms: number | 'fails', everyMs = 100): boolean {
    for (let i = 0; i < calls; i++) {
      this.now += everyMs;
      if (this.counter.record(ms === 'fails', ms === 'fails' ? 0 : ms, this.now)) return true;
    }
    return false;
  }

  /** The circuit is open for so long, then closes. */
  sleep(ms = 30_000): void {
    this.now += ms;
    this.counter.clear(this.now);
  }

  get measured(): Measurement {
    return this.counter.measure(this.now);
  }

  get slowCallMs(): number {
    return this.counter.slowCallMs?.(this.now) ?? Number.NaN;
  }
}

export function healthy(calls = 1_000, ms = 50, everyMs = 100): Dependency {
  const dependency = new Dependency();
  expect(dependency.call(calls, ms, everyMs)).toBe(false);
  return dependency;
}
