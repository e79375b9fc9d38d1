// One test for each trap of opossum 10 that concerns a breaker; most were found by running it. The number is that of our notes
// (reference/peers-javascript.md §3), the issue that of its tracker.
import { AsyncLocalStorage } from 'node:async_hooks';
import { circuitBreaker, failureRate } from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, setUp, sleepLeftMs, stampede, stateOf, succeed } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';

const halfRate = () => failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 3 });

describe('opossum', () => {
  test('opossum#381 (1): a late success of the closed era does not close the half-open circuit while its probe is out', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.resolve();
    await old.result;
    expect(breaker.state).toBe('half-open');
    probe.resolve();
    await probe.result;
    expect(breaker.state).toBe('closed');
  });

  test('opossum#381 (1): a late failure of the closed era does not re-open it', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.reject(new Error('late'));
    await old.result;
    expect(breaker.state).toBe('half-open');
    probe.resolve();
    await probe.result;
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (2), no timeout: a probe that never settles does not keep the circuit half-open for ever', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    hold(breaker);
    expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'half-open' });
    await clock.advance(1_000);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (3), error rate: refusals are not in the denominator: 10 refused, closed by hand, 3 of 3 failed opens', async () => {
    const { breaker } = setUp({ trip: halfRate() });
    for (let i = 0; i < 3; i++) await fail(breaker);
    for (let i = 0; i < 10; i++) await rejection(succeed(breaker));
    breaker.reset();
    for (let i = 0; i < 3; i++) await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('opossum 10 (3), error rate: a failure whose start is out of the window is one call, not one of none', async () => {
    const { breaker, clock } = setUp({
      trip: failureRate({ threshold: 1, windowMs: 10_000, minimumCalls: 2 }),
      failureThreshold: undefined,
    });
    const slow = hold(breaker);
    await clock.advance(60_000);
    slow.reject(new Error('x'));
    await slow.result;
    expect(breaker.metrics().window).toMatchObject({ calls: 1, failures: 1, value: 1 });
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (3), error rate: calls in flight and calls while disabled are not in the denominator', async () => {
    const { breaker } = setUp({ trip: halfRate() });
    breaker.disable();
    for (let i = 0; i < 20; i++) await succeed(breaker);
    breaker.release();
    stampede(breaker, 20);
    for (let i = 0; i < 3; i++) await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('opossum 10 (4), capacity: refusals of a full bulkhead do not open the circuit', async () => {
    const { breaker } = setUp({ maxConcurrent: 1, failureThreshold: 3 });
    hold(breaker);
    for (let i = 0; i < 20; i++) await rejection(succeed(breaker));
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (4), capacity: a probe that meets a full bulkhead does not re-open the circuit', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 2 });
    hold(breaker);
    await fail(breaker);
    breaker.update({ maxConcurrent: 1 });
    await clock.advance(1_000);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (5), timeout: one call counts once, and its time once', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, latency: true });
    const call = hold(breaker);
    await clock.advance(100);
    call.resolve();
    await clock.advance(0);
    expect(breaker.metrics()).toMatchObject({
      failedRequests: 1,
      timedOutRequests: 1,
      lateResults: 1,
      totalRequests: 1,
      latency: { count: 1 },
    });
  });

  test('opossum 10 (5), timeout: no more calls really run than the capacity, although they timed out', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, failureThreshold: 99 });
    let running = 0;
    const work = async () => {
      running++;
      await new Promise<void>((resolve) => clock.setTimeout(resolve, 350));
      running--;
    };
    const seen: number[] = [];
    for (let i = 0; i < 3; i++) {
      breaker.execute(work).catch(() => {});
      await clock.advance(100);
      seen.push(running);
    }
    expect(seen).toEqual([1, 1, 1]);
  });

  test('opossum#673 (6): one timeout does not abort the siblings', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 99 });
    const first = hold(breaker);
    const firstSignal = first.context?.signal;
    await clock.advance(60);
    const second = hold(breaker);
    const secondSignal = second.context?.signal;
    await clock.advance(40);
    expect([firstSignal?.aborted, secondSignal?.aborted]).toEqual([true, false]);
  });

  test('opossum#673 (6): the next call after a timeout does not start aborted', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 99 });
    void hold(breaker).context?.signal;
    await clock.advance(100);
    const next = hold(breaker);
    expect(next.context?.signal.aborted).toBe(false);
  });

  test('opossum#673 (6): abort listeners see their own call’s AsyncLocalStorage', async () => {
    const store = new AsyncLocalStorage<number>();
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 99 });
    const seen: (number | undefined)[] = [];
    for (const id of [1, 2]) {
      store.run(id, () => hold(breaker).context?.signal.addEventListener('abort', () => seen.push(store.getStore())));
    }
    await clock.advance(100);
    expect(seen).toEqual([1, 2]);
  });

  test('opossum 10 (7), abort: the caller’s abort is no failure', async () => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort();
    await call.result;
    expect(breaker.state).toBe('closed');
  });

  test('opossum 10 (7), errorFilter: an ignored error is no success: it does not close the half-open circuit', async () => {
    const { breaker, clock } = setUp({ classify: ({ error }) => (error === 'mine' ? 'ignored' : undefined) });
    const succeeded: unknown[] = [];
    breaker.on('succeeded', (event) => succeeded.push(event));
    await fail(breaker);
    await clock.advance(1_000);
    expect(await fail(breaker, 'mine')).toBe('mine');
    expect(breaker.state).toBe('half-open');
    expect(succeeded).toEqual([]);
  });

  test('opossum 10 (7), errorFilter: a filter that throws loses no call and is not unhandled', async () => {
    const onListenerError = vi.fn();
    const { breaker } = setUp({
      onListenerError,
      classify: () => {
        throw new Error('filter');
      },
    });
    const error = new Error('x');
    expect(await fail(breaker, error)).toBe(error);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
    expect(onListenerError).toHaveBeenCalledOnce();
  });

  test('opossum 10 (8), restore: an old process’s open circuit sleeps for what was left, neither not at all nor all over', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: 10_000 });
    await fail(breaker);
    await clock.advance(7_000);
    const restore = JSON.parse(JSON.stringify(breaker));
    const later = jumpingClock(86_400_000);
    const restored = circuitBreaker({ clock: later, sleepWindowMs: 10_000, restore });
    expect(await sleepLeftMs(restored)).toBe(3_000);
    later.jump(3_000);
    expect(restored.available).toBe(true);
  });

  test('opossum 10 (9), options: two breakers given one object share nothing and never mutate it', async () => {
    const options = { failureThreshold: 1, timeoutMs: 50 };
    const copy = { ...options };
    const [a, b] = [circuitBreaker(options), circuitBreaker(options)];
    expect(await Promise.all([succeed(a, 'a'), succeed(b, 'b')])).toEqual(['a', 'b']);
    await fail(a);
    expect([a.state, b.state]).toEqual(['open', 'closed']);
    expect(options).toEqual(copy);
  });

  test('opossum#893 (12): a function that answers undefined is a success', async () => {
    const { breaker } = setUp();
    expect(await breaker.execute(() => undefined)).toBeUndefined();
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0 });
  });

  test('opossum 10 (12), disabled: execute does not throw synchronously', async () => {
    const { breaker } = setUp();
    breaker.disable();
    const call = breaker.execute(() => {
      throw new Error('sync');
    });
    expect(await rejection(call)).toMatchObject({ message: 'sync' });
    expect(await breaker.execute(() => undefined)).toBeUndefined();
  });

  test('opossum 10 (13), shutdown: a disposed breaker stays so: no action revives it', async () => {
    const { breaker } = setUp();
    breaker.dispose();
    for (const action of ['forceOpen', 'forceClosed', 'disable', 'observeOnly', 'release', 'reset'] as const) {
      breaker[action]();
      expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'disposed' });
    }
  });

  test('opossum 10 (14), listeners: one that throws does not turn a success into a failure', async () => {
    const { breaker } = setUp({
      onListenerError: () => {},
      onSucceeded: () => {
        throw new Error('listener');
      },
    });
    expect(await succeed(breaker, 'v')).toBe('v');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0, state: 'closed' });
  });

  test('opossum 10 (14), restore: the window survives with the state', async () => {
    const { breaker } = setUp({ trip: halfRate() });
    for (let i = 0; i < 2; i++) await fail(breaker);
    const restored = circuitBreaker({ trip: halfRate(), restore: JSON.parse(JSON.stringify(breaker)) });
    await fail(restored);
    expect(restored.state).toBe('open');
  });

  test('opossum 10 (15), rotation: a frozen process does not stretch the window', async () => {
    const clock = jumpingClock();
    const breaker = circuitBreaker({ clock, trip: halfRate() });
    await fail(breaker);
    await fail(breaker);
    clock.jump(60_000);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window.calls).toBe(1);
  });

  test('opossum 10 (15), rotation: a thousand breakers own no interval and warn of nothing', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const { clock } = setUp();
    const breakers = Array.from({ length: 1_000 }, () => circuitBreaker({ clock, trip: halfRate() }));
    await Promise.all(breakers.map((breaker) => succeed(breaker)));
    expect(clock.pending).toBe(0);
    expect(warn).not.toHaveBeenCalled();
    warn.mockRestore();
  });

  test('opossum 10 (16), fallback: a rejecting one does not hide the original error', async () => {
    const { breaker } = setUp({
      fallback: () => {
        throw new Error('fallback');
      },
    });
    const original = new Error('original');
    expect(await fail(breaker, original)).toMatchObject({ message: 'fallback', cause: original });
  });

  test('opossum 10 (16), timers: a settled call leaves none', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 60_000 });
    const call = hold(breaker);
    expect(clock.pending).toBe(1);
    call.resolve();
    await call.result;
    expect(clock.pending).toBe(0);
  });

  test('opossum 10, refusals: each is an error of its own', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const [a, b] = [await rejection(succeed(breaker)), await rejection(succeed(breaker))];
    expect(a).not.toBe(b);
  });

  test('opossum 10, half-open: a second call while the probe is out is refused, not run', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    const second = hold(breaker);
    expect(second.context).toBeUndefined();
    expect(await stateOf(probe.promise)).toBe('pending');
    expect(await stateOf(second.promise)).toBe('rejected');
  });
});
