// One test for each trap of cockatiel 3 and 4 that concerns a breaker; most were found by running it. The number is that of our
// notes (reference/peers-javascript.md §3), the issue that of its tracker.
import { getEventListeners } from 'node:events';
import { circuitBreaker, failureRate, TimeoutError } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, stateOf, succeed } from '../support/calls.ts';

describe('cockatiel', () => {
  test('cockatiel 4 (1), SamplingBreaker: after an hour of silence no old sample counts', async () => {
    const { breaker, clock } = setUp({ trip: failureRate({ threshold: 0.2, windowMs: 10_000, minimumCalls: 5 }) });
    for (let i = 0; i < 40; i++) await succeed(breaker);
    for (let i = 0; i < 9; i++) await fail(breaker);
    await clock.advance(3_600_000);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window).toMatchObject({ calls: 1, failures: 1 });
  });

  test('cockatiel 4 (2), generations: a late failure of the closed era does not void the good probe', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.reject(new Error('late'));
    await old.result;
    probe.resolve();
    await probe.result;
    expect(breaker.state).toBe('closed');
  });

  test('cockatiel 4 (2), generations: late failures after the recovery do not open again', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 3 });
    const olds = Array.from({ length: 6 }, () => hold(breaker));
    for (let i = 0; i < 3; i++) await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    for (const old of olds) old.reject(new Error('late'));
    await Promise.all(olds.map(({ result }) => result));
    expect(breaker.state).toBe('closed');
  });

  test('cockatiel 4 (3), half-open: a thousand callers behind a hung probe are refused, none waits, none stampedes', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    const rest = Array.from({ length: 1_000 }, () => hold(breaker));
    const states = await Promise.all(rest.map(({ promise }) => stateOf(promise)));
    expect(new Set(states)).toEqual(new Set(['rejected']));
    probe.resolve();
    await probe.result;
    expect(rest.filter(({ context }) => context !== undefined)).toEqual([]);
  });

  test('cockatiel 4 (3), half-open: with 9 of 10 samples in, it does not stay half-open for ever', async () => {
    const { breaker, clock } = setUp({
      halfOpen: { maxConcurrent: 10, probeTimeoutMs: 500, sample: { calls: 10, failureRate: 0.5 } },
    });
    await fail(breaker);
    await clock.advance(1_000);
    for (let i = 0; i < 9; i++) await succeed(breaker);
    hold(breaker);
    expect(breaker.state).toBe('half-open');
    await clock.advance(500);
    expect(breaker.state).toBe('closed');
  });

  test('cockatiel 4 (4), half-open: an unhandled error is no success: an aborted probe does not close', async () => {
    const { breaker, clock } = setUp({
      classify: ({ ok, error }) => (ok ? 'success' : (error as Error).name === 'HttpError' ? 'failure' : 'ignored'),
    });
    const http = Object.assign(new Error('503'), { name: 'HttpError' });
    await fail(breaker, http);
    await clock.advance(1_000);
    const controller = new AbortController();
    const probe = hold(breaker, { signal: controller.signal });
    controller.abort();
    await probe.result;
    expect(breaker.state).toBe('half-open');
    await fail(breaker, Object.assign(new Error('cancelled'), { name: 'TaskCancelledError' }));
    expect(breaker.state).toBe('half-open');
    expect(stampede(breaker, 5)).toBe(1);
  });

  test('cockatiel 4 (4), handleAll: two aborts by callers do not open', async () => {
    const { breaker } = setUp({ failureThreshold: 2 });
    for (let i = 0; i < 5; i++) {
      const controller = new AbortController();
      const call = hold(breaker, { signal: controller.signal });
      controller.abort();
      await call.result;
    }
    expect(breaker.state).toBe('closed');
  });

  test('cockatiel 4 (5), abort: a pre-aborted signal runs nothing', async () => {
    const { breaker } = setUp();
    const call = hold(breaker, { signal: AbortSignal.abort() });
    await call.result;
    expect(call.context).toBeUndefined();
  });

  test('cockatiel 4 (6), timeout: the caller’s abort is told as such, not as a timeout', async () => {
    const { breaker } = setUp({ timeoutMs: 1_000 });
    let timedOut = 0;
    breaker.on('timed-out', () => timedOut++);
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort('mine');
    expect(await call.result).toBe('mine');
    expect([timedOut, breaker.metrics().timedOutRequests]).toEqual([0, 0]);
  });

  test('cockatiel 4 (6), timeout: the reason of the signal is the TimeoutError itself', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    const signal = call.context?.signal;
    await clock.advance(100);
    expect(signal?.reason).toBeInstanceOf(TimeoutError);
    expect(signal?.reason).toBe(await call.result);
  });

  test('cockatiel 4 (6), timeout: 2^31 ms does not fire at once: it is refused', () => {
    expect(() => circuitBreaker({ timeoutMs: 2 ** 31 })).toThrow(RangeError);
  });

  test('cockatiel 4 (6), timeout: a result that comes late does not resolve the call', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    call.resolve('late');
    expect(await call.result).toBeInstanceOf(TimeoutError);
  });

  test('cockatiel 4 (7), bulkhead: its calls are told like all others', async () => {
    const { breaker } = setUp({ maxConcurrent: 1, failureThreshold: 9 });
    const told: string[] = [];
    for (const event of ['succeeded', 'failed', 'rejected'] as const) breaker.on(event, () => told.push(event));
    await succeed(breaker);
    await fail(breaker);
    const busy = hold(breaker);
    await rejection(succeed(breaker));
    busy.resolve();
    await busy.result;
    expect(told).toEqual(['succeeded', 'failed', 'rejected', 'succeeded']);
  });

  test('cockatiel 4 (7), bulkhead: an admitted call keeps its place, whatever comes in the same turn', async () => {
    const { breaker } = setUp({ maxConcurrent: 1 });
    const first = hold(breaker);
    first.resolve();
    const overtaking = hold(breaker);
    await first.result;
    expect(overtaking.context).toBeUndefined();
    expect(first.context).toBeDefined();
    expect(await succeed(breaker)).toBe('ok');
  });

  test('cockatiel 4 (8), listeners: a throwing onSucceeded is no failure, a throwing onOpened does not replace the error', async () => {
    const broken = (): never => {
      throw new Error('listener');
    };
    const { breaker } = setUp({ onSucceeded: broken, onOpened: broken, onListenerError: () => {} });
    let calls = 0;
    expect(await breaker.execute(() => ++calls)).toBe(1);
    const error = new Error('mine');
    expect(await fail(breaker, error)).toBe(error);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1 });
  });

  test('cockatiel 4 (9), isolate: to leave a set state uncovers open, not closed', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    breaker.forceOpen();
    breaker.release();
    expect(breaker.state).toBe('open');
  });

  test('cockatiel 4 (9), isolate: a restored set state can be left', () => {
    const { breaker } = setUp();
    breaker.forceOpen();
    const restored = circuitBreaker({ restore: JSON.parse(JSON.stringify(breaker)) });
    expect(restored.state).toBe('forced-open');
    restored.release();
    expect(restored.state).toBe('closed');
  });

  test('cockatiel 4 (10), initialState: a snapshot is copied: two breakers restored from one share nothing', async () => {
    const { breaker, clock } = setUp({ trip: failureRate({ threshold: 1, windowMs: 10_000, minimumCalls: 3 }) });
    await fail(breaker);
    await fail(breaker);
    const restore = breaker.toJSON();
    const before = JSON.stringify(restore);
    const options = { clock, trip: failureRate({ threshold: 1, windowMs: 10_000, minimumCalls: 3 }), restore };
    const [a, b] = [circuitBreaker(options), circuitBreaker(options)];
    await fail(a);
    expect([a.state, b.state]).toEqual(['open', 'closed']);
    expect(JSON.stringify(restore)).toBe(before);
  });

  test('cockatiel 4 (10), initialState: it is validated', () => {
    for (const restore of [{}, 'closed', { state: 1, openedAt: 5 }, [], 5]) {
      expect(() => circuitBreaker({ restore: restore as never })).toThrow(TypeError);
    }
  });

  test('cockatiel 4 (10), initialState: half-open is written as half-open', async () => {
    const { breaker, clock } = setUp({ successThreshold: 3 });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    const restored = circuitBreaker({ clock, successThreshold: 3, restore: JSON.parse(JSON.stringify(breaker)) });
    expect(restored.state).toBe('half-open');
    await succeed(restored);
    await succeed(restored);
    expect(restored.state).toBe('closed');
  });

  test('cockatiel 4 (12), minimum calls: a fifth over ten seconds needs 20 calls, not 250', async () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 0.2, windowMs: 10_000 }) });
    for (let i = 0; i < 16; i++) await succeed(breaker);
    for (let i = 0; i < 4; i++) await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('cockatiel#72, #81, #101: no listener stays on the caller’s signal, and a success does not abort the call’s own', async () => {
    const { breaker } = setUp({ timeoutMs: 1_000 });
    const { signal } = new AbortController();
    let own: AbortSignal | undefined;
    for (let i = 0; i < 100; i++) {
      await breaker.execute(
        (context) => {
          own = context.signal;
        },
        { signal },
      );
    }
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(own?.aborted).toBe(false);
  });

  test('cockatiel#73: after closing, a ramp can let traffic back step by step', async () => {
    const { breaker, clock } = setUp({ recovery: { rampMs: 1_000 } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await clock.advance(500);
    const admitted = stampede(breaker, 100);
    expect(admitted).toBeGreaterThanOrEqual(54);
    expect(admitted).toBeLessThanOrEqual(56);
  });
});
