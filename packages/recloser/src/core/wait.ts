import type { Scope, Watcher } from './call/scope.ts';
import type { Clock } from './time/clock.ts';

/**
 * Waits on the clock, but not beyond the end of the scope: then it rejects with the scope's reason at once, and its timer is gone.
 */
export function wait(clock: Clock, ms: number, scope: Scope): Promise<void> {
  if (scope.aborted) return Promise.reject(scope.reason);
  return new Promise((resolve, reject) => {
    const watcher: Watcher = {
      handleEvent() {
        clock.clearTimeout(timer);
        scope.unwatch(watcher);
        reject(scope.reason);
      },
    };
    const timer = clock.setTimeout(() => {
      scope.unwatch(watcher);
      resolve();
    }, ms);
    scope.watch(watcher);
  });
}
