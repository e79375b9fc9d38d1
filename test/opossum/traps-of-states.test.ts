import CircuitBreaker from 'recloser/opossum';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';
import { hold, setUp } from './breakers.ts';

afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const silenced = () => vi.spyOn(console, 'error').mockImplementation(() => {});

describe('states', () => {
  test('opossum#381 (1): a late success of the closed era does not close the half-open circuit while its probe is out', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await rejection(breaker.fire('fail'));
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.resolve('late');
    expect(await old.result).toBe('late');
    expect(breaker.halfOpen).toBe(true);
    probe.resolve();
    await probe.result;
    expect(breaker.closed).toBe(true);
  });

  test('opossum#381 (1): a late failure of the closed era does not re-open it, nor void its probe', async () => {
    const { breaker, clock, events } = setUp();
    const old = hold(breaker);
    await rejection(breaker.fire('fail'));
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.reject(new Error('late'));
    await old.result;
    expect(breaker.halfOpen).toBe(true);
    probe.resolve();
    await probe.result;
    expect([breaker.closed, events.filter((event) => event === 'open').length]).toEqual([true, 1]);
  });

  test('opossum#381 (1): nor does one that ends after the circuit closed again', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await rejection(breaker.fire('fail'));
    await clock.advance(1_000);
    await breaker.fire('ok');
    old.reject(new Error('late'));
    await old.result;
    expect([breaker.closed, breaker.stats.failures]).toEqual([true, 2]);
  });

  test('opossum 10 (2): without a timeout a probe that never settles does not keep the circuit half-open for ever', async () => {
    const { breaker, clock } = setUp({ timeout: false });
    await rejection(breaker.fire('fail'));
    await clock.advance(1_000);
    hold(breaker);
    expect(breaker.pendingClose).toBe(false);
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'EOPENBREAKER' });
    await clock.advance(1_000);
    expect(breaker.pendingClose).toBe(true);
    await breaker.fire('ok');
    expect(breaker.closed).toBe(true);
  });

  test('opossum 10: a probe that fails while the breaker warms up opens the circuit, instead of rejecting for ever', async () => {
    const { breaker, clock } = setUp({ allowWarmUp: true });
    breaker.open();
    await clock.advance(1_000);
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
    await clock.advance(1_000);
    expect(breaker.pendingClose).toBe(true);
  });

  test('opossum 10: a process that slept past the resetTimeout probes at once, though its timers are late', async () => {
    const clock = jumpingClock();
    const breaker = new CircuitBreaker(async (ok: boolean) => (ok ? 1 : Promise.reject(new Error('failed'))), {
      clock,
    });
    await rejection(breaker.fire(false));
    const halfOpen = vi.fn();
    breaker.on('halfOpen', halfOpen);
    clock.jump(3_600_000);
    expect(await breaker.fire(true)).toBe(1);
    expect([breaker.closed, halfOpen.mock.calls]).toEqual([true, [[30_000]]]);
  });

  test('a clock that is set back keeps no circuit open: a sleep ends by its timer', async () => {
    const clock = jumpingClock();
    const { breaker } = setUp({ clock });
    for (const last of ['fail', 'ok'] as const) {
      if (breaker.closed) await rejection(breaker.fire('fail'));
      clock.jump(-3_600_000);
      await clock.advance(1_000);
      expect(breaker.halfOpen).toBe(true);
      await breaker.fire(last).catch(() => {});
    }
    expect(breaker.closed).toBe(true);
  });

  test('opossum 10 (8): an old process’s open circuit stays open for what was left, neither not at all nor all over', async () => {
    vi.useFakeTimers();
    const options = { resetTimeout: 10_000 };
    const first = new CircuitBreaker(async () => Promise.reject(new Error('failed')), options);
    await vi.advanceTimersByTimeAsync(86_400_000);
    await rejection(first.fire());
    await vi.advanceTimersByTimeAsync(4_000);
    const { state } = JSON.parse(JSON.stringify(first));
    const [second, third] = [0, 6_000].map((waitMs) => {
      vi.setSystemTime(Date.now() + waitMs);
      return new CircuitBreaker(async () => 'ok', { ...options, state });
    });
    expect([second?.opened, third?.opened]).toEqual([true, true]);
    await vi.advanceTimersByTimeAsync(1);
    expect([second?.halfOpen, third?.halfOpen]).toEqual([false, true]);
    await vi.advanceTimersByTimeAsync(5_999);
    expect(second?.halfOpen).toBe(true);
  });
});

describe('what counts as failure', () => {
  const halfRate = { errorThresholdPercentage: 50 };

  test('opossum 10 (3): rejected calls are not in the error rate: 10 rejected, closed by hand, 3 of 3 failed opens', async () => {
    const { breaker } = setUp(halfRate);
    breaker.open();
    for (let i = 0; i < 10; i++) await rejection(breaker.fire('ok'));
    breaker.close();
    await rejection(breaker.fire('fail'));
    expect([breaker.opened, breaker.stats.fires]).toEqual([true, 11]);
  });

  test('opossum 10 (3): nor are cache hits and calls while disabled', async () => {
    const { breaker } = setUp({ ...halfRate, cache: true, cacheGetKey: (outcome) => String(outcome) });
    breaker.disable();
    for (let i = 0; i < 10; i++) await breaker.fire('ok');
    breaker.enable();
    for (let i = 0; i < 10; i++) await breaker.fire('ok');
    await rejection(breaker.fire('fail'));
    await rejection(breaker.fire('fail'));
    expect(breaker.opened).toBe(true);
  });

  test('opossum 10 (3): a failure whose start is out of the window is one call, not one of none', async () => {
    const { breaker, clock } = setUp({ errorThresholdPercentage: 100, timeout: false });
    const slow = hold(breaker);
    await clock.advance(60_000);
    slow.reject(new Error('failed'));
    await slow.result;
    expect([breaker.closed, breaker.stats.failures, breaker.stats.fires]).toEqual([true, 1, 0]);
  });

  test('opossum 10 (4): calls beyond the capacity are no failures and do not open the circuit', async () => {
    const { breaker, events } = setUp({ capacity: 1 });
    hold(breaker);
    for (let i = 0; i < 5; i++) expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'ESEMLOCKED' });
    expect(breaker.closed).toBe(true);
    expect(breaker.stats).toMatchObject({ failures: 0, semaphoreRejections: 5, latencyTimes: [] });
    expect(events).not.toContain('failure');
  });

  test('opossum 10 (4): a probe that meets a full semaphore neither re-opens the circuit nor uses up its turn', async () => {
    const { breaker, clock } = setUp({ capacity: 1 });
    const old = hold(breaker);
    breaker.open();
    await clock.advance(1_000);
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ code: 'ESEMLOCKED' });
    expect([breaker.halfOpen, breaker.pendingClose]).toEqual([true, true]);
    old.resolve();
    await old.result;
    await breaker.fire('ok');
    expect(breaker.closed).toBe(true);
  });

  test('opossum 10 (5): the latency of a call that timed out counts once', async () => {
    const { breaker, clock } = setUp({ timeout: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    await call.result;
    expect(breaker.stats).toMatchObject({ failures: 1, timeouts: 1, latencyTimes: [100], latencyMean: 100 });
  });

  test('opossum 10 (7): an errorFilter that throws loses no call: it counts as failure and is told once', async () => {
    const told = silenced();
    const fault = new Error('filter');
    const errorFilter = () => {
      throw fault;
    };
    const { breaker } = setUp({ errorFilter, errorThresholdPercentage: 100 });
    for (let i = 0; i < 2; i++) expect(await rejection(breaker.fire('fail'))).toMatchObject({ message: 'failed' });
    expect(breaker.stats.failures).toBe(2);
    expect(told.mock.calls).toEqual([[expect.stringContaining("'act'"), fault]]);
  });

  test('opossum 10 (7): an errorFilter that is async by mistake lets all pass, as it does to opossum, but its rejection is told', async () => {
    const told = silenced();
    const fault = new Error('filter');
    const { breaker } = setUp({ errorFilter: (() => Promise.reject(fault)) as never });
    expect(await rejection(breaker.fire('fail'))).toMatchObject({ message: 'failed' });
    await new Promise(setImmediate);
    expect(breaker.stats).toMatchObject({ failures: 0, successes: 1 });
    expect(told.mock.calls).toEqual([[expect.stringContaining("'act'"), fault]]);
  });

  test('opossum#893 (12): an action that answers undefined is a success', async () => {
    const { breaker } = setUp();
    expect(await breaker.fire(() => undefined)).toBeUndefined();
    expect(breaker.stats).toMatchObject({ successes: 1, failures: 0 });
  });

  test('opossum 10 (12): thenables, and a getter `then` that throws, are fine', async () => {
    const { breaker } = setUp({ errorThresholdPercentage: 100 });
    // biome-ignore lint/suspicious/noThenProperty: that is the matter.
    expect(await breaker.fire(() => ({ then: (resolve: (value: string) => void) => resolve('thenable') }))).toBe(
      'thenable',
    );
    const hostile = Object.defineProperty({}, 'then', {
      get: () => {
        throw new Error('getter');
      },
    });
    expect(await rejection(breaker.fire(() => hostile))).toMatchObject({ message: 'getter' });
  });
});

describe('fire never throws', () => {
  test('opossum 10 (12): not while disabled', async () => {
    const { breaker } = setUp();
    breaker.disable();
    expect(await rejection(breaker.fire('throw'))).toMatchObject({ message: 'thrown' });
    expect(await breaker.fire(() => undefined)).toBeUndefined();
  });

  test('opossum 10 (12): not over arguments that are no JSON', async () => {
    const { breaker } = setUp({ cache: true });
    expect(await rejection(breaker.fire('ok', 1n))).toBeInstanceOf(TypeError);
    expect(breaker.stats.failures).toBe(0);
  });

  test('opossum 10 (14): a listener that throws changes nothing for the call, and is told once', async () => {
    const told = silenced();
    const { breaker } = setUp();
    for (const event of ['fire', 'success'] as const) {
      breaker.on(event, () => {
        throw new Error(`listener of ${event}`);
      });
    }
    expect(await breaker.fire('ok')).toBe('ok');
    expect(breaker.stats).toMatchObject({ fires: 1, successes: 1, failures: 0 });
    expect([breaker.closed, told.mock.calls.length]).toEqual([true, 1]);
  });
});
