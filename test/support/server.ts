import type { ManualClock } from 'recloser/testing';

/** Times whose mean is 1 and which spread as those of memoryless work do. */
export const exponential = (random: () => number): number => -Math.log(1 - random());

export interface Workload {
  /** How many calls are worked at a time. */
  workers: number;
  /** How long one takes, each time it is asked. */
  serviceMs: () => number;
  /** How many may wait in line there; more are refused. */
  maxQueue: number;
}

/** A server with workers and one line before them, first come, first served. Its workload may change at any time. */
export function simulatedServer(clock: ManualClock, workload: Workload) {
  const line: (() => void)[] = [];
  let busy = 0;
  const figures = { served: 0, refused: 0, latencyMs: 0 };
  const next = (): void => {
    while (busy < workload.workers && line.length > 0) {
      busy++;
      line.shift()?.();
    }
  };
  const call = (): Promise<string> =>
    new Promise((resolve, reject) => {
      if (busy >= workload.workers && line.length >= workload.maxQueue) {
        figures.refused++;
        reject(new Error('overloaded'));
        return;
      }
      const came = clock.now();
      line.push(() => {
        clock.setTimeout(() => {
          busy--;
          figures.served++;
          figures.latencyMs += clock.now() - came;
          next();
          resolve('served');
        }, workload.serviceMs());
      });
      next();
    });
  return { call, figures };
}

/** Calls that come at random, `perSecond` on average, for so long. */
export async function load(
  clock: ManualClock,
  random: () => number,
  perSecond: () => number,
  seconds: number,
  call: () => void,
  everySecond: (second: number) => void = () => {},
): Promise<void> {
  const stepMs = 5;
  let owed = exponential(random);
  for (let ms = 0; ms < seconds * 1_000; ms += stepMs) {
    for (owed -= (perSecond() * stepMs) / 1_000; owed <= 0; owed += exponential(random)) call();
    await clock.advance(stepMs);
    if ((ms + stepMs) % 1_000 === 0) everySecond((ms + stepMs) / 1_000);
  }
}
