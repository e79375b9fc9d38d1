import fc from 'fast-check';
import { type AdaptiveConcurrencyOptions, adaptiveConcurrency } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { chance } from '../../../../../test/support/chance.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';
import { exponential, load, simulatedServer, type Workload } from '../../../../../test/support/server.ts';

const meanMs = 40;

interface Phase {
  readonly seconds: number;
  readonly workers?: number;
  readonly serviceMs?: number;
  /** Of what the server can do. */
  readonly demand?: number;
}

interface Seen {
  /** Each second's limit, without the first ones of the phase. */
  readonly limits: number[];
  /** Served, of what the server could. */
  readonly throughput: number;
  /** How long a call took there, of what it would without a line. */
  readonly slowdown: number;
}

const mean = (list: readonly number[]): number => list.reduce((sum, n) => sum + n, 0) / list.length;

/** Runs the phases one after another, and looks at the second half of each. */
async function simulate(
  seed: number,
  options: AdaptiveConcurrencyOptions,
  workload: { readonly workers: number; readonly maxQueue?: number; readonly even?: boolean },
  phases: readonly Phase[],
): Promise<{ seen: Seen[]; limits: number[] }> {
  const clock = manualClock();
  const random = chance(seed).unit;
  const limits: number[] = [];
  const policy = adaptiveConcurrency({ clock, onLimitChanged: ({ limit }) => limits.push(limit), ...options });
  let serviceMs = meanMs;
  const work: Workload = {
    workers: workload.workers,
    maxQueue: workload.maxQueue ?? 1e9,
    serviceMs: () => serviceMs * (workload.even ? 1 : exponential(random)),
  };
  const { call, figures } = simulatedServer(clock, work);
  const seen: Seen[] = [];
  for (const phase of phases) {
    work.workers = phase.workers ?? workload.workers;
    serviceMs = phase.serviceMs ?? meanMs;
    const canDo = (work.workers * 1_000) / serviceMs;
    const rate = canDo * (phase.demand ?? 2);
    const run = (): void => void policy.execute(call).catch(() => {});
    await load(clock, random, () => rate, phase.seconds / 2, run);
    const { served, latencyMs } = figures;
    const each: number[] = [];
    await load(
      clock,
      random,
      () => rate,
      phase.seconds / 2,
      run,
      () => each.push(policy.metrics().limit),
    );
    seen.push({
      limits: each,
      throughput: (figures.served - served) / (phase.seconds / 2) / canDo,
      slowdown: (figures.latencyMs - latencyMs) / (figures.served - served) / serviceMs,
    });
  }
  return { seen, limits };
}

/** What every run must keep. (Of 840 none left 1.05 … 1.9 × workers + 3, 0.83 of the throughput and 2.1 × the time.) */
function near(workers: number, { limits, throughput, slowdown }: Seen): void {
  expect(mean(limits)).toBeGreaterThan(0.7 * workers);
  expect(mean(limits)).toBeLessThan(2.4 * workers + 3);
  expect(throughput).toBeGreaterThan(0.7);
  expect(slowdown).toBeLessThan(2.7);
}

const seed = fc.integer({ min: 1, max: 2 ** 31 - 1 });
const workers = fc.integer({ min: 8, max: 30 });
const slow = 120_000;

describe('the gradient', () => {
  test('mostly it ends up a little above the capacity: nearly all the throughput, little of the waiting', {
    timeout: slow,
  }, async () => {
    const seen: Seen[] = [];
    for (const seed of [1, 2, 3, 4, 5, 6]) {
      const initialLimit = [1, 20, 120][seed % 3] as number;
      seen.push(...(await simulate(seed, { initialLimit }, { workers: 15 }, [{ seconds: 60 }])).seen);
    }
    const limit = mean(seen.flatMap(({ limits }) => limits));
    expect(limit).toBeGreaterThan(15);
    expect(limit).toBeLessThan(1.6 * 15);
    expect(mean(seen.map(({ throughput }) => throughput))).toBeGreaterThan(0.92);
    expect(mean(seen.map(({ slowdown }) => slowdown))).toBeLessThan(1.45);
  });

  test('finds the capacity from below and from above, whether work is even or not', { timeout: slow }, async () => {
    const initial = fc.constantFrom(1, 20, 120);
    await holdsInTime(
      fc.asyncProperty(seed, workers, initial, fc.boolean(), async (seed, workers, initialLimit, even) => {
        const { seen } = await simulate(seed, { initialLimit }, { workers, even }, [{ seconds: 60 }]);
        near(workers, seen[0] as Seen);
      }),
      5,
    );
  });

  test('follows a capacity that drops to a third, and one that comes back', { timeout: slow }, async () => {
    await holdsInTime(
      fc.asyncProperty(seed, fc.integer({ min: 20, max: 36 }), async (seed, workers) => {
        const third = Math.ceil(workers / 3);
        const phases = [{ seconds: 40 }, { seconds: 60, workers: third }, { seconds: 40 }];
        const { seen } = await simulate(seed, {}, { workers }, phases);
        near(workers, seen[0] as Seen);
        near(third, seen[1] as Seen);
        near(workers, seen[2] as Seen);
      }),
      3,
    );
  });

  test('a dependency that is merely slower than it was is not starved', { timeout: slow }, async () => {
    await holdsInTime(
      fc.asyncProperty(seed, workers, async (seed, workers) => {
        const phases = [{ seconds: 30 }, { seconds: 90, serviceMs: 3 * meanMs }, { seconds: 30 }];
        const { seen } = await simulate(seed, {}, { workers }, phases);
        for (const phase of seen) near(workers, phase);
      }),
      3,
    );
  });

  test('an overload that lasts does not make it drift: after ten minutes it is where it was', {
    timeout: slow,
  }, async () => {
    const phases = [{ seconds: 120, demand: 1.3 }, { seconds: 480 }, { seconds: 120, demand: 1.3 }];
    const { seen } = await simulate(7, {}, { workers: 10 }, phases);
    for (const phase of seen) near(10, phase);
  });

  test('load that does not need its limit leaves it alone', async () => {
    const { limits } = await simulate(3, { initialLimit: 60 }, { workers: 40 }, [{ seconds: 40, demand: 0.5 }]);
    expect(limits).toEqual([]);
  });

  test('one worker takes a limit of two or three: the root leaves room', { timeout: slow }, async () => {
    const { seen } = await simulate(5, { initialLimit: 8 }, { workers: 1, even: true }, [{ seconds: 400 }]);
    expect(mean((seen[0] as Seen).limits)).toBeLessThan(3.5);
    expect((seen[0] as Seen).throughput).toBeGreaterThan(0.75);
  });
});

describe('aimd', () => {
  test('finds what a dependency that refuses can do, from below and from above', { timeout: slow }, async () => {
    await holdsInTime(
      fc.asyncProperty(seed, workers, fc.constantFrom(1, 120), async (seed, workers, initialLimit) => {
        const options = { algorithm: 'aimd', initialLimit } as const;
        const { seen } = await simulate(seed, options, { workers, maxQueue: 2 }, [{ seconds: 80 }]);
        near(workers, seen[0] as Seen);
      }),
      4,
    );
  });
});

describe('whatever the rule says', () => {
  test('the limit stays within its bounds', { timeout: slow }, async () => {
    const rules = ['gradient', 'aimd', () => -1, () => 1e9, () => 7.9] as const;
    for (const algorithm of rules) {
      const options = { algorithm, minLimit: 5, maxLimit: 12, initialLimit: 8 };
      const phases = [{ seconds: 20 }, { seconds: 20, workers: 1 }, { seconds: 20, workers: 30 }];
      const { limits } = await simulate(11, options, { workers: 8, maxQueue: 4 }, phases);
      expect(limits.length).toBeGreaterThan(0);
      for (const limit of limits) expect(limit >= 5 && limit <= 12 && Number.isInteger(limit)).toBe(true);
    }
  });
});
