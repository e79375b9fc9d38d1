// Every event of opossum's documentation, with its payload.
import { inspect } from 'node:util';
import CircuitBreaker from 'recloser/opossum';
import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { hold, setUp } from './breakers.ts';

describe('payloads', () => {
  test('fire: the arguments', async () => {
    const { breaker } = setUp();
    const fire = vi.fn();
    breaker.on('fire', fire);
    await breaker.fire('ok', 1, { two: 2 });
    expect(fire.mock.calls).toEqual([[['ok', 1, { two: 2 }]]]);
  });

  test('success: the result and the latency', async () => {
    const { breaker, clock } = setUp();
    const success = vi.fn();
    breaker.on('success', success);
    const call = hold(breaker);
    await clock.advance(120.4);
    call.resolve('result');
    await call.result;
    expect(success.mock.calls).toEqual([['result', 120]]);
  });

  test('failure: the error, the latency and the arguments', async () => {
    const { breaker, clock } = setUp();
    const failure = vi.fn();
    breaker.on('failure', failure);
    const call = hold(breaker, 'argument');
    await clock.advance(50);
    const error = new Error('failed');
    call.reject(error);
    await call.result;
    expect(failure.mock.calls).toEqual([[error, 50, [expect.any(Function), 'argument']]]);
  });

  test('timeout: the error, the latency and the arguments; failure follows with the same', async () => {
    const { breaker, clock } = setUp({ timeout: 100 });
    const told: unknown[][] = [];
    breaker.on('timeout', (...args) => told.push(args));
    breaker.on('failure', (...args) => told.push(args));
    const call = hold(breaker, 'argument');
    await clock.advance(100);
    const error = await call.result;
    const payload = [error, 100, [expect.any(Function), 'argument']];
    expect(told).toEqual([payload, payload]);
  });

  test('reject: the error', async () => {
    const { breaker } = setUp();
    const reject = vi.fn();
    breaker.on('reject', reject);
    breaker.open();
    const error = await rejection(breaker.fire('ok'));
    expect(reject.mock.calls).toEqual([[error]]);
  });

  test('semaphoreLocked: the error and a latency of 0', async () => {
    const { breaker } = setUp({ capacity: 1 });
    const locked = vi.fn();
    breaker.on('semaphoreLocked', locked);
    hold(breaker);
    const error = await rejection(breaker.fire('ok'));
    expect(locked.mock.calls).toEqual([[error, 0]]);
  });

  test('halfOpen: the resetTimeout; open, close and shutdown: nothing', async () => {
    const { breaker, clock } = setUp();
    const told: unknown[][] = [];
    for (const event of ['open', 'halfOpen', 'close', 'shutdown'] as const) {
      breaker.on(event, (...args: unknown[]) => told.push([event, ...args]));
    }
    breaker.open();
    await clock.advance(1_000);
    breaker.close();
    breaker.shutdown();
    expect(told).toEqual([['open'], ['halfOpen', 1_000], ['close'], ['shutdown']]);
  });

  test('fallback: what it answered, even if a promise that will reject, and the error it answers for', async () => {
    const { breaker } = setUp({ errorThresholdPercentage: 100 });
    const told = vi.fn();
    breaker.on('fallback', told);
    breaker.fallback(() => 'instead');
    await breaker.fire('fail');
    const rejecting = Promise.reject(new Error('fallback'));
    breaker.fallback(() => rejecting);
    await rejection(breaker.fire('fail'));
    const failed = expect.objectContaining({ message: 'failed' });
    expect(told.mock.calls).toEqual([
      ['instead', failed],
      [rejecting, failed],
    ]);
    expect(breaker.stats.fallbacks).toBe(2);
  });

  test('healthCheckFailed: what the check rejected with', async () => {
    const { breaker } = setUp();
    const told = vi.fn();
    breaker.on('healthCheckFailed', told);
    const error = new Error('down');
    breaker.healthCheck(() => Promise.reject(error));
    await null;
    expect(told.mock.calls).toEqual([[error]]);
  });

  test('cacheHit, cacheMiss, coalesceCacheHit, coalesceCacheMiss: nothing', async () => {
    const breaker = new CircuitBreaker(async (_id: number) => 1, { cache: true, coalesce: true, clock: manualClock() });
    const told: unknown[][] = [];
    for (const event of ['cacheHit', 'cacheMiss', 'coalesceCacheHit', 'coalesceCacheMiss'] as const) {
      breaker.on(event, (...args: unknown[]) => told.push([event, ...args]));
    }
    await Promise.all([breaker.fire(1), breaker.fire(1)]);
    await breaker.fire(1);
    expect(told.flat()).toEqual(['cacheMiss', 'coalesceCacheMiss', 'cacheMiss', 'coalesceCacheHit', 'cacheHit']);
  });
});

describe('listeners', () => {
  test('run in the order of opossum: the circuit has moved when success is told, not yet when failure is', async () => {
    const { breaker, clock, events } = setUp();
    await rejection(breaker.fire('fail'));
    await clock.advance(1_000);
    await breaker.fire('ok');
    expect(events).toEqual(['fire', 'failure', 'open', 'halfOpen', 'fire', 'close', 'success']);
  });

  test('run before the caller hears', async () => {
    const { breaker } = setUp();
    const order: string[] = [];
    breaker.on('success', () => order.push('listener'));
    await breaker.fire('ok').then(() => order.push('caller'));
    expect(order).toEqual(['listener', 'caller']);
  });

  test('may be added once, in front, and taken off', async () => {
    const { breaker } = setUp();
    const told: string[] = [];
    const off = (): unknown => told.push('off');
    breaker.on('success', () => told.push('on'));
    breaker.once('success', () => told.push('once'));
    breaker.prependListener('success', () => told.push('first'));
    breaker.addListener('success', off).off('success', off);
    await breaker.fire('ok');
    await breaker.fire('ok');
    expect(told).toEqual(['first', 'on', 'once', 'first', 'on']);
  });

  test('none of them is needed for the figures: removeAllListeners leaves the breaker whole', async () => {
    const { breaker, clock } = setUp();
    breaker.removeAllListeners();
    await rejection(breaker.fire('fail'));
    expect([breaker.opened, breaker.stats.failures]).toEqual([true, 1]);
    await clock.advance(1_000);
    await breaker.fire('ok');
    expect(breaker.closed).toBe(true);
  });

  test('exporters of metrics find all that is counted in eventNames (opossum-prometheus)', () => {
    const breaker = new CircuitBreaker(async () => 1);
    const counted =
      'success failure fallback timeout fire reject cacheHit cacheMiss coalesceCacheHit coalesceCacheMiss open close semaphoreLocked';
    expect(breaker.eventNames()).toEqual(counted.split(' '));
    breaker.on('halfOpen', () => {});
    expect(breaker.eventNames()).toEqual([...counted.split(' '), 'halfOpen']);
    breaker.shutdown();
    expect(breaker.eventNames()).toEqual([]);
  });
});

describe('errors', () => {
  test('isOurError tells the breaker’s own from the action’s, and takes anything', async () => {
    const { breaker } = setUp();
    const own = [];
    own.push(await rejection(breaker.fire('fail')));
    own.push(await rejection(breaker.fire('ok')));
    breaker.shutdown();
    own.push(await rejection(breaker.fire('ok')), undefined, null, 'text');
    expect(own.map((error) => CircuitBreaker.isOurError(error))).toEqual([false, true, true, false, false, false]);
  });

  test('are plain errors with a stack and a code, as opossum’s', async () => {
    const { breaker } = setUp();
    breaker.open();
    const error = (await rejection(breaker.fire('ok'))) as Error;
    expect([error.constructor, inspect(error).split('\n')[0]]).toEqual([Error, 'Error: Breaker is open']);
    expect([Object.entries(error), String(error)]).toEqual([[['code', 'EOPENBREAKER']], 'Error: Breaker is open']);
    expect(error.stack).toContain('events.test.ts');
  });
});
