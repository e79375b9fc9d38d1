import { pipeline, type RetryBudget, type RetryOptions, retry, timeout } from 'recloser';
import { chance } from '../support/chance.ts';
import { virtualClock } from '../support/virtual-clock.ts';

/** The world of the simulation, in milliseconds and calls a second. */
export const world = {
  seed: 20_261_124,
  /** What the dependency can serve: ten workers of 10 ms a call on average. */
  workers: 10,
  serviceMs: 10,
  /** 90 % of that, from ten client processes. */
  clients: 10,
  callsPerSecond: 900,
  /** Work the dependency keeps waiting, 0.75 s of it. It does not know who has given up. */
  maxQueue: 650,
  timeoutMs: 500,
  outageFromMs: 5_000,
  outageToMs: 15_000,
  endMs: 28_000,
};

/** One second of the simulation. */
export interface Second {
  /** Calls that began in it, and how many of those succeeded in the end. */
  calls: number;
  succeeded: number;
  /** Attempts that reached the dependency in it. */
  attempts: number;
}

/** First in, first out, with a bounded queue; what waits is served even if nobody waits for it any more. */
class Dependency {
  readonly #clock: ReturnType<typeof virtualClock>;
  readonly #random: () => number;
  readonly #waiting: ((fault?: Error) => void)[] = [];
  #busy = 0;
  #stalled = false;

  constructor(clock: ReturnType<typeof virtualClock>, random: () => number) {
    this.#clock = clock;
    this.#random = random;
  }

  serve(): Promise<string> {
    return new Promise((resolve, reject) => {
      if (this.#waiting.length >= world.maxQueue) return reject(new Error('503: the queue is full'));
      this.#waiting.push(() => resolve('ok'));
      this.#next();
    });
  }

  /** During the outage nothing is served. */
  stall(stalled: boolean): void {
    this.#stalled = stalled;
    for (let i = 0; i < world.workers; i++) this.#next();
  }

  #next(): void {
    if (this.#stalled || this.#busy >= world.workers) return;
    const answer = this.#waiting.shift();
    if (answer === undefined) return;
    this.#busy++;
    this.#clock.setTimeout(
      () => {
        this.#busy--;
        answer();
        this.#next();
      },
      -world.serviceMs * Math.log(1 - this.#random()),
    );
  }
}

/** Runs it with clients whose calls are retried like this; answers what became of the calls, second by second. */
export async function simulate(options: RetryOptions, seed = world.seed): Promise<Second[]> {
  const clock = virtualClock();
  const random = chance(seed).unit;
  const dependency = new Dependency(clock, random);
  const seconds = Array.from({ length: world.endMs / 1_000 }, (): Second => ({ calls: 0, succeeded: 0, attempts: 0 }));
  const at = (ms: number): Second | undefined => seconds[Math.floor(ms / 1_000)];
  for (let client = 0; client < world.clients; client++) {
    const policy = pipeline(retry({ clock, random, ...options }), timeout({ timeoutMs: world.timeoutMs, clock }));
    const meanMs = (1_000 * world.clients) / world.callsPerSecond;
    const arrive = (): void => {
      // Arrivals go on for a while after the end, so that the last calls meet what the others met.
      if (clock.now() > world.endMs + 5_000) return;
      const second = at(clock.now()) ?? { calls: 0, succeeded: 0, attempts: 0 };
      clock.setTimeout(arrive, -meanMs * Math.log(1 - random()));
      second.calls++;
      policy
        .execute(() => {
          const now = at(clock.now());
          if (now !== undefined) now.attempts++;
          return dependency.serve();
        })
        .then(
          () => second.succeeded++,
          () => {},
        );
    };
    clock.setTimeout(arrive, random() * meanMs);
  }
  clock.setTimeout(() => dependency.stall(true), world.outageFromMs);
  clock.setTimeout(() => dependency.stall(false), world.outageToMs);
  await clock.runUntil(world.endMs + 15_000);
  return seconds;
}

/** A budget as others have it: a fifth of all calls, of those that fail too. */
export function shareOfAllCalls(): RetryBudget {
  let tokens = 0;
  return {
    name: 'a fifth of all calls',
    available: 0,
    called: () => void (tokens = Math.min(100, tokens + 0.2)),
    ended: () => {},
    take: () => tokens >= 1 && tokens-- > 0,
    refusal: () => {
      throw new Error('not needed');
    },
  };
}

/** Seconds after the outage from which on at least 99 % of the calls of every second succeed; Infinity if never. */
export function recoveredAfter(seconds: readonly Second[]): number {
  const bad = seconds.findLastIndex(({ calls, succeeded }) => succeeded < 0.99 * calls);
  return bad === seconds.length - 1 ? Infinity : Math.max(0, bad + 1 - world.outageToMs / 1_000);
}
