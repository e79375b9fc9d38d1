import { getEventListeners } from 'node:events';
import { RateLimitedError, type RateLimitOptions, RejectedError, rateLimit } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../../test/support/calls.ts';

function setUp(options: Partial<RateLimitOptions> = {}) {
  const clock = manualClock();
  const policy = rateLimit({ name: 'quota', permits: 2, windowMs: 1_000, clock, ...options });
  const started: string[] = [];
  const call = (name: string, signal?: AbortSignal, context?: unknown): Promise<unknown> =>
    policy.execute(
      () => {
        started.push(`${name} at ${clock.now()}`);
        return name;
      },
      { key: name, signal, context },
    );
  return { clock, policy, call, started };
}

describe('refusing', () => {
  test('what the limit does not hold is refused at once, the function not called, and told when there is enough', async () => {
    const { clock, policy, call, started } = setUp();
    await Promise.all([call('a'), call('b')]);
    const error = (await rejection(call('c'))) as RateLimitedError;
    expect(error).toBeInstanceOf(RateLimitedError);
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toMatchObject({
      name: 'RateLimitedError',
      code: 'ERR_RATE_LIMITED',
      breaker: 'quota',
      reason: 'rate-limited',
      retryAfterMs: 500,
      status: 429,
      statusCode: 429,
      headers: { 'retry-after': '1' },
      message: 'quota: 2 permits in 1000 ms are spent, 1 more in 500 ms',
      stack: 'RateLimitedError: quota: 2 permits in 1000 ms are spent, 1 more in 500 ms',
    });
    await clock.advance(499);
    expect(await rejection(call('c'))).toMatchObject({ retryAfterMs: 1 });
    await clock.advance(1);
    expect(await call('c')).toBe('c');
    expect(started).toEqual(['a at 0', 'b at 0', 'c at 500']);
    expect(policy.metrics()).toEqual({
      name: 'quota',
      totalRequests: 5,
      admittedRequests: 3,
      rejectedRequests: 2,
      queued: 0,
      available: 0,
      keys: 1,
      evictedKeys: 0,
    });
  });

  test('every refusal is an error of its own; a stack only if asked for', async () => {
    const { call } = setUp({ permits: 1 });
    await call('a');
    const [first, second] = [await rejection(call('b')), await rejection(call('b'))];
    expect(first).not.toBe(second);
    const asked = setUp({ permits: 1, captureStacks: true });
    await asked.call('a');
    expect(((await rejection(asked.call('b'))) as Error).stack).toContain('rate-limit.ts');
  });

  test('a burst may be larger than the rate, and follows a pause', async () => {
    const { clock, policy } = setUp({ permits: 1, burst: 3 });
    expect([1, 2, 3, 4].map(() => policy.tryAcquire())).toEqual([true, true, true, false]);
    await clock.advance(60_000);
    expect([1, 2, 3, 4].map(() => policy.tryAcquire())).toEqual([true, true, true, false]);
  });

  test('a sliding window lets nothing through before its first call falls out of it', async () => {
    const { clock, policy } = setUp({ algorithm: 'sliding-window' });
    expect(policy.tryAcquire()).toBe(true);
    await clock.advance(600);
    expect(policy.tryAcquire()).toBe(true);
    await clock.advance(399);
    expect(policy.tryAcquire()).toBe(false);
    await clock.advance(1);
    expect([policy.tryAcquire(), policy.tryAcquire()]).toEqual([true, false]);
  });
});

describe('what a call costs', () => {
  test('is what the function says of its caller; nonsense counts as 1 and is reported', async () => {
    const faults: unknown[] = [];
    const { policy, call } = setUp({
      permits: 100,
      cost: ({ key, context }) => {
        if (key === 'broken') throw new Error('x');
        return context as number;
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    const costs: [string, unknown][] = [
      ['a', 10],
      ['b', 0.5],
      ['c', 0],
      ['d', -1],
      ['e', Number.NaN],
      ['f', undefined],
      ['g', null],
      ['h', '7'],
      ['i', 7n],
      ['j', Symbol('7')],
      ['broken', 50],
    ];
    for (const [key, context] of costs) await call(key, undefined, context);
    expect(policy.metrics().available).toBe(100 - 10.5 - 8);
    expect(faults).toEqual(Array(8).fill('cost'));
  });

  test('more than there ever is: refused without a time to come again', async () => {
    const { call } = setUp({ cost: () => 3, maxWaitMs: 100_000 });
    const error = (await rejection(call('a'))) as RateLimitedError;
    expect([error.retryAfterMs, error.headers]).toEqual([undefined, {}]);
    expect(error.message).toBe('quota: a call of 3 never fits 2 permits in 1000 ms');
  });

  test('tryAcquire takes no nonsense, and counts as any call', () => {
    const seen: unknown[] = [];
    const { policy } = setUp({ onRejected: (event) => seen.push(event) });
    for (const cost of [-1, Number.NaN, '1', null, 1n, Symbol('1')] as never[]) {
      expect(() => policy.tryAcquire(cost)).toThrow(RangeError);
    }
    expect(policy.metrics().totalRequests).toBe(0);
    expect([policy.tryAcquire(2), policy.tryAcquire(2, 'k')]).toEqual([true, false]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 2, admittedRequests: 1, rejectedRequests: 1 });
    expect(seen).toEqual([{ policy: 'quota', key: 'k', cost: 2, reason: 'rate-limited', retryAfterMs: 1_000 }]);
  });
});

describe('keys', () => {
  const keyed = { permits: 1, keyed: true } as const;

  test('each has a limit of its own, and calls without a key one together', async () => {
    const { policy, call } = setUp(keyed);
    await Promise.all([call('a'), call('b'), policy.execute(() => 'nobody’s')]);
    expect(await rejection(call('a'))).toBeInstanceOf(RateLimitedError);
    expect(await rejection(policy.execute(() => 'nobody’s'))).toBeInstanceOf(RateLimitedError);
    expect([policy.tryAcquire(1, 'b'), policy.tryAcquire(1, 'c')]).toEqual([false, true]);
    expect(policy.metrics()).toMatchObject({ keys: 4, available: 0 });
  });

  test('without `keyed` a key makes no difference', async () => {
    const { call } = setUp({ permits: 1 });
    await call('a');
    expect(await rejection(call('b'))).toBeInstanceOf(RateLimitedError);
  });

  test('S28, S29: no more than maxKeys are remembered; the longest unused goes, and it is an event if that gave it something', async () => {
    const evicted: unknown[] = [];
    const { clock, policy } = setUp({ ...keyed, maxKeys: 2, onKeyEvicted: ({ key }) => evicted.push(key) });
    const take = (key: string): boolean => policy.tryAcquire(1, key);
    expect(['a', 'b', 'a', 'c'].map(take)).toEqual([true, true, false, true]);
    expect(evicted).toEqual(['b']);
    expect(['b', 'c'].map(take)).toEqual([true, false]);
    expect(evicted).toEqual(['b', 'a']);
    await clock.advance(1_000);
    for (let i = 0; i < 1_000; i++) {
      await clock.advance(500);
      take(`rested ${i}`);
    }
    expect(evicted).toEqual(['b', 'a']);
    expect(policy.metrics()).toMatchObject({ keys: 2, evictedKeys: 2 });
  });

  test('a key that is forgotten while its calls wait begins anew; those who wait go in their turn', async () => {
    const { clock, policy, call, started } = setUp({ ...keyed, maxKeys: 2, maxWaitMs: 5_000 });
    for (const name of ['a', 'a', 'a', 'b', 'c', 'a']) void call(name);
    expect(policy.metrics()).toMatchObject({ keys: 2, queued: 2, evictedKeys: 2 });
    await clock.advance(2_000);
    expect(started).toEqual(['a at 0', 'b at 0', 'c at 0', 'a at 0', 'a at 1000', 'a at 2000']);
    expect(policy.metrics()).toMatchObject({ keys: 2, queued: 0 });
  });

  test('maxQueue is for all keys together', async () => {
    const { call, clock } = setUp({ ...keyed, maxQueue: 2, maxWaitMs: 5_000 });
    for (const name of ['a', 'a', 'b', 'b', 'c']) void call(name);
    expect(await rejection(call('c'))).toMatchObject({ reason: 'rate-limited', retryAfterMs: 1_000 });
    await clock.advance(1_000);
    expect(clock.pending).toBe(0);
  });
});

describe('as every policy', () => {
  test('S22: an aborted caller is not counted and its function not called', async () => {
    const { policy, call, started } = setUp();
    expect(await rejection(call('a', AbortSignal.abort('before')))).toBe('before');
    expect(started).toEqual([]);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test('S22: nor that of one who gives up while its cost is worked out', async () => {
    const caller = new AbortController();
    const { policy, call, started } = setUp({
      cost: () => {
        caller.abort('too dear');
        return 1;
      },
    });
    expect(await rejection(call('a', caller.signal))).toBe('too dear');
    expect(started).toEqual([]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 0, available: 2 });
  });

  test('S22: a call that is aborted rejects at once though its function does not listen, and leaves no listener', async () => {
    const { policy } = setUp();
    const caller = new AbortController();
    const call = policy.execute(() => new Promise(() => {}), { signal: caller.signal });
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test('its events tell who waits and who is refused; throwing listeners change nothing', async () => {
    const seen: unknown[] = [];
    const faults: unknown[] = [];
    const { clock, policy, call } = setUp({
      permits: 1,
      maxWaitMs: 1_000,
      onDelayed: (event) => {
        seen.push(event);
        throw new Error('mine');
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    policy.on('rejected', (event) => seen.push(event));
    void call('a');
    void call('b');
    await rejection(call('c'));
    expect(seen).toEqual([
      { policy: 'quota', key: 'b', cost: 1, waitMs: 1_000, queued: 1 },
      { policy: 'quota', key: 'c', cost: 1, reason: 'rate-limited', retryAfterMs: 2_000 },
    ]);
    expect(faults).toEqual(['delayed']);
    await clock.advance(1_000);
    expect(policy.metrics().admittedRequests).toBe(2);
  });

  test('S26: all faults of its options in one error', () => {
    const wrong = {
      permits: 0,
      windowMs: 0,
      algorithm: 'leaky' as never,
      burst: 1.5,
      cost: 1 as never,
      maxWaitMs: -1,
      maxQueue: 0,
      keyed: 1 as never,
      maxKeys: 0,
      captureStacks: 'no' as never,
      limit: 5,
    };
    expect(() => rateLimit(wrong)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: rateLimit: permits must be an integer from 1 to 2147483647, got 0; windowMs must be a number from 1 to 2147483647, got 0; algorithm must be one of 'token-bucket', 'sliding-window', got 'leaky'; burst must be an integer from 1 to 2147483647, got 1.5; cost must be a function, got 1; maxWaitMs must be a number from 0 to 2147483647, got -1; maxQueue must be an integer from 1 to 1000000, got 0; keyed must be a boolean, got 1; maxKeys must be an integer from 1 to 10000000, got 0; captureStacks must be a boolean, got 'no'; unknown option limit must be one of permits, windowMs, algorithm, burst, cost, maxWaitMs, maxQueue, keyed, maxKeys, captureStacks, name, clock, random, onListenerError, onRejected, onDelayed, onKeyEvicted, got 'limit']`,
    );
    expect(() => rateLimit({ permits: 1, algorithm: 'sliding-window', burst: 2 })).toThrow(/burst must be left to/);
    expect(() => rateLimit(undefined as never)).toThrow(TypeError);
    expect(() => rateLimit({} as never)).toThrow(/permits must be/);
  });

  test('S3: reading its figures changes nothing, and they count what came in the meantime', async () => {
    const { clock, policy } = setUp({ permits: 10, windowMs: 1_000 });
    policy.tryAcquire(10);
    expect(policy.metrics().available).toBe(0);
    await clock.advance(250);
    expect(policy.metrics().available).toBe(2.5);
    expect(policy.metrics().available).toBe(2.5);
  });
});
