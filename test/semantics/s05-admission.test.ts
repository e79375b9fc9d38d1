import { types } from 'node:util';
import { BulkheadFullError, type CallContext, CircuitOpenError, circuitBreaker, RejectedError } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';

describe('execute', () => {
  test('S5: execute admits synchronously: the function has run when it returns', () => {
    const { breaker } = setUp();
    const order: string[] = [];
    void breaker.execute(() => order.push('called'));
    order.push('returned');
    expect(order).toEqual(['called', 'returned']);
    expect(breaker.metrics().inFlight).toBe(1);
  });

  test('S5: execute refuses synchronously: it is counted when it returns', () => {
    const { breaker } = setUp();
    breaker.forceOpen();
    breaker.execute(() => 1).catch(() => {});
    expect(breaker.metrics().rejectedRequests).toBe(1);
  });

  test.each([
    ['a value', () => 1],
    ['a promise', async () => 1],
    ['nothing', () => undefined],
    [
      'a throw',
      () => {
        throw new Error('sync');
      },
    ],
    ['no function', 'text' as never],
  ])('S5: execute always answers a promise and never throws: %s', async (_what, fn) => {
    const plain = setUp({ failureThreshold: 10 }).breaker;
    const full = setUp({ failureThreshold: 10, timeoutMs: 100, maxConcurrent: 5, latency: true }).breaker;
    const forced = setUp().breaker;
    forced.forceOpen();
    const gone = setUp().breaker;
    gone.dispose();
    for (const breaker of [plain, full, forced, gone]) {
      const answer = breaker.execute(fn as () => unknown);
      expect(answer).toBeInstanceOf(Promise);
      await answer.catch(() => {});
    }
  });

  test('S5: what is no function is rejected with a TypeError and not counted', async () => {
    const { breaker } = setUp();
    expect(await rejection(breaker.execute(undefined as never))).toBeInstanceOf(TypeError);
    expect(breaker.metrics().totalRequests).toBe(0);
    expect(() => breaker.wrap(undefined as never)).toThrow(TypeError);
  });

  test('S5: a signal that is none is rejected with a TypeError and not counted', async () => {
    const { breaker } = setUp();
    for (const signal of [null, 5, {}, { aborted: false, addEventListener() {} }]) {
      expect(await rejection(breaker.execute(() => 1, { signal: signal as never }))).toBeInstanceOf(TypeError);
    }
    expect(breaker.metrics().totalRequests).toBe(0);
  });

  test('S5: closed, every call passes', () => {
    const { breaker } = setUp();
    expect(stampede(breaker, 1_000)).toBe(1_000);
    expect(breaker.metrics()).toMatchObject({ inFlight: 1_000, rejectedRequests: 0 });
  });

  test('S5: closed, the bulkhead limits how many work at a time', async () => {
    const { breaker } = setUp({ maxConcurrent: 2 });
    const calls = [hold(breaker), hold(breaker), hold(breaker)];
    expect(calls.map(({ context }) => context !== undefined)).toEqual([true, true, false]);
    const refused = await calls[2]?.result;
    expect(refused).toBeInstanceOf(BulkheadFullError);
    expect(refused).toMatchObject({ code: 'ERR_BULKHEAD_FULL', reason: 'bulkhead-full', retryAfterMs: undefined });
    expect((refused as RejectedError).message).toBe('circuit-breaker: all 2 places are taken');
    expect((refused as RejectedError).headers).toEqual({});
    calls[0]?.resolve();
    await calls[0]?.result;
    expect(stampede(breaker, 5)).toBe(1);
  });

  test('S5: the place in the bulkhead is free again after each kind of end', async () => {
    const { breaker } = setUp({ maxConcurrent: 1, failureThreshold: 100 });
    await succeed(breaker);
    await fail(breaker);
    await rejection(
      breaker.execute(() => {
        throw new Error('sync');
      }),
    );
    breaker.acquire()?.success();
    breaker.acquire()?.failure(new Error('x'));
    breaker.acquire()?.ignore();
    expect(stampede(breaker, 3)).toBe(1);
  });

  test('S5: the context hands through key and context, and wrap keeps `this` and appends it', async () => {
    const { breaker } = setUp();
    const seen = await breaker.execute(({ key, context }) => [key, context], { key: 'k', context: { a: 1 } });
    expect(seen).toEqual(['k', { a: 1 }]);
    const service = {
      base: 10,
      add: breaker.wrap(async function (this: { base: number }, a: number, b: number, context: unknown) {
        return [this.base + a + b, typeof (context as { signal: unknown }).signal];
      } as (a: number, b: number) => Promise<unknown>),
    };
    expect(await service.add(1, 2)).toEqual([13, 'object']);
  });

  test('S5: wrap takes the key from the arguments; a function that throws there rejects, and nothing is called', async () => {
    const { breaker } = setUp();
    const keyed = breaker.wrap(
      async (id: number, context?: CallContext) => `${id} ${context?.key}`,
      (id) => {
        if (id < 0) throw new RangeError('no such id');
        return `user-${id}`;
      },
    );
    expect(await keyed(5)).toBe('5 user-5');
    expect(await rejection(keyed(-1))).toMatchObject({ message: 'no such id' });
    expect(breaker.metrics().totalRequests).toBe(1);
    expect(() => breaker.wrap(async () => 1, 'id' as never)).toThrow(TypeError);
  });

  test('S5: a call without options has no key, no context and a signal that is never aborted', async () => {
    const { breaker } = setUp();
    const seen = await breaker.execute(({ key, context, signal }) => [key, context, signal.aborted]);
    expect(seen).toEqual([undefined, undefined, false]);
    const [a, b] = [hold(breaker), hold(breaker)];
    expect(a.context?.signal).toBe(a.context?.signal);
    expect(a.context?.signal).not.toBe(b.context?.signal);
  });
});

describe('open', () => {
  test('S6: open, a call is refused at once and its function is not called', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const call = hold(breaker);
    expect(await call.result).toBeInstanceOf(CircuitOpenError);
    expect(call.context).toBeUndefined();
  });

  test('S6: the refusal says code, breaker, state, reason and when to come back', async () => {
    const { breaker, clock } = setUp({ name: 'payments' });
    await fail(breaker);
    await clock.advance(250);
    const error = (await rejection(succeed(breaker))) as CircuitOpenError;
    expect(error).toMatchObject({
      name: 'CircuitOpenError',
      code: 'ERR_CIRCUIT_OPEN',
      breaker: 'payments',
      state: 'open',
      reason: 'open',
      retryAfterMs: 750,
      status: 503,
      statusCode: 503,
      headers: { 'retry-after': '1' },
    });
    expect(error.message).toBe('payments: the circuit is open: 1 consecutive failure (Error ×1)');
  });

  test('S6: it is a native error, and a RejectedError', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const error = await rejection(succeed(breaker));
    expect(types.isNativeError(error)).toBe(true);
    expect(error).toBeInstanceOf(Error);
    expect(error).toBeInstanceOf(RejectedError);
    expect(Object.prototype.toString.call(error)).toBe('[object Error]');
  });

  test('S6: each refusal is a fresh error', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const errors = new Set<unknown>();
    for (let i = 0; i < 50; i++) errors.add(await rejection(succeed(breaker)));
    expect(errors.size).toBe(50);
  });

  test.each([
    [1, '1'],
    [999, '1'],
    [1_000, '1'],
    [1_001, '2'],
    [29_500, '30'],
  ])('S6: Retry-After for %i ms is %s: whole seconds, rounded up, at least 1', async (sleepWindowMs, header) => {
    const { breaker } = setUp({ sleepWindowMs });
    await fail(breaker);
    expect(await rejection(succeed(breaker))).toMatchObject({
      retryAfterMs: sleepWindowMs,
      headers: { 'retry-after': header },
    });
  });

  test('S6: no stack is captured unless asked for, and the limit of others stays as it was', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const limit = Error.stackTraceLimit;
    const error = (await rejection(succeed(breaker))) as Error;
    expect(Error.stackTraceLimit).toBe(limit);
    expect(String(error.stack)).not.toContain('\n    at ');
  });

  test('S6: with captureStacks there is one', async () => {
    const { breaker } = setUp({ captureStacks: true });
    await fail(breaker);
    const error = (await rejection(succeed(breaker))) as Error;
    expect(error.stack).toContain('\n    at ');
  });

  test('S6: the refusal leaves other properties to whoever catches it', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    const error = (await rejection(succeed(breaker))) as Error & { extra?: number };
    error.extra = 1;
    error.cause = 'because';
    error.stack = 'mine';
    expect([error.extra, error.cause, error.stack]).toEqual([1, 'because', 'mine']);
  });

  test('S6: acquire answers undefined then, and refusal says why', async () => {
    const { breaker, clock } = setUp();
    expect(breaker.refusal()).toBeUndefined();
    await fail(breaker);
    expect(breaker.acquire()).toBeUndefined();
    expect(breaker.refusal()).toBeInstanceOf(CircuitOpenError);
    expect(breaker.refusal()).toMatchObject({ reason: 'open', retryAfterMs: 1_000 });
    await clock.advance(1_000);
    breaker.acquire()?.success();
    expect(breaker.refusal()).toBeUndefined();
    expect(breaker.state).toBe('closed');
  });

  test('S6: refusals are counted as such and are no samples', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    for (let i = 0; i < 5; i++) await rejection(succeed(breaker));
    expect(breaker.metrics()).toMatchObject({ rejectedRequests: 5, totalRequests: 6, failedRequests: 1, inFlight: 0 });
  });

  test('S6: a long sleep is told in seconds of the monotonic clock', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: 100_000 });
    await fail(breaker);
    await clock.advance(40_500);
    const error = (await rejection(succeed(breaker))) as CircuitOpenError;
    expect(error.headers['retry-after']).toBe('60');
  });
});

describe('permits', () => {
  test('S5: a permit settles once, whatever is said later', () => {
    const { breaker } = setUp({ failureThreshold: 1, maxConcurrent: 1 });
    const permit = breaker.acquire();
    permit?.success();
    permit?.failure(new Error('x'));
    permit?.ignore();
    permit?.success();
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0, ignoredRequests: 0 });
    breaker.acquire();
    expect(breaker.acquire()).toBeUndefined();
  });

  test('S5: a permit is in flight until it is settled, and counts as what was said', () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    const permits = [breaker.acquire(), breaker.acquire(), breaker.acquire()];
    expect(breaker.metrics().inFlight).toBe(3);
    permits[0]?.success();
    permits[1]?.failure(new Error('x'));
    permits[2]?.ignore();
    expect(breaker.metrics()).toMatchObject({
      successfulRequests: 1,
      failedRequests: 1,
      ignoredRequests: 1,
      inFlight: 0,
      totalRequests: 3,
    });
  });

  test('S5: how long a permit’s work took is what was said, if that is a duration, else what was measured', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 9, latency: true, slowCallMs: 500 });
    const given: unknown[] = [undefined, 700, -1, Number.NaN, '900', null, { valueOf: () => 900 }, Infinity, 0];
    const took: number[] = [];
    breaker.on('succeeded', ({ elapsedMs }) => took.push(elapsedMs));
    for (const ms of given) {
      const permit = breaker.acquire();
      await clock.advance(20);
      permit?.success(ms as number);
    }
    expect(took).toEqual([20, 700, 20, 20, 20, 20, 20, 20, 0]);
    expect(breaker.metrics()).toMatchObject({ slowRequests: 1, latency: { max: 700 } });
  });

  test('S7: a permit that is a probe gives back no place, for it took none', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 1, maxConcurrent: 1, successThreshold: 2 });
    breaker.acquire()?.failure();
    await clock.advance(1_000);
    breaker.acquire()?.success();
    breaker.acquire()?.success();
    expect(breaker.state).toBe('closed');
    expect([breaker.acquire(), breaker.acquire()]).toEqual([expect.anything(), undefined]);
  });

  test('S5: permits can open and close the circuit', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 2 });
    breaker.acquire()?.failure(new Error('x'));
    breaker.acquire()?.failure();
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    breaker.acquire()?.success();
    expect(breaker.state).toBe('closed');
  });

  test('S5: two breakers without a name both work under the default one', () => {
    expect([circuitBreaker().name, circuitBreaker({ name: 'x' }).name]).toEqual(['circuit-breaker', 'x']);
  });
});

test('S5: execute answers a native promise, whatever subclass the function answers', async () => {
  class Lazy<T> extends Promise<T> {}
  class Odd<T> extends Promise<T> {
    // biome-ignore lint/suspicious/noThenProperty: a promise with its own idea of `then`
    override then(): never {
      return 5 as never;
    }
  }
  const { breaker } = setUp();
  expect(breaker.execute(() => Lazy.resolve(1)).constructor).toBe(Promise);
  expect(breaker.execute(() => new Odd(() => {}))).toBeInstanceOf(Promise);
});

test('S5: execute does not throw for an option whose getter does', async () => {
  const { breaker } = setUp();
  const options = {
    get signal(): never {
      throw new Error('getter');
    },
  };
  const answer = breaker.execute(() => 1, options);
  expect(await rejection(answer)).toMatchObject({ message: 'getter' });
  expect(breaker.metrics().inFlight).toBe(0);
});

test('S6: what stands in for the stack names the error and its message', async () => {
  const { breaker } = setUp({ name: 'payments' });
  await fail(breaker);
  const error = (await rejection(succeed(breaker))) as Error;
  expect(error.stack).toBe(`CircuitOpenError: ${error.message}`);
});
