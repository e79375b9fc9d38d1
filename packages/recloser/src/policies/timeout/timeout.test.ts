import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import { bulkhead, type CallContext, circuitBreaker, pipeline, TimeoutError, timeout } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

/** Its rejection is looked at later. */
const later = <T>(promise: Promise<T>): Promise<T> => {
  promise.catch(() => {});
  return promise;
};

function setUp(timeoutMs = 100) {
  const clock = manualClock();
  const told: unknown[] = [];
  const policy = timeout({
    name: 'quick',
    timeoutMs,
    clock,
    onTimedOut: (event) => told.push(['timed-out', event]),
    onLate: (event) => told.push(['late', event]),
  });
  return { clock, policy, told };
}

describe('in time', () => {
  test('answers with the function’s result, whatever that is', async () => {
    const { policy, clock } = setUp();
    expect(await policy.execute(() => 5)).toBe(5);
    expect(await policy.execute(async () => undefined)).toBe(undefined);
    const error = new Error('down');
    expect(await rejection(policy.execute(() => Promise.reject(error)))).toBe(error);
    const thrown = policy.execute(() => {
      throw error;
    });
    expect(await rejection(thrown)).toBe(error);
    expect(clock.pending).toBe(0);
    expect(policy.metrics()).toEqual({ name: 'quick', totalRequests: 4, timedOutRequests: 0, lateResults: 0 });
  });

  test('does not abort the signal of a call that succeeded', async () => {
    const { policy, clock } = setUp();
    const signal = await policy.execute((context) => context.signal);
    await clock.advance(1_000);
    expect(signal.aborted).toBe(false);
  });
});

describe('too late', () => {
  test('S21: rejects with TimeoutError exactly on time and aborts the call’s own signal with that error', async () => {
    const { policy, clock, told } = setUp();
    let context: CallContext | undefined;
    const call = later(
      policy.execute(
        (given) => {
          context = given;
          return hang();
        },
        { key: 'k' },
      ),
    );
    await clock.advance(99);
    expect(await stateOf(call)).toBe('pending');
    expect(context?.timeLeftMs).toBe(1);
    expect(context?.signal.aborted).toBe(false);
    await clock.advance(1);
    const error = await rejection(call);
    expect(error).toBeInstanceOf(TimeoutError);
    expect(error).toMatchObject({ code: 'ERR_TIMEOUT', breaker: 'quick', timeoutMs: 100 });
    expect(context?.signal.reason).toBe(error);
    expect(context?.timeLeftMs).toBe(0);
    expect(told).toEqual([['timed-out', { policy: 'quick', key: 'k', timeoutMs: 100 }]]);
  });

  test('S13: a result after it is late, and moves nothing', async () => {
    const { policy, clock, told } = setUp();
    let resolve = (_value: unknown): void => {};
    const call = later(policy.execute(() => new Promise((yes) => (resolve = yes))));
    await clock.advance(100);
    await rejection(call);
    resolve('late');
    await clock.advance(0);
    expect(policy.metrics()).toMatchObject({ totalRequests: 1, timedOutRequests: 1, lateResults: 1 });
    expect(told.at(-1)).toEqual(['late', { policy: 'quick', ok: true }]);
  });

  test('S21: one call’s timeout never touches another’s signal', async () => {
    const { policy, clock } = setUp();
    const signals: AbortSignal[] = [];
    const run = ({ signal }: CallContext): Promise<never> => {
      signals.push(signal);
      return hang();
    };
    const first = later(policy.execute(run));
    await clock.advance(50);
    const second = later(policy.execute(run));
    await clock.advance(50);
    await rejection(first);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false]);
    await clock.advance(50);
    await rejection(second);
  });

  test('a fallback of the call’s own answers for it', async () => {
    const { policy, clock } = setUp();
    const call = policy.execute(hang, { fallback: 'other' });
    await clock.advance(100);
    expect(await call).toBe('other');
  });

  test('S21: a listener hears of it in the call’s own async context', async () => {
    const store = new AsyncLocalStorage<string>();
    const { policy, clock } = setUp();
    const seen: unknown[] = [];
    policy.on('timed-out', () => seen.push(store.getStore()));
    store.run('the call', () => void later(policy.execute(hang)));
    await store.run('whoever advances the clock', () => clock.advance(100));
    expect(seen).toEqual(['the call']);
  });

  test('a listener that gives up for the caller does not end the call again: it counts once, its place comes back', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const breaker = circuitBreaker({ clock });
    const places = bulkhead({ maxConcurrent: 1, clock });
    const quick = timeout({ timeoutMs: 100, clock, onTimedOut: () => caller.abort('enough') });
    const work = () => new Promise((resolve) => void clock.setTimeout(() => resolve('late'), 150));
    const call = later(pipeline(places, breaker, quick).execute(work, { signal: caller.signal }));
    await clock.advance(100);
    expect(await rejection(call)).toBe('enough');
    expect(places.metrics().inFlight).toBe(1);
    await clock.advance(50);
    expect(places.metrics()).toMatchObject({ inFlight: 0, abandoned: 0 });
    expect(breaker.metrics()).toMatchObject({ timedOutRequests: 1, ignoredRequests: 0, inFlight: 0, lateResults: 1 });
    expect(quick.metrics()).toMatchObject({ timedOutRequests: 1, lateResults: 1 });
  });

  test('S25: a listener that throws changes nothing for the call', async () => {
    const clock = manualClock();
    const faults: unknown[] = [];
    const policy = timeout({
      timeoutMs: 10,
      clock,
      onTimedOut: () => {
        throw new Error('listener');
      },
      onListenerError: (fault, event) => faults.push([(fault as Error).message, event]),
    });
    const call = later(policy.execute(hang));
    await clock.advance(10);
    expect(await rejection(call)).toBeInstanceOf(TimeoutError);
    expect(faults).toEqual([['listener', 'timed-out']]);
  });
});

describe('the caller gives up', () => {
  test('S22: already aborted: the function is not called and nothing counted', async () => {
    const { policy } = setUp();
    let called = false;
    const call = policy.execute(() => (called = true), { signal: AbortSignal.abort('enough') });
    expect(await rejection(call)).toBe('enough');
    expect(called).toBe(false);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test('S22: aborted later: rejects at once with the caller’s reason, and leaves no listener and no timer', async () => {
    const { policy, clock, told } = setUp();
    const caller = new AbortController();
    let inner: AbortSignal | undefined;
    const call = policy.execute(
      ({ signal }) => {
        inner = signal;
        return hang();
      },
      { signal: caller.signal },
    );
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    expect(inner?.reason).toBe('enough');
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(told).toEqual([]);
  });
});

describe('options', () => {
  test('a number is short for timeoutMs', async () => {
    expect(timeout(50).name).toBe('timeout');
    expectTypeOf(timeout(50).execute(() => 'text')).toEqualTypeOf<Promise<string>>();
  });

  test('S26: all faults at once, with option, range and value', () => {
    expect(() => timeout({ timeoutMs: 0.5, name: 5, onLate: 'x', wat: 1 } as never)).toThrow(
      /^timeout: (?=.*timeoutMs must be a number from 1 to 2147483647, got 0.5)(?=.*name must be a string, got 5)(?=.*onLate must be a function)(?=.*unknown option wat)/,
    );
    expect(() => timeout(2 ** 31)).toThrow(RangeError);
    expect(() => timeout(undefined as never)).toThrow(TypeError);
  });
});
