// Every option of opossum's documentation.
import CircuitBreaker from 'recloser/opossum';
import { describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { hold, setUp } from './breakers.ts';

const act = async (): Promise<string> => 'ok';

describe('defaults', () => {
  test('are in the breaker’s own `options`', () => {
    expect(new CircuitBreaker(act).options).toMatchObject({
      timeout: 10_000,
      resetTimeout: 30_000,
      rollingCountTimeout: 10_000,
      rollingCountBuckets: 10,
      rollingPercentilesEnabled: true,
      capacity: Number.MAX_SAFE_INTEGER,
      errorThresholdPercentage: 50,
      cacheTTL: 0,
      coalesce: false,
      coalesceTTL: 10_000,
      coalesceResetOn: [],
      enableSnapshots: true,
    });
  });

  test('an option that is null or undefined has its default, 0 is kept', () => {
    const nothing = { timeout: null, resetTimeout: undefined } as unknown as { timeout: undefined };
    expect(new CircuitBreaker(act, nothing).options).toMatchObject({ timeout: 10_000, resetTimeout: 30_000 });
    const zeros = { timeout: 0, resetTimeout: 0, errorThresholdPercentage: 0, rollingCountTimeout: 0, cacheTTL: 0 };
    expect(new CircuitBreaker(act, zeros).options).toMatchObject(zeros);
  });

  test('numbers that are none are told together', () => {
    const options = { timeout: Number.NaN, resetTimeout: '5 s' as unknown as number, rollingCountTimeout: Infinity };
    expect(() => new CircuitBreaker(act, { ...options, rollingCountBuckets: 2.5 })).toThrow(
      "CircuitBreaker: options.timeout must be a number, got NaN; options.rollingCountBuckets must be a whole number, got 2.5; options.resetTimeout must be a number, got '5 s'; options.rollingCountTimeout must be a finite number, got Infinity",
    );
    expect(() => new CircuitBreaker(act, { rollingCountBuckets: -1 })).toThrow(RangeError);
    expect(() => new CircuitBreaker(act, { rollingCountBuckets: Number.NaN, coalesceTTL: Number.NaN })).toThrow(
      /: options.rollingCountBuckets must be a number, got NaN; options.coalesceTTL must be a number, got NaN$/,
    );
  });

  test('numbers may come as text, as from the environment', async () => {
    const text = { timeout: '100', resetTimeout: '200', errorThresholdPercentage: '60', cacheTTL: '50' };
    const { breaker, clock } = setUp({ ...(text as object), cache: true, cacheGetKey: () => 'key' });
    expect(breaker.options).toMatchObject({ timeout: 100, resetTimeout: 200, errorThresholdPercentage: 60 });
    await breaker.fire('ok');
    await clock.advance(50);
    const call = hold(breaker);
    await clock.advance(100);
    expect(await call.result).toMatchObject({ code: 'ETIMEDOUT', message: 'Timed out after 100ms' });
  });

  test('what is kept for ever, and a threshold that is never reached, may be infinite', async () => {
    const { breaker, clock } = setUp({ cache: true, cacheTTL: Infinity, errorThresholdPercentage: Infinity });
    await rejection(breaker.fire('fail'));
    expect(breaker.closed).toBe(true);
    await breaker.fire('ok');
    await clock.advance(1e9);
    await breaker.fire('ok');
    expect(breaker.stats.cacheHits).toBe(1);
  });
});

test.each([
  [Number.NaN, RangeError],
  ['soon', TypeError],
])('a timeout of %s is a %o', (timeout, type) => {
  expect(() => new CircuitBreaker(act, { timeout: timeout as number })).toThrow(type);
});

describe('timeout', () => {
  test('rejects the call with ETIMEDOUT, and what comes later is dropped', async () => {
    const { breaker, clock, events } = setUp({ timeout: 100 });
    const call = hold(breaker);
    await clock.advance(99);
    expect(events).toEqual(['fire']);
    await clock.advance(1);
    expect(await call.result).toMatchObject({ code: 'ETIMEDOUT', message: 'Timed out after 100ms' });
    call.resolve('late');
    await clock.advance(1);
    expect(events).toEqual(['fire', 'timeout', 'failure', 'open']);
    expect(breaker.stats).toMatchObject({ timeouts: 1, failures: 1, successes: 0 });
  });

  test.each([0, false] as const)('%s: none', async (timeout) => {
    const { breaker, clock } = setUp({ timeout });
    const call = hold(breaker);
    expect(clock.pending).toBe(0);
    call.resolve('slow');
    expect(await call.result).toBe('slow');
  });

  test('fake timers that come and go are the ones used', async () => {
    const options = { timeout: 60_000, errorThresholdPercentage: 100 };
    const breaker = new CircuitBreaker(() => new Promise(() => {}), options);
    for (const timeout of [60_000, 60_000, 500]) {
      breaker.options.timeout = timeout;
      vi.useFakeTimers();
      const call = rejection(breaker.fire());
      await vi.advanceTimersByTimeAsync(timeout);
      vi.useRealTimers();
      expect(await call).toMatchObject({ message: `Timed out after ${timeout}ms` });
    }
  });

  test('frees its place in the capacity, though the work goes on', async () => {
    const { breaker, clock } = setUp({ timeout: 100, capacity: 1, errorThresholdPercentage: 100 });
    hold(breaker);
    await clock.advance(100);
    expect(breaker.semaphore.count).toBe(1);
  });
});

describe('opening and closing', () => {
  test('errorThresholdPercentage: more than that share opens, exactly that does not', async () => {
    const { breaker } = setUp({ errorThresholdPercentage: 50 });
    await breaker.fire('ok');
    await rejection(breaker.fire('fail'));
    expect(breaker.closed).toBe(true);
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
  });

  test('errorThresholdPercentage: calls at work were fired and have not failed', async () => {
    const { breaker } = setUp({ errorThresholdPercentage: 50 });
    const others = [hold(breaker), hold(breaker)];
    await rejection(breaker.fire('fail'));
    await rejection(breaker.fire('fail'));
    expect(breaker.closed).toBe(true);
    others[0]?.reject(new Error('failed'));
    await others[0]?.result;
    expect(breaker.opened).toBe(true);
  });

  test('errorThresholdPercentage: calls at work count as long as their fire is in the window', async () => {
    const { breaker, clock } = setUp({ errorThresholdPercentage: 50, timeout: false, rollingCountTimeout: 1_000 });
    for (let i = 0; i < 5; i++) hold(breaker);
    await clock.advance(2_000);
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
  });

  test('resetTimeout: then the circuit is half-open without a call, and the first good probe closes', async () => {
    const { breaker, clock, events } = setUp({ resetTimeout: 500 });
    await rejection(breaker.fire('fail'));
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'EOPENBREAKER', message: 'Breaker is open' });
    await clock.advance(499);
    expect(breaker.opened).toBe(true);
    await clock.advance(1);
    expect(breaker).toMatchObject({ opened: false, halfOpen: true, pendingClose: true, closed: false });
    await breaker.fire('ok');
    expect(breaker).toMatchObject({ halfOpen: false, pendingClose: false, closed: true });
    expect(events.slice(3)).toEqual(['fire', 'reject', 'halfOpen', 'fire', 'close', 'success']);
  });

  test('a half-open circuit lets one call through', async () => {
    const { breaker, clock } = setUp();
    breaker.open();
    await clock.advance(1_000);
    const probe = hold(breaker);
    expect(breaker).toMatchObject({ halfOpen: true, pendingClose: false });
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'EOPENBREAKER' });
    probe.reject(new Error('failed'));
    await probe.result;
    expect(breaker.opened).toBe(true);
  });

  test('a probe that takes longer than resetTimeout, but not than timeout, stays the only one', async () => {
    const { breaker, clock } = setUp({ timeout: 5_000, resetTimeout: 1_000 });
    breaker.open();
    await clock.advance(1_000);
    const probe = hold(breaker);
    await clock.advance(4_000);
    expect(breaker.pendingClose).toBe(false);
    probe.resolve();
    await probe.result;
    expect(breaker.closed).toBe(true);
  });

  test('volumeThreshold: the circuit can’t open before so many fires, rejected ones included', async () => {
    const { breaker } = setUp({ volumeThreshold: 3 });
    expect(breaker.volumeThreshold).toBe(3);
    for (const opens of [false, false, true]) {
      await rejection(breaker.fire('fail'));
      expect(breaker.opened).toBe(opens);
    }
  });

  test('volumeThreshold: a failed probe opens whatever the volume', async () => {
    const { breaker, clock } = setUp({ volumeThreshold: 99 });
    breaker.open();
    await clock.advance(1_000);
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
  });

  test('allowWarmUp: failures of the first rollingCountTimeout do not open', async () => {
    const { breaker, clock } = setUp({ allowWarmUp: true, rollingCountTimeout: 500 });
    expect(breaker.warmUp).toBe(true);
    await rejection(breaker.fire('fail'));
    expect(breaker.closed).toBe(true);
    await clock.advance(500);
    expect(breaker.warmUp).toBe(false);
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
  });

  test('errorFilter: sees the error and the arguments; what it lets pass is a success, without fallback', async () => {
    const errorFilter = vi.fn((error: Error) => error.message === 'failed');
    const { breaker } = setUp({ errorFilter });
    const success = vi.fn();
    breaker.on('success', success);
    breaker.fallback(() => 'instead');
    const error = await rejection(breaker.fire('fail', 'an argument'));
    expect(error).toMatchObject({ message: 'failed' });
    expect(errorFilter).toHaveBeenCalledWith(error, 'fail', 'an argument');
    expect(success).toHaveBeenCalledWith(error, 0);
    expect(breaker.stats).toMatchObject({ successes: 1, failures: 0, fallbacks: 0 });
    expect(await breaker.fire('throw')).toBe('instead');
  });

  test('errorFilter: an error it lets pass closes the half-open circuit', async () => {
    const { breaker, clock } = setUp({ errorFilter: () => true });
    breaker.open();
    await clock.advance(1_000);
    await rejection(breaker.fire('fail'));
    expect(breaker.closed).toBe(true);
  });
});

describe('calls', () => {
  test('capacity: more calls at a time are rejected', async () => {
    const { breaker } = setUp({ capacity: 2 });
    const [first] = [hold(breaker), hold(breaker)];
    expect(breaker.semaphore.count).toBe(0);
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'ESEMLOCKED', message: 'Semaphore locked' });
    first?.resolve();
    await first?.result;
    expect(await breaker.fire('ok')).toBe('ok');
  });

  test('enabled: false lets every call pass, whatever its state', async () => {
    const { breaker } = setUp({ enabled: false });
    breaker.open();
    expect(await breaker.fire('ok')).toBe('ok');
    await rejection(breaker.fire('fail'));
    expect(breaker.stats).toMatchObject({ fires: 2, successes: 0, failures: 0 });
    breaker.enable();
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'EOPENBREAKER' });
  });

  test('name and group: of the action, of each other, or a UUID', () => {
    expect(new CircuitBreaker(act)).toMatchObject({ name: 'act', group: 'act' });
    expect(new CircuitBreaker(act, { name: 'taco' })).toMatchObject({ name: 'taco', group: 'taco' });
    expect(new CircuitBreaker(act, { group: 'tacos' })).toMatchObject({ name: 'act', group: 'tacos' });
    expect(new CircuitBreaker(async () => 1).name).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
  });

  test('maxFailures only warns', () => {
    const warn = vi.spyOn(console, 'error').mockImplementation(() => {});
    new CircuitBreaker(act, { maxFailures: 5 });
    expect(warn.mock.calls).toEqual([
      ['options.maxFailures is deprecated. Please use options.errorThresholdPercentage'],
    ]);
    warn.mockRestore();
  });

  test('an action that is no function is what every call answers with; without one there is no breaker', async () => {
    expect(await new CircuitBreaker('foo').fire()).toBe('foo');
    expect(() => new (CircuitBreaker as unknown as new () => unknown)()).toThrow(
      new TypeError('No action provided. Cannot construct a CircuitBreaker without an invocable action.'),
    );
  });
});

describe('abortController', () => {
  test('is aborted by a timeout, for all calls', async () => {
    const abortController = new AbortController();
    const { breaker, clock } = setUp({ timeout: 100, abortController });
    expect(breaker.getSignal()).toBe(abortController.signal);
    expect(breaker.getAbortController()).toBe(abortController);
    hold(breaker);
    await clock.advance(100);
    expect(abortController.signal.aborted).toBe(true);
  });

  test('without one there is no signal', () => {
    const { breaker } = setUp();
    expect([breaker.getSignal(), breaker.getAbortController()]).toEqual([undefined, undefined]);
  });

  test('must have `abort`', () => {
    const abortController = {} as AbortController;
    expect(() => new CircuitBreaker(act, { abortController })).toThrow(
      new TypeError('AbortController does not contain `abort()` method'),
    );
  });

  test.each(['halfOpen', 'close'] as const)('autoRenewAbortController: a new one on %s, not before', async (event) => {
    const { breaker, clock } = setUp({ timeout: 100, autoRenewAbortController: true });
    const first = breaker.getSignal();
    hold(breaker);
    await clock.advance(100);
    expect([breaker.getSignal(), first?.aborted]).toEqual([first, true]);
    if (event === 'close') breaker.close();
    else await clock.advance(1_000);
    expect(breaker.getSignal()?.aborted).toBe(false);
  });

  test('autoRenewAbortController: one that was not aborted stays', async () => {
    const abortController = new AbortController();
    const { breaker } = setUp({ abortController, autoRenewAbortController: true });
    breaker.open();
    breaker.close();
    expect(breaker.getAbortController()).toBe(abortController);
  });
});
