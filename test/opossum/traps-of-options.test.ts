// What opossum 10 does and nobody can rely on. The number is that of our notes (reference/peers-javascript.md §3), the issue that
// of its tracker. test/peers/opossum.test.ts has the same for the native breaker.
import { AsyncLocalStorage } from 'node:async_hooks';
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'recloser/opossum';
import { manualClock } from 'recloser/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';
import { hold, setUp } from './breakers.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const silenced = () => vi.spyOn(console, 'error').mockImplementation(() => {});

describe('options', () => {
  test('opossum 10 (9): two breakers given one object share nothing, and it is not changed', async () => {
    const options = Object.freeze({
      cache: true,
      coalesce: true,
      autoRenewAbortController: true,
      clock: manualClock(),
    });
    const a = new CircuitBreaker(async (id: number) => `a${id}`, options);
    const b = new CircuitBreaker(async (id: number) => `b${id}`, options);
    expect(await Promise.all([a.fire(1), b.fire(1)])).toEqual(['a1', 'b1']);
    expect(await Promise.all([a.fire(1), b.fire(1)])).toEqual(['a1', 'b1']);
    expect(a.getSignal()).not.toBe(b.getSignal());
  });

  test('opossum 10 (14): raw figures as `status` keep the window options', () => {
    const controller = new EventEmitter();
    const options = { rollingCountBuckets: 3, rollingPercentilesEnabled: false, rotateBucketController: controller };
    const breaker = new CircuitBreaker(async () => 1, { ...options, status: { fires: 7 } });
    expect(breaker.status.window.length).toBe(3);
    expect(breaker.stats).toMatchObject({ fires: 7, latencyMean: -1 });
    for (let i = 0; i < 3; i++) controller.emit('rotate');
    expect(breaker.stats.fires).toBe(0);
  });

  test('figures to begin with are copied, and what is no number is 0', async () => {
    const stats = { fires: 1, failures: 'many' as unknown as number, latencyTimes: [5] };
    const breaker = new CircuitBreaker(async () => 1, { status: stats, clock: manualClock() });
    await breaker.fire();
    expect(stats.latencyTimes).toEqual([5]);
    expect(breaker.stats).toMatchObject({ fires: 2, failures: 0, latencyTimes: [0, 5] });
  });

  test('a timeout or resetTimeout beyond 2^31 ms does not fire at once', async () => {
    vi.useFakeTimers();
    const options = { timeout: 2 ** 40, resetTimeout: 2 ** 40 };
    const breaker = new CircuitBreaker(() => new Promise((resolve) => setTimeout(resolve, 86_400_000, 'ok')), options);
    const call = breaker.fire();
    breaker.open();
    await vi.advanceTimersByTimeAsync(86_400_000);
    expect([await call, breaker.opened]).toEqual(['ok', true]);
  });
});

describe('coalescing', () => {
  const coalesce = { coalesce: true, cacheGetKey: () => 'key', errorThresholdPercentage: 100 };

  test('opossum 10 (10): without a timeout calls are shared while one runs, not for ever', async () => {
    const { breaker } = setUp({ ...coalesce, timeout: false });
    const first = hold(breaker);
    const second = breaker.fire('ok').catch((error: unknown) => error);
    first.reject('down');
    expect(await Promise.all([first.result, second])).toEqual(['down', 'down']);
    expect(await breaker.fire('ok')).toBe('ok');
  });

  test('opossum 10 (10): a call beyond the capacity is not shared', async () => {
    const { breaker } = setUp({ ...coalesce, capacity: 1, cacheGetKey: (_, key) => String(key) });
    const first = hold(breaker, 'a');
    expect(await rejection(breaker.fire('ok', 'b'))).toMatchObject({ code: 'ESEMLOCKED' });
    first.resolve();
    await first.result;
    expect(await breaker.fire('ok', 'b')).toBe('ok');
  });

  test('opossum 10 (10): a synchronous throw is reset like any error', async () => {
    const { breaker } = setUp({ ...coalesce, coalesceResetOn: ['error'] });
    await rejection(breaker.fire('throw'));
    expect(await breaker.fire('ok')).toBe('ok');
  });

  test('a call that outlived its entry does not take the entry of the next', async () => {
    const { breaker, clock } = setUp({ ...coalesce, coalesceTTL: 100, coalesceResetOn: ['success'] });
    const first = hold(breaker);
    await clock.advance(200);
    const second = hold(breaker);
    first.resolve();
    await first.result;
    const third = hold(breaker);
    expect([second.started, third.started]).toEqual([true, false]);
  });
});

describe('cache transports', () => {
  const transport = (overrides: object) => ({ get: () => undefined, set: () => {}, flush: () => {}, ...overrides });

  test('opossum 10 (11): one that answers promises is a miss when there is nothing', async () => {
    const stored = new Map<string, unknown>();
    const cacheTransport = transport({
      get: async (key: string) => stored.get(key),
      set: async (key: string, value: Promise<unknown>) => stored.set(key, await value),
    });
    const { breaker } = setUp({ cache: true, cacheTransport });
    expect(await breaker.fire('ok')).toBe('ok');
    await null;
    expect(await breaker.fire('ok')).toBe('ok');
    expect(breaker.stats).toMatchObject({ cacheMisses: 1, cacheHits: 1, successes: 1 });
  });

  test.each([
    [
      'throws',
      (fault: Error) => {
        throw fault;
      },
    ],
    ['rejects', (fault: Error) => Promise.reject(fault)],
  ])('opossum 10 (11): one whose get or set %s costs no call, and no place twice', async (_, fail) => {
    const told = silenced();
    const fault = new Error('cache');
    const { breaker } = setUp({
      cache: true,
      capacity: 1,
      cacheTransport: transport({ get: () => fail(fault), set: () => fail(fault) }),
    });
    for (let i = 0; i < 2; i++) expect(await breaker.fire('ok')).toBe('ok');
    expect(breaker.stats).toMatchObject({ successes: 2, failures: 0, cacheMisses: 2 });
    expect([breaker.semaphore.count, told.mock.calls.length]).toEqual([1, 1]);
  });
});

test('opossum 10 (11): a result that could not be kept is told', async () => {
  const told = silenced();
  const fault = new Error('cache');
  const cacheTransport = { get: () => undefined, set: () => Promise.reject(fault), flush: () => {} };
  const { breaker } = setUp({ cache: true, cacheTransport });
  await breaker.fire('ok');
  await null;
  expect(told.mock.calls).toEqual([[expect.stringContaining("'act'"), fault]]);
});

describe('shutdown', () => {
  test('opossum 10 (13): a health check ends with it', async () => {
    const { breaker, clock } = setUp();
    const check = vi.fn(() => Promise.reject(new Error('down')));
    breaker.healthCheck(check, 100);
    breaker.shutdown();
    await clock.advance(1_000);
    expect([check.mock.calls.length, breaker.isShutdown, breaker.opened, clock.pending]).toEqual([1, true, false, 0]);
    breaker.healthCheck(check, 100);
    expect(check).toHaveBeenCalledOnce();
  });

  test('opossum 10 (13): open and close do not revive it', async () => {
    const { breaker } = setUp();
    breaker.shutdown();
    for (const action of ['open', 'close', 'enable'] as const) {
      breaker[action]();
      expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'ESHUTDOWN' });
      expect(breaker).toMatchObject({ isShutdown: true, closed: false, opened: false, halfOpen: false });
    }
  });

  test('opossum 10 (13): a health check that throws, or answers no promise, is no accident', async () => {
    const { breaker, events } = setUp();
    breaker.healthCheck(() => 'fine', 100);
    expect(breaker.closed).toBe(true);
    breaker.healthCheck(() => {
      throw new Error('down');
    }, 100);
    await null;
    expect([breaker.opened, events]).toEqual([true, ['healthCheckFailed', 'open']]);
  });
});

describe('time', () => {
  test('opossum 10 (15): a thousand breakers at rest own no timer', () => {
    const clock = manualClock();
    for (let i = 0; i < 1_000; i++) new CircuitBreaker(async () => 1, { clock, allowWarmUp: true });
    expect(clock.pending).toBe(0);
  });

  test('opossum 10 (15): a frozen process does not stretch the window', async () => {
    const clock = jumpingClock();
    const breaker = new CircuitBreaker(async () => Promise.reject(new Error('failed')), {
      clock,
      errorThresholdPercentage: 100,
    });
    await rejection(breaker.fire());
    clock.jump(60_000);
    expect(breaker.stats).toMatchObject({ fires: 0, failures: 0, latencyTimes: [] });
  });

  test('opossum 10 (16): a settled call leaves no timer', async () => {
    const { breaker, clock } = setUp();
    const call = hold(breaker);
    expect(clock.pending).toBe(1);
    call.resolve();
    await call.result;
    expect(clock.pending).toBe(0);
  });

  test('listeners and fallback of a call that timed out see its own AsyncLocalStorage', async () => {
    const store = new AsyncLocalStorage<string>();
    const { breaker, clock } = setUp({ timeout: 100, errorThresholdPercentage: 100 });
    const seen: unknown[] = [];
    breaker.on('timeout', () => seen.push(store.getStore()));
    breaker.fallback(() => seen.push(store.getStore()));
    for (const id of ['a', 'b']) store.run(id, () => void breaker.fire('hang'));
    await clock.advance(100);
    expect(seen).toEqual(['a', 'a', 'b', 'b']);
  });

  test('an abort controller whose abort throws is told, and costs nothing', async () => {
    const told = silenced();
    const abort = (): void => {
      throw new Error('abort');
    };
    const { breaker, clock } = setUp({ timeout: 100, abortController: { abort } as unknown as AbortController });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await call.result).toMatchObject({ code: 'ETIMEDOUT' });
    expect(told).toHaveBeenCalledOnce();
  });
});

describe('fallback', () => {
  test.each([
    ['rejects', (fault: Error) => Promise.reject(fault)],
    [
      'throws',
      (fault: Error) => {
        throw fault;
      },
    ],
  ])('opossum 10 (16): one that %s does not hide the first error: it is the cause', async (_, fail) => {
    const { breaker } = setUp();
    breaker.fallback(() => fail(new Error('fallback')));
    expect(await rejection(breaker.fire('fail'))).toMatchObject({ message: 'fallback', cause: { message: 'failed' } });
  });
});
