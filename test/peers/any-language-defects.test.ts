import { circuitBreaker, decorrelatedJitter, exponential, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';

async function halfOpen(options: Parameters<typeof setUp>[0] = {}) {
  const made = setUp(options);
  await fail(made.breaker);
  await made.clock.advance(1_000);
  return made;
}

describe('what users of other systems met', () => {
  test('Polly#2163: jitter does not overflow to a negative delay after 1,024 attempts', () => {
    for (const attempt of [1_023, 1_024, 1_025, 10_000, Number.MAX_SAFE_INTEGER]) {
      for (const backoff of [
        exponential({ initialMs: 200, maxMs: 60_000 }),
        decorrelatedJitter({ initialMs: 200, maxMs: 60_000 }),
      ]) {
        const ms = backoff(attempt, undefined, { random: () => 0.999, previousMs: 60_000 });
        expect(ms >= 0 && ms <= 60_000).toBe(true);
      }
    }
  });

  test('failsafe-lib/failsafe#393, PR#400: a timed-out call does not destroy its place for good', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 10, maxConcurrent: 2, failureThreshold: 1e6 });
    for (let i = 0; i < 20; i++) {
      const calls = [hold(breaker), hold(breaker)];
      await clock.advance(10);
      for (const call of calls) call.resolve();
      await clock.advance(0);
    }
    expect(stampede(breaker, 10)).toBe(2);
  });

  test('failsafe-lib/failsafe#391: half-open never admits more than permitted, with calls, permits and aborts mixed', async () => {
    const { breaker } = await halfOpen({ halfOpen: { maxConcurrent: 2 }, successThreshold: 99 });
    for (let i = 0; i < 50; i++) {
      const controller = new AbortController();
      const held = [hold(breaker, { signal: controller.signal }), hold(breaker)];
      expect(breaker.acquire()).toBeUndefined();
      controller.abort();
      held[1]?.resolve();
      await Promise.all(held.map(({ result }) => result));
    }
    expect(stampede(breaker, 10)).toBe(2);
  });

  test('sony/gobreaker#91: calls in flight when it opens decide nothing more', async () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    const calls = Array.from({ length: 30 }, () => hold(breaker));
    for (const call of calls) call.reject(new Error('x'));
    await Promise.all(calls.map(({ result }) => result));
    expect(breaker.metrics()).toMatchObject({ generation: 2, lateResults: 27, window: { value: 3 } });
  });

  test('resilience4j#858, Hystrix#236: asking "may I?" takes no permit', async () => {
    const { breaker } = await halfOpen();
    for (let i = 0; i < 100; i++) expect(breaker.available).toBe(true);
    expect(breaker.state).toBe('open');
    expect(stampede(breaker, 5)).toBe(1);
  });

  test('OmniRoute#13836: a probe that never settles does not refuse everybody for six days', async () => {
    const { breaker, clock } = await halfOpen();
    hold(breaker);
    let refused = 0;
    for (let minute = 0; minute < 60 && breaker.state !== 'closed'; minute++) {
      await succeed(breaker).catch(() => refused++);
      await clock.advance(60_000);
    }
    expect(breaker.state).toBe('closed');
    expect(refused).toBeLessThanOrEqual(1);
  });

  test('failsafe-go Round: 49.5 % does not trip 50 %, and 0.1 % is not 0.5 %', () => {
    const breaker = circuitBreaker({ trip: failureRate({ threshold: 0.5, windowCalls: 200, minimumCalls: 200 }) });
    for (let i = 0; i < 101; i++) breaker.acquire()?.success();
    for (let i = 0; i < 99; i++) breaker.acquire()?.failure();
    expect(breaker.state).toBe('closed');
    const fine = circuitBreaker({ trip: failureRate({ threshold: 0.001, windowCalls: 1_000, minimumCalls: 1_000 }) });
    for (let i = 0; i < 999; i++) fine.acquire()?.success();
    fine.acquire()?.failure();
    expect(fine.state).toBe('open');
  });

  test('failsafe-go: a panic in the call loses no half-open permit', async () => {
    const { breaker, clock } = await halfOpen();
    await rejection(
      breaker.execute(() => {
        throw new Error('panic');
      }),
    );
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    expect(stampede(breaker, 5)).toBe(1);
  });

  test('resilience4j SlidingTimeWindowMetrics: after a backward step the window does not shrink to N calls', async () => {
    const clock = jumpingClock(1e9);
    const breaker = circuitBreaker({ clock, trip: failureRate({ threshold: 1, windowMs: 10_000, minimumCalls: 50 }) });
    clock.jump(-3_600_000);
    for (let i = 0; i < 50; i++) await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('resilience4j HalfOpenState.releasePermission: a late ignored result of the closed era adds no permit', async () => {
    const { breaker, clock } = setUp({ successThreshold: 9 });
    const olds = Array.from({ length: 5 }, () => breaker.acquire());
    await fail(breaker);
    await clock.advance(1_000);
    hold(breaker);
    for (const old of olds) old?.ignore();
    expect(stampede(breaker, 10)).toBe(0);
  });

  test('resilience4j thenOpen(): what a classifier says of the wait never leaves it half-open or half-closed', async () => {
    const { breaker } = setUp({
      onListenerError: () => {},
      classify: () => ({ verdict: 'failure', retryAfterMs: Number.NaN }),
    });
    await fail(breaker);
    expect(breaker.state).toBe('open');
    expect(await rejection(succeed(breaker))).toMatchObject({ retryAfterMs: 1_000 });
  });

  test('Polly v8: a throwing ShouldHandle or OnHalfOpened does not wedge it', async () => {
    const { breaker, clock } = setUp({
      onListenerError: () => {},
      onHalfOpened: () => {
        throw new Error('listener');
      },
      classify: ({ error }) => {
        if (error === 'poison') throw new Error('classifier');
        return undefined;
      },
    });
    await fail(breaker, 'poison');
    await clock.advance(1_000);
    await fail(breaker, 'poison');
    await clock.advance(1_000);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('sentinel-golang ProbeNum > 0: half-open is limited', async () => {
    const { breaker } = await halfOpen({ successThreshold: 5 });
    expect(stampede(breaker, 1_000)).toBe(1);
  });

  test('Hystrix#1738, Polly#2529: it says why it opened, and its state is never stale', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker, Object.assign(new Error('x'), { code: 'ECONNREFUSED' }));
    expect(breaker.explain()).toContain('ECONNREFUSED ×1');
    await clock.advance(1_000);
    expect(breaker.explain()).toContain('the next call is a probe');
    await succeed(breaker);
    expect([breaker.state, breaker.metrics().state]).toEqual(['closed', 'closed']);
  });

  test('Polly#239: after a recovery all traffic need not come back at once', async () => {
    const { breaker, clock } = setUp({ recovery: { rampMs: 10_000, initialShare: 0.01 } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    expect(stampede(breaker, 1_000)).toBe(10);
  });

  test('opossum#217: one failed call of one is no rate', async () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 0.5, windowMs: 10_000 }) });
    await fail(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('Envoy#18752: on few samples a rate may ask for confidence', async () => {
    const trip = failureRate({ threshold: 0.5, windowCalls: 100, minimumCalls: 1, confidence: 0.99 });
    const { breaker } = setUp({ trip });
    for (let i = 0; i < 4; i++) await fail(breaker);
    expect(breaker.state).toBe('closed');
  });
});
