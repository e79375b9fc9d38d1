// Getters, switches, snapshots, health checks and fallbacks, as opossum documents them.
import { BulkheadFullError, CircuitOpenError, circuitBreaker, RejectedError } from 'recloser';
import CircuitBreaker, { Status } from 'recloser/opossum';
import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { hold, setUp } from './breakers.ts';

const act = async (): Promise<string> => 'ok';

describe('switches', () => {
  test('open and close tell once, and only what changed', async () => {
    const { breaker, events } = setUp();
    breaker.close();
    breaker.open();
    breaker.open();
    breaker.close();
    breaker.close();
    expect(events).toEqual(['open', 'close']);
  });

  test('open while half-open opens anew, for a whole resetTimeout', async () => {
    const { breaker, clock, events } = setUp();
    breaker.open();
    await clock.advance(1_000);
    breaker.open();
    await clock.advance(999);
    expect(breaker.opened).toBe(true);
    await clock.advance(1);
    expect(events).toEqual(['open', 'halfOpen', 'open', 'halfOpen']);
  });

  test('close while half-open: a probe that fails later decides nothing', async () => {
    const { breaker, clock } = setUp();
    breaker.open();
    await clock.advance(1_000);
    const probe = hold(breaker);
    breaker.close();
    probe.reject(new Error('failed'));
    await probe.result;
    expect(breaker.closed).toBe(true);
  });

  test('close calls off the half-open to come', async () => {
    const { breaker, clock, events } = setUp();
    breaker.open();
    breaker.close();
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect(events).toEqual(['open', 'close']);
  });

  test('the slice of the window says whether the circuit is open', () => {
    const { breaker } = setUp();
    breaker.open();
    expect(breaker.status.window[0]?.isCircuitBreakerOpen).toBe(true);
    breaker.close();
    expect(breaker.status.window[0]?.isCircuitBreakerOpen).toBe(false);
  });

  test('shutdown rejects with ESHUTDOWN and lets go of everything', async () => {
    const { breaker, clock } = setUp({ cache: true });
    breaker.status.on('snapshot', () => {});
    breaker.open();
    breaker.shutdown();
    expect(breaker).toMatchObject({ isShutdown: true, enabled: false, closed: false, opened: false, halfOpen: false });
    expect([clock.pending, breaker.listenerCount('fire'), breaker.status.listenerCount('snapshot')]).toEqual([0, 0, 0]);
    expect(await rejection(breaker.fire('ok'))).toMatchObject({
      code: 'ESHUTDOWN',
      message: 'The circuit has been shutdown.',
    });
  });

  test('a call at work when the breaker is shut down ends as it would, and opens it if the figures of then want it', async () => {
    for (const [failuresBefore, opened] of [
      [0, false],
      [1, true],
    ] as const) {
      const { breaker, clock } = setUp({ volumeThreshold: 2, errorThresholdPercentage: 30 });
      for (let i = 0; i < failuresBefore; i++) await rejection(breaker.fire('fail'));
      const [good, bad] = [hold(breaker), hold(breaker)];
      breaker.shutdown();
      const figures = breaker.stats;
      good.resolve('result');
      bad.reject(new Error('failed'));
      expect([await good.result, await bad.result]).toMatchObject(['result', { message: 'failed' }]);
      breaker.close();
      expect([breaker.opened, breaker.isShutdown, clock.pending]).toEqual([opened, true, 0]);
      expect(breaker.stats).toEqual(figures);
    }
  });

  test('the half-open to come lets the process end, a call at work does not', () => {
    const unreferenced: number[] = [];
    const setTimeout = (_: () => void, ms: number) => ({ unref: () => void unreferenced.push(ms) });
    const { breaker } = setUp({ clock: { ...manualClock(), setTimeout }, timeout: 100, resetTimeout: 200 });
    hold(breaker);
    breaker.open();
    expect(unreferenced).toEqual([200]);
  });

  test('call sets `this`, also while disabled', async () => {
    const breaker = new CircuitBreaker(function (this: unknown, argument: string) {
      return [this, argument];
    });
    expect(await breaker.call('context', 'a')).toEqual(['context', 'a']);
    expect(await breaker.fire('a')).toEqual([breaker.action, 'a']);
    breaker.disable();
    expect(await breaker.call('context', 'a')).toEqual(['context', 'a']);
  });
});

describe('toJSON', () => {
  test('is the state and the figures', async () => {
    const { breaker } = setUp({ name: 'json' });
    await breaker.fire('ok');
    expect(JSON.parse(JSON.stringify(breaker))).toEqual({
      state: {
        name: 'json',
        enabled: true,
        closed: true,
        open: false,
        halfOpen: false,
        warmUp: false,
        shutdown: false,
      },
      status: JSON.parse(JSON.stringify(breaker.stats)),
    });
    breaker.open();
    expect(Math.abs(Number(breaker.toJSON().state.lastTimerAt) - Date.now())).toBeLessThan(5_000);
  });

  test('goes on in another breaker', async () => {
    const { breaker } = setUp();
    await rejection(breaker.fire('fail'));
    breaker.disable();
    const { state, status } = JSON.parse(JSON.stringify(breaker));
    const { breaker: next, clock } = setUp({ state, status });
    expect(next).toMatchObject({ opened: true, enabled: false, stats: breaker.stats });
    await clock.advance(1_000);
    expect(next.halfOpen).toBe(true);
  });

  test.each([
    ['nothing', {}, { closed: true, enabled: true }],
    ['open', { closed: false }, { opened: true }],
    ['half-open', { closed: false, halfOpen: true }, { halfOpen: true, pendingClose: true, opened: false }],
    ['closed, whatever else is said', { closed: true, halfOpen: true, open: true }, { closed: true, halfOpen: false }],
    ['open for longer than the resetTimeout', { closed: false, lastTimerAt: 1 }, { halfOpen: true }],
    ['open since who knows when', { closed: false, lastTimerAt: 'then' as unknown as number }, { opened: true }],
    ['open since tomorrow', { closed: false, lastTimerAt: Date.now() + 86_400_000 }, { opened: true }],
    ['shut down', { closed: false, shutdown: true }, { isShutdown: true, enabled: false, opened: false }],
    ['disabled', { enabled: false }, { enabled: false }],
    ['warming up', { warmUp: true }, { warmUp: true }],
  ])('state: %s', (_, state, expected) => {
    expect(setUp({ state }).breaker).toMatchObject(expected);
  });

  test('state: open since tomorrow is half-open after one resetTimeout, and keeps when it opened', async () => {
    const lastTimerAt = Date.now() + 86_400_000;
    const { breaker, clock } = setUp({ state: { closed: false, lastTimerAt } });
    expect(breaker.toJSON().state.lastTimerAt).toBe(lastTimerAt);
    await clock.advance(1_000);
    expect(breaker.halfOpen).toBe(true);
  });

  test('state: of a moment that is none nothing is kept', () => {
    const { breaker } = setUp({ state: { closed: false, lastTimerAt: 'then' as unknown as number } });
    expect(breaker.toJSON().state.lastTimerAt).toBeTypeOf('number');
  });
});

describe('healthCheck', () => {
  test('asks at once and every interval, with the breaker as `this`; a rejection opens', async () => {
    const { breaker, clock, events } = setUp();
    let healthy = true;
    const seen: unknown[] = [];
    breaker.healthCheck(async function (this: unknown) {
      seen.push(this);
      if (!healthy) throw new Error('down');
    }, 100);
    await clock.advance(250);
    expect([seen.length, seen[0] === breaker, breaker.closed]).toEqual([3, true, true]);
    healthy = false;
    await clock.advance(50);
    expect([breaker.opened, events]).toEqual([true, ['healthCheckFailed', 'open']]);
  });

  test('every 5,000 ms unless said', async () => {
    const { breaker, clock } = setUp();
    const check = vi.fn(async () => {});
    breaker.healthCheck(check);
    await clock.advance(4_999);
    expect(check).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(check).toHaveBeenCalledTimes(2);
  });

  test('takes a function and a number', () => {
    const { breaker } = setUp();
    expect(() => breaker.healthCheck('tacos' as never)).toThrow(
      new TypeError('Health check function must be a function'),
    );
    expect(() => breaker.healthCheck(act, 'tacos' as never)).toThrow(
      new TypeError('Health check interval must be a number'),
    );
  });
});

describe('fallback', () => {
  test('answers failed, rejected, timed-out and locked calls, with their arguments and the error', async () => {
    const { breaker, clock } = setUp({ timeout: 100, capacity: 1, errorThresholdPercentage: 100 });
    expect(breaker.fallback((outcome, ...rest) => [outcome, ...rest])).toBe(breaker);
    expect(await breaker.fire('fail', 'a')).toMatchObject(['fail', 'a', { message: 'failed' }]);
    const slow = hold(breaker, 'a');
    expect(await breaker.fire('ok', 'a')).toMatchObject(['ok', 'a', { code: 'ESEMLOCKED' }]);
    await clock.advance(100);
    expect(await slow.result).toMatchObject([expect.any(Function), 'a', { code: 'ETIMEDOUT' }]);
    breaker.open();
    expect(await breaker.fire('ok', 'a')).toMatchObject(['ok', 'a', { code: 'EOPENBREAKER' }]);
    expect(breaker.stats.fallbacks).toBe(4);
  });

  test('may be another breaker, of this copy or another', async () => {
    const { breaker } = setUp({ errorThresholdPercentage: 100 });
    breaker.fallback(new CircuitBreaker(async (outcome: unknown) => `instead of ${outcome}`));
    expect(await breaker.fire('fail')).toBe('instead of fail');
    breaker.fallback({ fire: async () => 'foreign' } as unknown as CircuitBreaker);
    expect(await breaker.fire('fail')).toBe('foreign');
  });

  test('does not answer while disabled or after a shutdown', async () => {
    const { breaker } = setUp();
    breaker.fallback(() => 'instead');
    breaker.disable();
    await rejection(breaker.fire('fail'));
    breaker.shutdown();
    await rejection(breaker.fire('ok'));
  });
});

describe('beside native policies', () => {
  test('refusals are RejectedErrors to them: an outer breaker does not count them as failures', async () => {
    const { breaker } = setUp({ capacity: 1 });
    hold(breaker);
    const locked = await rejection(breaker.fire('ok'));
    breaker.open();
    const open = await rejection(breaker.fire('ok'));
    expect(locked).toBeInstanceOf(BulkheadFullError);
    expect(open).toBeInstanceOf(CircuitOpenError);
    expect([locked, open].every((error) => error instanceof RejectedError)).toBe(true);
    const outer = circuitBreaker({ failureThreshold: 1, clock: manualClock() });
    await rejection(outer.execute(() => breaker.fire('ok')));
    expect(outer.metrics()).toMatchObject({ state: 'closed', ignoredRequests: 1 });
  });

  test('a timeout is a failure to them', async () => {
    const { breaker, clock } = setUp({ timeout: 100 });
    const outer = circuitBreaker({ failureThreshold: 1, clock: manualClock() });
    const call = rejection(outer.execute(() => breaker.fire('hang')));
    await clock.advance(100);
    expect([await call, outer.state]).toMatchObject([{ code: 'ETIMEDOUT' }, 'open']);
  });
});

test('newStatus makes a Status', () => {
  const status = CircuitBreaker.newStatus({ stats: { fires: 3 } });
  expect(status).toBeInstanceOf(Status);
  expect(status.stats.fires).toBe(3);
});
