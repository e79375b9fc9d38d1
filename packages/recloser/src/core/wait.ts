import type { Scope, Watcher } from './call/scope.ts';
import { type Clock, systemClock } from './time/clock.ts';
import { type Deadline, deadlines } from './time/timers.ts';

/**
 * Waits on the clock, but not beyond the end of the scope: then it rejects with the scope's reason at once, and its timer is gone.
 */
export function wait(clock: Clock, ms: number, scope: Scope): Promise<void> {
  if (scope.aborted) return Promise.reject(scope.reason);
  return new Promise((resolve, reject) => {
    const pause: Deadline & Watcher = {
      queue: undefined,
      dueAt: undefined,
      before: undefined,
      after: undefined,
      due() {
        scope.unwatch(pause);
        resolve();
      },
      handleEvent() {
        pause.queue?.remove(pause);
        scope.unwatch(pause);
        reject(scope.reason);
      },
    };
    // Back-offs are drawn, fractions and all; deadlines of whole milliseconds share the system's timers.
    deadlines(clock, clock === systemClock ? Math.ceil(ms) : ms).add(pause);
    scope.watch(pause);
  });
}
