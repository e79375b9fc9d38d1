import { bulkhead, type PolicyLike, pipeline, RejectedError, registry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';

/** One limiter over all services. */
export function oneLimiter(clock: ManualClock): PolicyLike {
  return bulkhead({ maxConcurrent: 10, clock });
}

/**
 * The same limiter, and around it a breaker for each service. What a breaker refuses never takes a place, and what the limiter
 * refuses says nothing about a service: its breaker ignores it.
 */
export function oneLimiterManyBreakers(clock: ManualClock): PolicyLike {
  const services = registry({ clock, defaults: { failureThreshold: 3, timeoutMs: 500, sleepWindowMs: 5_000 } });
  return pipeline(services, oneLimiter(clock));
}

/** Two services answer in 20 ms; the third hangs, for as long as its callers wait. */
function call(clock: ManualClock, service: string): Promise<string> {
  return new Promise((resolve, reject) => {
    if (service === 'payments') clock.setTimeout(() => reject(new Error('nobody waits any more')), 500);
    else clock.setTimeout(() => resolve('an answer'), 20);
  });
}

export interface Tally {
  answered: number;
  failed: number;
  refused: number;
}

/** Ten seconds in which one service after the other is called, three hundred times a second in all. In virtual time: it takes none. */
export async function play(make: (clock: ManualClock) => PolicyLike): Promise<Record<string, Tally>> {
  const clock = manualClock();
  const policy = make(clock);
  const tallies: Record<string, Tally> = {};
  for (const service of ['search', 'stock', 'payments']) tallies[service] = { answered: 0, failed: 0, refused: 0 };
  for (let i = 0; i < 1_000; i++) {
    for (const [service, tally] of Object.entries(tallies)) {
      policy
        .execute(() => call(clock, service), { key: service })
        .then(
          () => tally.answered++,
          (error) => (error instanceof RejectedError ? tally.refused++ : tally.failed++),
        );
      await clock.advance(10 / 3);
    }
  }
  await clock.advance(1_000);
  return tallies;
}
