import fc from 'fast-check';
import { RejectedError, RetryBudgetExhaustedError, type RetryBudgetOptions, retryBudget } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { countingClock } from '../../../../test/support/clocks.ts';
import { holdsInTime } from '../../../../test/support/properties.ts';

function setUp(options: RetryBudgetOptions = {}) {
  const clock = manualClock();
  const budget = retryBudget({ clock, ...options });
  const calls = (count: number): void => {
    for (let i = 0; i < count; i++) budget.called();
  };
  /** Takes until there is nothing left. */
  const drain = (): number => {
    let taken = 0;
    while (budget.take()) taken++;
    return taken;
  };
  return { clock, budget, calls, drain };
}

describe('the share', () => {
  test('each call that is under way or succeeded pays for a part of an extra attempt', () => {
    const { calls, drain } = setUp({ share: 0.2, minPerSecond: 0 });
    calls(1_000);
    expect(drain()).toBe(200);
  });

  test('Envoy#30205: 1,000 calls that fail at the same moment get 200 extra attempts together, not 1,000', () => {
    const { budget, calls } = setUp({ share: 0.2, minPerSecond: 0 });
    calls(1_000);
    let granted = 0;
    for (let i = 0; i < 1_000; i++) if (budget.take()) granted++;
    expect(granted).toBe(200);
  });

  test('a failed call takes back what it paid in and a whole attempt besides', () => {
    const { budget, calls } = setUp({ share: 0.2, minPerSecond: 0 });
    calls(50);
    budget.take();
    expect(budget.available).toBe(9);
    budget.ended('failure');
    expect(budget.available).toBe(7); // 9 less 1.2
    for (let i = 0; i < 9; i++) budget.ended('failure');
    calls(19); // 9 less 12 is 3 of debt, 3.8 paid in
    expect(budget.available).toBe(0);
    calls(1);
    expect(budget.available).toBe(1);
  });

  test('an ignored call only takes back what it paid in, a success nothing', () => {
    const { budget, calls } = setUp({ share: 0.5, minPerSecond: 0 });
    calls(10);
    budget.ended('success');
    expect(budget.available).toBe(5);
    budget.ended('ignored');
    budget.ended('ignored');
    expect(budget.available).toBe(4);
  });

  test.each([
    [6, 100],
    [5, 0],
  ])('where one call in %i fails: extra attempts after 3,000 calls are more than %i', (every, least) => {
    const { budget, calls, drain } = setUp({ share: 0.2, minPerSecond: 0 });
    let granted = 0;
    for (let i = 1; i <= 3_000; i++) {
      calls(1);
      if (i % (every + 1) === 0) budget.ended('failure');
      if (i % 100 === 0) granted += drain();
    }
    if (least === 0) expect(granted).toBe(0);
    else expect(granted).toBeGreaterThan(least / 2);
  });

  test('while everything fails nothing is earned, however many the calls are', () => {
    const { budget, calls, drain } = setUp({ minPerSecond: 0 });
    let granted = 0;
    for (let i = 0; i < 1_000; i++) {
      calls(1);
      granted += drain();
      budget.ended('failure');
    }
    expect(granted).toBe(0);
  });

  test('debt is forgotten like everything: ten seconds after an outage of any length retries are back', async () => {
    const { clock, budget, calls } = setUp({ minPerSecond: 0 });
    for (let second = 0; second < 600; second++) {
      calls(100);
      await clock.advance(1_000);
      for (let i = 0; i < 100; i++) budget.ended('failure');
      budget.take();
    }
    for (let second = 0; second < 10; second++) {
      calls(100);
      await clock.advance(1_000);
    }
    expect(budget.available).toBeGreaterThan(0);
  });

  test('holds no more than the share of the last windowMs, also after an hour of calls', async () => {
    const { clock, calls, budget } = setUp({ share: 0.1, minPerSecond: 0, windowMs: 10_000 });
    for (let i = 0; i < 360; i++) {
      calls(1_000); // 100 a second
      await clock.advance(10_000);
      if (i % 60 === 0) budget.take();
    }
    expect(budget.available).toBeLessThanOrEqual(100);
    expect(budget.available).toBeGreaterThan(50);
  });

  test('forgets what it earned when calls stop', async () => {
    const { clock, calls, budget } = setUp({ share: 1, minPerSecond: 0, windowMs: 1_000 });
    calls(100);
    expect(budget.take()).toBe(true);
    await clock.advance(1_000);
    expect(budget.available).toBe(Math.floor(99 / Math.E));
    await clock.advance(10_000);
    expect(budget.available).toBe(0);
  });

  test('of 0 earns nothing', () => {
    const { calls, drain } = setUp({ share: 0, minPerSecond: 0 });
    calls(1_000);
    expect(drain()).toBe(0);
  });

  test('rounding loses no attempt: five fifths are one', () => {
    const { budget, calls, drain } = setUp({ share: 0.2, minPerSecond: 0 });
    let granted = 0;
    for (let i = 0; i < 500; i++) {
      calls(1);
      budget.available;
      granted += drain();
    }
    expect(granted).toBe(100);
  });
});

describe('the minimum', () => {
  test('is there from the beginning, ten seconds’ worth of it', () => {
    expect(setUp().drain()).toBe(10);
    expect(setUp({ minPerSecond: 7 }).drain()).toBe(70);
  });

  test('comes back by the second, up to ten seconds’ worth', async () => {
    const { clock, drain } = setUp({ minPerSecond: 2 });
    drain();
    await clock.advance(499);
    expect(drain()).toBe(0);
    await clock.advance(1);
    expect(drain()).toBe(1);
    await clock.advance(3_000);
    expect(drain()).toBe(6);
    await clock.advance(3_600_000);
    expect(drain()).toBe(20);
  });

  test('is left alone by failures: what they take back is of the share', () => {
    const { budget, calls, drain } = setUp({ share: 1 });
    calls(10);
    expect(drain()).toBe(20);
    const other = setUp({ share: 1 });
    for (let i = 0; i < 100; i++) other.budget.ended('failure');
    expect(other.drain()).toBe(10);
    expect(budget.take()).toBe(false);
  });

  test('is one attempt at least, however small', async () => {
    const { clock, drain } = setUp({ minPerSecond: 0.01 });
    expect(drain()).toBe(1);
    await clock.advance(99_999);
    expect(drain()).toBe(0);
    await clock.advance(1);
    expect(drain()).toBe(1);
  });

  test('is used when the share is spent, not before', async () => {
    const { clock, budget, calls, drain } = setUp({ share: 1, minPerSecond: 0.1 });
    calls(1);
    expect(budget.take()).toBe(true);
    await clock.advance(60_000);
    expect(drain()).toBe(1);
  });
});

test('S3: asking what is available changes nothing', () => {
  const { budget, calls } = setUp();
  calls(50);
  expect([budget.available, budget.available, budget.available]).toEqual([20, 20, 20]);
});

test('how much of it is used: nothing at first, all of it when it is spent, and less again with the time', async () => {
  const { clock, budget, calls, drain } = setUp({ share: 0.2, minPerSecond: 1 });
  expect(budget.utilization).toBe(0);
  calls(50);
  budget.take();
  expect(budget.utilization).toBeCloseTo(1 / 20);
  drain();
  expect(budget.utilization).toBe(1);
  await clock.advance(5_000);
  expect(budget.utilization).toBeCloseTo(20 / Math.E / (20 / Math.E + 5));
  await clock.advance(3_600_000);
  expect(budget.utilization).toBeCloseTo(0);
  expect(setUp({ share: 0, minPerSecond: 0 }).budget.utilization).toBe(1);
});

test('calls read no clock: what they earn is worked out when somebody takes', () => {
  const clock = countingClock();
  const budget = retryBudget({ clock });
  const reads = clock.reads;
  for (let i = 0; i < 100; i++) {
    budget.called();
    budget.ended('failure');
  }
  expect(clock.reads).toBe(reads);
});

test('its refusal is an error for retries of one’s own, and says when the minimum has an attempt again', async () => {
  const { clock, budget, drain } = setUp({ name: 'all reads' });
  drain();
  await clock.advance(100);
  const error = budget.refusal();
  expect(error).toBeInstanceOf(RetryBudgetExhaustedError);
  expect(error).toBeInstanceOf(RejectedError);
  expect(error).toMatchObject({
    name: 'RetryBudgetExhaustedError',
    code: 'ERR_RETRY_BUDGET_EXHAUSTED',
    reason: 'budget-exhausted',
    breaker: 'all reads',
    retryAfterMs: 900,
    message: 'all reads: the retry budget is spent',
  });
  expect(setUp({ minPerSecond: 0 }).budget.refusal().retryAfterMs).toBeUndefined();
});

test('S26: all faults at once', () => {
  expect(() =>
    retryBudget({ share: 1.1, minPerSecond: -1, windowMs: 0, name: 5, clock: {}, more: 1 } as never),
  ).toThrow(
    /name must be a string.*clock must be.*share must be a number from 0 to 1.*minPerSecond.*windowMs.*unknown option more/,
  );
});

test('whatever happens, extra attempts stay below the share of the calls plus the minimum of the time', async () => {
  const act = fc.oneof(
    { weight: 3, arbitrary: fc.record({ do: fc.constant('call' as const), count: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('take' as const), count: fc.integer({ min: 1, max: 50 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('fail' as const), count: fc.integer({ min: 1, max: 50 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ do: fc.constant('wait' as const), count: fc.integer({ min: 1, max: 20_000 }) }),
    },
  );
  await holdsInTime(
    fc.asyncProperty(
      fc.record({
        share: fc.double({ min: 0, max: 1, noNaN: true }),
        minPerSecond: fc.double({ min: 0, max: 20, noNaN: true }),
        windowMs: fc.integer({ min: 1, max: 20_000 }),
      }),
      fc.array(act, { maxLength: 60 }),
      async (options, acts) => {
        const { clock, budget } = setUp(options);
        const { share, minPerSecond } = options;
        let calls = 0;
        let failed = 0;
        let taken = 0;
        for (const { do: what, count } of acts) {
          if (what === 'wait') await clock.advance(count);
          for (let i = 0; i < count && what !== 'wait'; i++) {
            if (what === 'call') {
              budget.called();
              calls++;
            } else if (what === 'fail' && failed < calls) {
              budget.ended(count % 2 ? 'failure' : 'ignored');
              failed++;
            } else if (what === 'take') {
              const available = budget.available;
              const granted = budget.take();
              // What is said to be there is there.
              if (granted !== available > 0) throw new Error(`${available} available, granted ${granted}`);
              if (granted) taken++;
              if (granted && budget.available !== available - 1) throw new Error('an attempt costs one');
            }
          }
          const reserve = minPerSecond && Math.max(1, minPerSecond * 10);
          const most = share * calls + reserve + (minPerSecond * clock.now()) / 1_000;
          if (taken > most + 1e-6) throw new Error(`${taken} taken, at most ${most}`);
        }
      },
    ),
  );
});
