import { describe, expect, test, vi } from 'vitest';
import { recoveredAfter, type Second, shareOfAllCalls, simulate, world } from './simulation.ts';

vi.setConfig({ testTimeout: 60_000 });

// A dependency at 90 % load stalls for ten seconds. Its queue is longer than its callers wait, so a full one serves nobody in time: what
// keeps it full keeps it down. (Bronson et al., "Metastable failures in distributed systems", HotOS 2021)
describe('after an outage of ten seconds at 90 % load', () => {
  const afterwards = (seconds: readonly Second[]): readonly Second[] => seconds.slice(world.outageToMs / 1_000 + 5);
  const share = (seconds: readonly Second[]): number =>
    seconds.reduce((sum, { succeeded }) => sum + succeeded, 0) / seconds.reduce((sum, { calls }) => sum + calls, 0);

  test.each([world.seed, 1, 2, 3])(
    'three retries with our defaults: almost all succeed again within 5 s (seed %i)',
    async (seed) => {
      const seconds = await simulate({ attempts: 4 }, seed);
      expect(share(seconds.slice(6, 15))).toBeLessThan(0.05);
      expect(recoveredAfter(seconds)).toBeLessThanOrEqual(5);
      // In the outage itself, once what was saved is spent, the dependency gets hardly more than without retries.
      for (const { calls, attempts } of seconds.slice(8, 14)) expect(attempts / calls).toBeLessThan(1.1);
    },
  );

  test('the same without a budget: it stays down, though the cause is gone', async () => {
    const seconds = await simulate({ attempts: 4, budget: false });
    expect(recoveredAfter(seconds)).toBe(Infinity);
    expect(share(afterwards(seconds))).toBeLessThan(0.05);
  });

  test('with a budget that failed calls pay into as well, a fifth each: it stays down too', async () => {
    expect(recoveredAfter(await simulate({ attempts: 4, budget: shareOfAllCalls() }))).toBe(Infinity);
  });

  test('without any retries: that is as fast as it gets', async () => {
    expect(recoveredAfter(await simulate({ attempts: 1 }))).toBeLessThanOrEqual(5);
  });
});
