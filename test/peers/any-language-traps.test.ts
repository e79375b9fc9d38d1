import { anyOf, type CircuitBreaker, circuitBreaker, consecutiveFailures, failureRate, slowCallRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';

async function halfOpen(options: Parameters<typeof setUp>[0] = {}) {
  const made = setUp(options);
  await fail(made.breaker);
  await made.clock.advance(1_000);
  return made;
}

describe('the ten traps', () => {
  test('alibaba/Sentinel#1638 (1): a probe that an inner policy rejects gives its permit back', async () => {
    const { breaker } = await halfOpen();
    const inner = circuitBreaker({ maxConcurrent: 1 });
    inner.acquire();
    await rejection(breaker.execute(() => inner.execute(() => 1)));
    expect(breaker.state).toBe('half-open');
    expect(breaker.available).toBe(true);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('sentinel-golang#559 (1): such a rollback is counted neither as success nor as failure', async () => {
    const { breaker } = await halfOpen({ successThreshold: 2 });
    const inner = circuitBreaker();
    inner.forceOpen();
    const before = breaker.metrics();
    for (let i = 0; i < 5; i++) await rejection(breaker.execute(() => inner.execute(() => 1)));
    expect(breaker.metrics()).toMatchObject({
      successfulRequests: before.successfulRequests,
      failedRequests: before.failedRequests,
      ignoredRequests: 5,
      state: 'half-open',
    });
  });

  test('Polly#1979, PR#1991 (2): a cancelled probe neither closes nor opens nor sticks', async () => {
    const { breaker } = await halfOpen();
    const controller = new AbortController();
    const probe = hold(breaker, { signal: controller.signal });
    controller.abort();
    await probe.result;
    expect(breaker.state).toBe('half-open');
    expect(stampede(breaker, 5)).toBe(1);
  });

  test.each(['success', 'failure'] as const)(
    'Polly#216, #217, #218 (3): a slow call that began closed ends in open, half-open and the next closed: %s',
    async (verdict) => {
      const { breaker, clock } = setUp({ failureThreshold: 2, successThreshold: 1 });
      const olds = Array.from({ length: 3 }, () => hold(breaker));
      const end = async (i: number) => {
        const old = olds[i] as ReturnType<typeof hold>;
        if (verdict === 'success') old.resolve();
        else old.reject(new Error('overhanging'));
        await old.result;
      };
      const opened: unknown[] = [];
      breaker.on('opened', (event) => opened.push(event));
      await fail(breaker);
      await fail(breaker);
      await end(0);
      expect(breaker.state).toBe('open');
      await clock.advance(1_000);
      const probe = hold(breaker);
      await end(1);
      expect(breaker.state).toBe('half-open');
      probe.resolve();
      await probe.result;
      await fail(breaker);
      await end(2);
      expect(breaker.state).toBe('closed');
      expect(breaker.metrics().window.failures).toBe(1);
      expect(opened).toHaveLength(1);
    },
  );

  test('Polly PR#223 (3): the opening is told once, whatever hangs over', async () => {
    const { breaker } = setUp({ failureThreshold: 2 });
    const calls = Array.from({ length: 50 }, () => hold(breaker));
    let opened = 0;
    breaker.on('opened', () => opened++);
    for (const call of calls) call.reject(new Error('x'));
    await Promise.all(calls.map(({ result }) => result));
    expect(opened).toBe(1);
  });

  const ends: [string, (breaker: CircuitBreaker) => Promise<unknown>, 'half-open' | 'open' | 'closed'][] = [
    ['a success', (breaker) => succeed(breaker), 'closed'],
    ['a failure', (breaker) => fail(breaker), 'open'],
    ['an ignored error', (breaker) => fail(breaker, 'ignore me'), 'half-open'],
    ['an ignored value', (breaker) => succeed(breaker, 'ignore me'), 'half-open'],
    [
      'a synchronous ignored throw',
      (breaker) =>
        rejection(
          breaker.execute(() => {
            throw 'ignore me';
          }),
        ),
      'half-open',
    ],
    [
      'an abort',
      (breaker) => {
        const controller = new AbortController();
        const call = hold(breaker, { signal: controller.signal });
        controller.abort();
        return call.result;
      },
      'half-open',
    ],
    ['an ignored permit', async (breaker) => breaker.acquire()?.ignore(), 'half-open'],
    ['a broken classifier', (breaker) => fail(breaker, 'break the classifier'), 'open'],
  ];
  test.each(ends)('resilience4j#544, #682, #1624 (4): %s in half-open costs no permit', async (_what, end, state) => {
    const { breaker, clock } = await halfOpen({
      onListenerError: () => {},
      classify({ ok, value, error }) {
        const said = ok ? value : error;
        if (said === 'break the classifier') throw new Error('classifier');
        return said === 'ignore me' ? 'ignored' : undefined;
      },
    });
    await end(breaker);
    expect(breaker.state).toBe(state);
    if (state === 'open') await clock.advance(1_000);
    expect(stampede(breaker, 10)).toBe(state === 'closed' ? 10 : 1);
  });

  test('resilience4j#935, #1389 (5): 999 of 1,000 permitted calls recorded, the last one hung, and the circuit still decides', async () => {
    const { breaker, clock } = await halfOpen({
      halfOpen: { maxConcurrent: 1_000, probeTimeoutMs: 500, sample: { calls: 1_000, failureRate: 0.5 } },
    });
    const probes = Array.from({ length: 1_000 }, () => hold(breaker));
    for (const probe of probes.slice(1)) probe.resolve();
    await Promise.all(probes.slice(1).map(({ result }) => result));
    expect(breaker.state).toBe('half-open');
    await clock.advance(500);
    expect(breaker.state).toBe('closed');
  });

  test('resilience4j#935 (5): … with low traffic and no time limit too', async () => {
    const { breaker, clock } = await halfOpen({ halfOpen: { sample: { calls: 3, failureRate: 0.5 } } });
    hold(breaker);
    for (let i = 0; i < 3; i++) {
      await clock.advance(60_000);
      await succeed(breaker);
    }
    expect(breaker.state).toBe('closed');
  });

  test('resilience4j#2289 (5): after the wait it goes back to open, and says why', async () => {
    const { breaker, clock } = await halfOpen({ halfOpen: { probeTimeoutMs: 500 } });
    hold(breaker);
    await clock.advance(500);
    expect(breaker.state).toBe('open');
    expect(breaker.explain()).toContain('a probe did not settle in time');
  });

  test('resilience4j#674, #1432, #2038 (6): N concurrent callers at the deadline: one half-opening, admitted ≤ permits', async () => {
    const { breaker, clock } = setUp({ halfOpen: { maxConcurrent: 3 }, successThreshold: 9 });
    await fail(breaker);
    await clock.advance(1_000);
    const moves: string[] = [];
    for (const event of ['opened', 'half-opened', 'closed'] as const)
      breaker.on(event, ({ from, to }) => moves.push(`${from} to ${to}`));
    expect(stampede(breaker, 1_000)).toBe(3);
    expect(moves).toEqual(['open to half-open']);
  });

  test('resilience4j#2038 (6): a call made by a listener of the half-opening does not recurse', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    const inner: unknown[] = [];
    breaker.on('half-opened', () => {
      for (let i = 0; i < 10; i++) breaker.execute(() => inner.push('called')).catch(() => inner.push('refused'));
    });
    const probe = hold(breaker);
    expect(probe.context).toBeDefined();
    await clock.advance(0);
    expect(inner).toEqual(new Array(10).fill('refused'));
  });

  test.each([1, 2])(
    'resilience4j#1335, #1262, #2334 (7): a time window of %i ms works, total = Σ buckets ≥ 0',
    async (windowMs) => {
      for (const buckets of [1, 2, 10]) {
        const { breaker, clock } = setUp({ trip: failureRate({ threshold: 1, windowMs, buckets, minimumCalls: 1e6 }) });
        for (let i = 0; i < 50; i++) {
          await (i % 3 ? fail(breaker) : succeed(breaker));
          await clock.advance((i % 7) / 3);
          const { window } = breaker.metrics();
          const saved = breaker.toJSON().trip.counter as { buckets: [number, number][] };
          const sum = saved.buckets.reduce((total, [calls]) => total + calls, 0);
          expect(window.calls).toBe(sum);
          expect(Math.min(...saved.buckets.flat())).toBeGreaterThanOrEqual(0);
        }
      }
    },
  );

  test('resilience4j#734, #2234 (8): slow calls and states use one injected clock, stepped by hours either way', async () => {
    const clock = jumpingClock(1e9);
    const breaker = circuitBreaker({
      clock,
      trip: slowCallRate({ threshold: 1, slowCallMs: 100, windowCalls: 10, minimumCalls: 2 }),
      sleepWindowMs: 5_000,
    });
    const call = hold(breaker);
    clock.jump(-7_200_000);
    call.resolve();
    await call.result;
    expect(breaker.metrics().slowRequests).toBe(0);
    for (let i = 0; i < 10; i++) {
      const late = hold(breaker);
      clock.jump(7_200_000);
      late.resolve();
      await late.result;
    }
    expect(breaker.state).toBe('open');
    clock.jump(5_000);
    expect(breaker.available).toBe(true);
  });

  test.each(['closed', 'open', 'half-open', 'forced-open', 'observe-only'] as const)(
    'resilience4j#2325, Sentinel#2901, #2136 (9): a reload while %s keeps the state',
    async (state) => {
      const { breaker, clock } = setUp({ successThreshold: 3 });
      if (state === 'open' || state === 'half-open') await fail(breaker);
      if (state === 'half-open') {
        await clock.advance(1_000);
        await succeed(breaker);
      }
      if (state === 'forced-open') breaker.forceOpen();
      if (state === 'observe-only') breaker.observeOnly();
      const { generation } = breaker.metrics();
      const trip = anyOf(consecutiveFailures(7), failureRate({ threshold: 0.5, windowMs: 1_000 }));
      for (let i = 0; i < 3; i++) breaker.update({ trip, sleepWindowMs: 9_000, timeoutMs: 700, successThreshold: 2 });
      expect(breaker.state).toBe(state);
      expect(breaker.metrics().generation).toBe(generation);
      breaker.release();
      await clock.advance(10_000);
      for (let i = 0; i < 3; i++) await succeed(breaker);
      expect(breaker.state).toBe('closed');
    },
  );
});
