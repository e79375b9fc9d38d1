import { getEventListeners } from 'node:events';
import { bulkhead, circuitBreaker, constant, retry, TimeoutError, type TripCounter } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, setUp, stateOf, succeed } from '../support/calls.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('an aborted signal', () => {
  test('S22: already aborted, the function is not called and the call rejects with the reason', async () => {
    const { breaker } = setUp();
    const reason = new Error('too late');
    const call = hold(breaker, { signal: AbortSignal.abort(reason) });
    expect(call.context).toBeUndefined();
    expect(await call.result).toBe(reason);
    expect(breaker.metrics()).toMatchObject({ ignoredRequests: 1, totalRequests: 1, inFlight: 0 });
  });

  test('S22: … in any state, and it takes no permit and no place', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 1 });
    const signal = AbortSignal.abort('gone');
    expect(await hold(breaker, { signal }).result).toBe('gone');
    await fail(breaker);
    expect(await hold(breaker, { signal }).result).toBe('gone');
    await clock.advance(1_000);
    expect(await hold(breaker, { signal }).result).toBe('gone');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics()).toMatchObject({ ignoredRequests: 3, rejectedRequests: 0 });
  });

  test.each([
    ['plain', {}],
    ['with a timeout', { timeoutMs: 1_000 }],
    ['with a bulkhead', { maxConcurrent: 3 }],
  ])(
    'S22: aborted later, the call rejects at once with the caller’s reason, even if the function does not listen: %s',
    async (_what, options) => {
      const { breaker } = setUp(options);
      const controller = new AbortController();
      const call = hold(breaker, { signal: controller.signal });
      const reason = { why: 'because' };
      controller.abort(reason);
      expect(await stateOf(call.promise)).toBe('rejected');
      expect(await call.result).toBe(reason);
      expect(breaker.metrics()).toMatchObject({ ignoredRequests: 1, inFlight: 0 });
    },
  );

  test('S22: aborted while the function still runs synchronously', async () => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = breaker.execute(
      () => {
        controller.abort('self');
        return 'value';
      },
      { signal: controller.signal },
    );
    expect(await rejection(call)).toBe('self');
    expect(breaker.metrics()).toMatchObject({ ignoredRequests: 1, successfulRequests: 0, inFlight: 0, lateResults: 0 });
  });

  test('S22: the caller’s reason reaches the call’s own signal', async () => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    const own = call.context?.signal as AbortSignal;
    expect(own).not.toBe(controller.signal);
    controller.abort('reason');
    expect([own.aborted, own.reason]).toEqual([true, 'reason']);
    const unread = hold(breaker, { signal: AbortSignal.any([AbortSignal.abort('x')]) });
    expect(await unread.result).toBe('x');
  });

  test('S22: whoever ends the call first wins: timeout, then abort', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    const own = call.context?.signal as AbortSignal;
    await clock.advance(100);
    controller.abort('later');
    expect(await call.result).toBeInstanceOf(TimeoutError);
    expect(own.reason).toBeInstanceOf(TimeoutError);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, ignoredRequests: 0 });
  });

  test('S22: … abort, then timeout', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort('first');
    await clock.advance(500);
    expect(await call.result).toBe('first');
    expect(breaker.metrics()).toMatchObject({ failedRequests: 0, timedOutRequests: 0, ignoredRequests: 1 });
    expect(clock.pending).toBe(0);
  });

  test('S22: AbortSignal.timeout is a deadline: the call rejects with its TimeoutError and counts as a failure', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1 });
    const call = breaker.execute(() => new Promise(() => {}), { signal: AbortSignal.timeout(10) });
    expect(await rejection(call)).toMatchObject({ name: 'TimeoutError' });
    expect(breaker.state).toBe('open');
  });
});

describe('listeners', () => {
  test('S22: no listener is left after each kind of end', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 99 });
    const controller = new AbortController();
    const { signal } = controller;
    await breaker.execute(() => 1, { signal });
    await rejection(breaker.execute(() => Promise.reject(new Error('x')), { signal }));
    await rejection(
      breaker.execute(
        () => {
          throw new Error('sync');
        },
        { signal },
      ),
    );
    const timedOut = hold(breaker, { signal });
    await clock.advance(100);
    await timedOut.result;
    expect(listeners(signal)).toBe(0);
    breaker.forceOpen();
    await rejection(breaker.execute(() => 1, { signal }));
    expect(listeners(signal)).toBe(0);
    breaker.release();
    await breaker.execute(() => Promise.reject(new Error('x')), { signal, fallback: 'other' });
    await clock.advance(0);
    expect(listeners(signal)).toBe(0);
    const aborted = hold(breaker, { signal });
    controller.abort();
    await aborted.result;
    expect(listeners(signal)).toBe(0);
  });

  test('S22: no leak after 100,000 calls on one signal', async () => {
    const breaker = circuitBreaker({ failureThreshold: 5, timeoutMs: 60_000 });
    const { signal } = new AbortController();
    let most = 0;
    for (let i = 0; i < 100_000; i++) {
      await breaker.execute(() => i, { signal });
      if (i % 10_000 === 0) most = Math.max(most, listeners(signal));
    }
    expect([most, listeners(signal)]).toEqual([0, 0]);
    expect(breaker.metrics().successfulRequests).toBe(100_000);
  }, 30_000);

  test('S22: one listener for all calls in flight on a signal, and no warning of a leak', async () => {
    const warnings: string[] = [];
    const warned = (warning: Error) => warnings.push(warning.name);
    process.on('warning', warned);
    const { breaker } = setUp();
    const { signal } = new AbortController();
    const calls = Array.from({ length: 1_000 }, () => hold(breaker, { signal }));
    expect(listeners(signal)).toBe(1);
    for (const call of calls) call.resolve();
    await Promise.all(calls.map(({ result }) => result));
    await new Promise((resolve) => setImmediate(resolve));
    process.off('warning', warned);
    expect(listeners(signal)).toBe(0);
    expect(warnings).toEqual([]);
  });

  test('S22: whoever one of them has let go of meanwhile hears nothing of the abort', async () => {
    const places = bulkhead({ maxConcurrent: 1, maxQueue: 2, release: 'on-timeout' });
    const controller = new AbortController();
    const { signal } = controller;
    const work = () => new Promise(() => {});
    const calls = [1, 2, 3].map(() => rejection(places.execute(work, { signal })));
    controller.abort('enough');
    expect(await Promise.all(calls)).toEqual(['enough', 'enough', 'enough']);
    expect(places.metrics()).toMatchObject({ inFlight: 0, queued: 0 });
    expect(listeners(signal)).toBe(0);
  });
});

describe('a success', () => {
  test.each([
    ['plain', {}],
    ['with a timeout', { timeoutMs: 100 }],
  ])('S22: a success does not abort the signal: response bodies live on, %s', async (_what, options) => {
    const { breaker, clock } = setUp(options);
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    const own = call.context?.signal as AbortSignal;
    call.resolve('response');
    expect(await call.promise).toBe('response');
    await clock.advance(1_000);
    expect(own.aborted).toBe(false);
    controller.abort();
    expect(own.aborted).toBe(false);
  });

  test('S22: nor does a failure', async () => {
    const { breaker } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    const own = call.context?.signal as AbortSignal;
    call.reject(new Error('x'));
    await call.result;
    expect(own.aborted).toBe(false);
  });
});

describe('a fallback at work', () => {
  test('S22: a failed call whose fallback is at work rejects at once when its signal aborts', async () => {
    const { breaker } = setUp({ fallback: () => new Promise(() => {}) });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    call.reject(new Error('x'));
    expect(await stateOf(call.promise)).toBe('pending');
    controller.abort('enough');
    expect(await stateOf(call.promise)).toBe('rejected');
    expect(await call.result).toBe('enough');
    expect(listeners(controller.signal)).toBe(0);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, ignoredRequests: 0 });
  });

  test('S22: a fallback’s signal follows the caller’s, and the timeout has not aborted it', async () => {
    const caller = new AbortController();
    const seen: unknown[] = [];
    const { breaker, clock } = setUp({
      timeoutMs: 100,
      fallback: (_error: unknown, { signal }: { signal: AbortSignal }) => {
        seen.push(signal.aborted);
        caller.abort('enough');
        seen.push(signal.reason);
      },
    });
    const call = hold(breaker, { signal: caller.signal });
    await clock.advance(100);
    expect(await call.result).toBe('enough');
    expect(seen).toEqual([false, 'enough']);
  });
});

test('S22: a refused call whose fallback is at work rejects at once when its signal aborts', async () => {
  const { breaker } = setUp({ fallback: () => new Promise(() => {}) });
  breaker.forceOpen();
  const controller = new AbortController();
  const call = hold(breaker, { signal: controller.signal });
  controller.abort(new Error('bye'));
  expect(await stateOf(call.promise)).toBe('rejected');
  expect(await call.result).toMatchObject({ message: 'bye' });
});

const refuse = (): never => {
  throw new Error('do not touch');
};

test('S22: a caller may abort with a reason of which nothing can be asked', async () => {
  const { breaker } = setUp({ timeoutMs: 100 });
  const controller = new AbortController();
  const reason = new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse });
  let got: unknown;
  breaker
    .execute(() => new Promise(() => {}), { signal: controller.signal })
    .catch((error: unknown) => {
      got = [error];
    });
  controller.abort(reason);
  await new Promise((resolve) => setImmediate(resolve));
  expect((got as unknown[])[0] === reason).toBe(true);
  expect(breaker.metrics()).toMatchObject({ totalRequests: 1, inFlight: 0 });
});

test.each([1, 2, 3])('S22: of %i calls at once inside a call all end with it', async (calls) => {
  const clock = manualClock();
  const policies = [circuitBreaker({ clock, timeoutMs: 50 }), circuitBreaker({ clock })] as const;
  const reasons: unknown[] = [];
  const call = policies[0].execute((context) => {
    const inside = Array.from({ length: calls }, () =>
      rejection(policies[1].execute(() => new Promise(() => {}), context)),
    );
    return Promise.all(inside.map(async (ended) => reasons.push(await ended)));
  });
  const ended = rejection(call);
  await clock.advance(50);
  expect(reasons).toEqual(Array(calls).fill(await ended));
});

test('S22: once its caller has given up, a call has no time left', async () => {
  const { breaker } = setUp({ timeoutMs: 1_000 });
  const controller = new AbortController();
  const call = hold(breaker, { signal: controller.signal });
  expect(call.context?.timeLeftMs).toBe(1_000);
  controller.abort('gone');
  expect(await call.result).toBe('gone');
  expect(call.context?.timeLeftMs).toBe(0);
});

test('S22: policies nested by hand are one call where the context is handed on as options', async () => {
  const clock = manualClock();
  const [outer, inner] = [circuitBreaker({ clock, timeoutMs: 50 }), circuitBreaker({ clock, timeoutMs: 1_000 })];
  const seen: unknown[] = [];
  let signal: AbortSignal | undefined;
  const call = outer.execute(
    (context) =>
      inner.execute((within) => {
        signal = within.signal;
        seen.push(within.key, within.context, within.timeLeftMs);
        return new Promise(() => {});
      }, context),
    { key: 'k', context: { a: 1 } },
  );
  const ended = rejection(call);
  await clock.advance(50);
  const error = await ended;
  expect(error).toBeInstanceOf(TimeoutError);
  expect(seen).toEqual(['k', { a: 1 }, 50]);
  expect(signal?.reason).toBe(error);
  expect(inner.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
});

test('S21: … with the places of the one around taken while the work goes on, its attempt, and no fallback after its end', async () => {
  const clock = manualClock();
  let fallbacks = 0;
  const outer = circuitBreaker({ clock, timeoutMs: 50, maxConcurrent: 1 });
  const inner = circuitBreaker({ clock, fallback: () => ++fallbacks });
  const ended = rejection(outer.execute((context) => inner.execute(() => new Promise(() => {}), context)));
  await clock.advance(50);
  expect(await ended).toBeInstanceOf(TimeoutError);
  expect(await rejection(outer.execute(() => 1))).toMatchObject({ reason: 'bulkhead-full' });
  expect(fallbacks).toBe(0);
  const attempts: number[] = [];
  const again = retry({ attempts: 3, backoff: constant(0) });
  const each = circuitBreaker({ failureThreshold: 9 });
  const failing = ({ attempt }: { attempt: number }) => Promise.reject(new Error(String(attempts.push(attempt))));
  await rejection(again.execute((context) => each.execute(failing, context)));
  expect(attempts).toEqual([1, 2, 3]);
});

test('S22: … and nothing is made for it where nothing ends the call around', async () => {
  const [outer, inner] = [circuitBreaker(), circuitBreaker()];
  const made = vi.spyOn(globalThis, 'AbortController');
  expect(await outer.execute((context) => inner.execute(() => 'inside', context))).toBe('inside');
  expect(made).not.toHaveBeenCalled();
  made.mockRestore();
});

test('S22: one call whose end throws keeps no other on the signal from its own', async () => {
  const faults: unknown[] = [];
  const caught = (fault: unknown): void => void faults.push(fault);
  process.on('unhandledRejection', caught);
  const fault = new Error('of the rule');
  const figures = { rule: 'mine', value: 1, threshold: 1, calls: 1 };
  const broken = () => {
    throw fault;
  };
  const counter: TripCounter = {
    record: () => true,
    measure: () => Object.defineProperty(figures, 'parts', { get: broken }),
    clear: () => {},
    toJSON: () => null,
  };
  const controller = new AbortController();
  const options = { signal: controller.signal };
  const unsound = circuitBreaker({ trip: { name: 'mine', start: () => counter }, timeoutMs: 50_000 });
  const sound = circuitBreaker({ timeoutMs: 50_000 });
  unsound.execute(() => new Promise(() => {}), options).catch(() => {});
  const call = rejection(sound.execute(() => new Promise(() => {}), options));
  const enough = new DOMException('enough', 'TimeoutError');
  controller.abort(enough);
  expect(await call).toBe(enough);
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', caught);
  expect([faults, sound.metrics().inFlight]).toEqual([[fault], 0]);
});

test('S26: a signal that can’t be listened to is refused before the call is admitted', async () => {
  const breaker = circuitBreaker({ maxConcurrent: 1 });
  const call = breaker.execute(() => 1, { signal: { addEventListener: 1 } as never });
  expect(await rejection(call)).toBeInstanceOf(TypeError);
  expect([breaker.metrics().totalRequests, breaker.available]).toEqual([0, true]);
});

test('S22: options may be getters of a class', async () => {
  class Given {
    get signal() {
      return AbortSignal.abort('gone');
    }
  }
  expect(await rejection(setUp().breaker.execute(() => 1, new Given()))).toBe('gone');
});

test.each([null, 5, 'text'])('S5: %o for options says nothing', async (options) => {
  expect(await setUp().breaker.execute(() => 1, options as never)).toBe(1);
});
