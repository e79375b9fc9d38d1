import { anyOf, circuitBreaker, consecutiveFailures, failureRate, slowCallRate } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, slow, succeed } from '../support/calls.ts';
import { countingClock } from '../support/clocks.ts';

type Breaker = ReturnType<typeof setUp>['breaker'];

function feed(breaker: Breaker, failures: number, successes: number): void {
  for (let i = 0; i < successes; i++) breaker.acquire()?.success();
  for (let i = 0; i < failures; i++) breaker.acquire()?.failure('x');
}

const rate = (threshold: number, windowCalls: number, minimumCalls = windowCalls) =>
  failureRate({ threshold, windowCalls, minimumCalls });

describe('slow calls', () => {
  test('S17: slowCallMs marks a completed call slow, at exactly that time', async () => {
    const { breaker, clock } = setUp({ slowCallMs: 100 });
    await slow(breaker, clock, 99);
    expect(breaker.metrics().slowRequests).toBe(0);
    await slow(breaker, clock, 100);
    expect(breaker.metrics()).toMatchObject({ slowRequests: 1, successfulRequests: 2 });
  });

  test('S17: failed calls can be slow, ignored ones can not', async () => {
    const { breaker, clock } = setUp({ slowCallMs: 100, failureThreshold: 9 });
    const [bad, ignored] = [hold(breaker), breaker.acquire()];
    await clock.advance(100);
    bad.reject(new Error('x'));
    await bad.result;
    ignored?.ignore();
    expect(breaker.metrics().slowRequests).toBe(1);
  });

  test('S17: the option alone opens nothing', async () => {
    const { breaker, clock } = setUp({ slowCallMs: 100 });
    for (let i = 0; i < 50; i++) await slow(breaker, clock, 200);
    expect(breaker.state).toBe('closed');
  });

  const slowRule = () => slowCallRate({ threshold: 0.5, slowCallMs: 100, windowCalls: 10, minimumCalls: 4 });

  test('S17: slowCallRate is a trip rule of its own', async () => {
    const { breaker, clock } = setUp({ trip: slowRule() });
    await succeed(breaker);
    await succeed(breaker);
    await slow(breaker, clock, 100);
    expect(breaker.state).toBe('closed');
    await slow(breaker, clock, 100);
    expect(breaker.state).toBe('open');
    expect(breaker.metrics().slowRequests).toBe(2);
  });

  test('S17: fast failures do not trip it', async () => {
    const { breaker } = setUp({ trip: slowRule() });
    feed(breaker, 10, 0);
    expect(breaker.state).toBe('closed');
  });

  test('S17: it combines with any other rule', async () => {
    for (const trip of [
      () => anyOf(slowRule(), consecutiveFailures(2)),
      () => anyOf(consecutiveFailures(2), slowRule()),
    ]) {
      const { breaker, clock } = setUp({ trip: trip() });
      for (let i = 0; i < 4; i++) await slow(breaker, clock, 100);
      expect(breaker.state).toBe('open');
      const { breaker: failing } = setUp({ trip: trip() });
      feed(failing, 2, 0);
      expect(failing.state).toBe('open');
    }
  });

  test('S17: a slow probe is no reason to close where slow calls would open again', async () => {
    const { breaker, clock } = setUp({ trip: slowRule() });
    for (let i = 0; i < 4; i++) await slow(breaker, clock, 100);
    await clock.advance(1_000);
    await slow(breaker, clock, 100);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    await slow(breaker, clock, 99);
    expect(breaker.state).toBe('closed');
  });

  test('S9: a slow probe that is ignored decides nothing', async () => {
    const { breaker, clock } = setUp({ trip: slowRule(), halfOpen: { probeTimeoutMs: 1_000 } });
    for (let i = 0; i < 4; i++) await slow(breaker, clock, 100);
    await clock.advance(1_000);
    const probe = breaker.acquire();
    await clock.advance(500);
    probe?.ignore();
    expect(breaker.state).toBe('half-open');
    expect(breaker.available).toBe(true);
  });

  test('S14: latencies are those of samples, and of nothing where they are not kept', async () => {
    const { breaker, clock } = setUp({ trip: slowRule(), latency: true });
    const ignored = breaker.acquire();
    await slow(breaker, clock, 50);
    await clock.advance(5_000);
    ignored?.ignore();
    expect(breaker.metrics().latency).toMatchObject({ count: 1, p50: 50 });
    const without = setUp({ trip: slowRule(), latency: false });
    await slow(without.breaker, without.clock, 50);
    await fail(without.breaker);
    expect(without.breaker.metrics()).not.toHaveProperty('latency');
  });

  test('S24: beside a slowCallMs of its own the evidence is of the calls that the trip rule calls slow', async () => {
    const why: string[] = [];
    const { breaker, clock } = setUp({ trip: slowRule(), slowCallMs: 1_000 });
    for (const event of ['opened', 'closed'] as const) breaker.on(event, (told) => why.push(told.why));
    for (const ms of [400, 200, 200, 200]) await slow(breaker, clock, ms);
    await clock.advance(1_000);
    await slow(breaker, clock, 150);
    expect(breaker.metrics().slowRequests).toBe(0);
    breaker.reset();
    breaker.update({ slowCallMs: 50 });
    for (const ms of [5_000, 60, 60, 4_000]) await slow(breaker, clock, ms);
    expect(breaker.metrics().slowRequests).toBe(4);
    expect(why).toEqual([
      '100 % of the last 4 calls took 100 ms or more, threshold 50 % (slowest 400 ms)',
      'a probe failed (slowest 150 ms)',
      'reset',
      '50 % of the last 4 calls took 100 ms or more (slowest 5 s)',
    ]);
  });

  test('S17: a permit may say how long it took', () => {
    const { breaker } = setUp({ slowCallMs: 100 });
    breaker.acquire()?.success(150);
    breaker.acquire()?.success(50);
    breaker.acquire()?.failure(new Error('x'), 150);
    expect(breaker.metrics().slowRequests).toBe(2);
  });

  test('S17: of calls at work when the first need of durations is set nobody says how long they took', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 5 });
    const [good, bad, permit] = [hold(breaker), hold(breaker), breaker.acquire()];
    await clock.advance(10_000);
    breaker.update({ latency: true, trip: slowRule() });
    good.resolve();
    bad.reject(new Error('down'));
    await Promise.all([good.result, bad.result]);
    permit?.success();
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, failedRequests: 1, window: { calls: 0 } });
    expect(breaker.metrics().latency).toBeUndefined();
    for (let i = 0; i < 4; i++) await slow(breaker, clock, 100);
    expect(breaker.state).toBe('open');
    expect(breaker.metrics().latency).toMatchObject({ count: 4, p50: 100 });
  });

  test('S17: a rule that reads no durations counts them all the same, and so does a permit that says how long', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 3 });
    const [bad, permit] = [hold(breaker), breaker.acquire()];
    await clock.advance(10_000);
    breaker.update({ latency: true });
    bad.reject(new Error('down'));
    await bad.result;
    permit?.failure(undefined, 70);
    expect(breaker.metrics()).toMatchObject({ window: { calls: 2 }, latency: { count: 1, max: 70 } });
  });

  test('S17: with consecutive failures alone the clock is not read for a call', async () => {
    const clock = countingClock();
    const breaker = circuitBreaker({ clock });
    const before = clock.reads;
    for (let i = 0; i < 100; i++) {
      await succeed(breaker);
      if (i % 2) await fail(breaker);
      breaker.acquire()?.success();
    }
    expect(clock.reads - before).toBe(0);
    expect(breaker.metrics().successfulRequests).toBe(200);
  });

  test('S17: nor with a count window', async () => {
    const clock = countingClock();
    const breaker = circuitBreaker({ clock, trip: rate(0.9, 100) });
    const before = clock.reads;
    for (let i = 0; i < 100; i++) await succeed(breaker);
    expect(clock.reads - before).toBe(0);
  });

  test('S17: nor for a bulkhead or a fallback', async () => {
    const clock = countingClock();
    const breaker = circuitBreaker({ clock, maxConcurrent: 5, fallback: 'other' });
    const before = clock.reads;
    for (let i = 0; i < 100; i++) await succeed(breaker);
    expect(clock.reads - before).toBe(0);
  });

  test.each([
    ['latency', { latency: true }],
    ['slowCallMs', { slowCallMs: 5 }],
    ['classify', { classify: () => undefined }],
    ['a time window', { trip: failureRate({ threshold: 0.5, windowMs: 1_000 }) }],
    ['a rule that reads durations', { trip: slowCallRate({ threshold: 0.5, slowCallMs: 5, windowCalls: 10 }) }],
  ])('S17: durations are taken where something needs them: %s', async (_what, options) => {
    const { breaker, clock } = setUp(options);
    const elapsed: number[] = [];
    breaker.on('succeeded', ({ elapsedMs }) => elapsed.push(elapsedMs));
    await slow(breaker, clock, 40);
    expect(elapsed).toEqual([40]);
  });

  test('S17: latency is true by default with time windows, false elsewhere, and can be set', async () => {
    const byTime = () => failureRate({ threshold: 0.5, windowMs: 1_000 });
    for (const [options, kept] of [
      [{ trip: byTime() }, true],
      [{ trip: anyOf(consecutiveFailures(5), byTime()) }, true],
      [{ trip: rate(0.5, 10) }, false],
      [{}, false],
      [{ trip: byTime(), latency: false }, false],
      [{ latency: true }, true],
    ] as const) {
      const { breaker } = setUp(options);
      await succeed(breaker);
      expect(breaker.metrics().latency !== undefined).toBe(kept);
    }
  });
});

test('S17: the duration a permit is told is used as it is', () => {
  for (let i = 0; i < 200; i++) {
    const clock = manualClock(12_345.678 + i * 0.1);
    const breaker = circuitBreaker({ clock, slowCallMs: 0.3 });
    breaker.acquire()?.success(0.3);
    breaker.acquire()?.failure(new Error('x'), 0.3);
    expect(breaker.metrics().slowRequests).toBe(2);
  }
});

test('S17: … also where nothing else is timed', () => {
  const { breaker, clock } = setUp();
  const elapsed: number[] = [];
  breaker.on('succeeded', ({ elapsedMs }) => elapsed.push(elapsedMs));
  void clock.advance(10);
  breaker.acquire()?.success(50);
  expect([0, 50]).toContain(elapsed[0]);
});
