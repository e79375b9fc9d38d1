import { bulkhead, circuitBreaker, pipeline, retry, TimeoutError, timeout } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../test/support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('work that outlives its call', () => {
  const limit = (clock: ManualClock) => timeout({ timeoutMs: 100, clock });
  const places = (clock: ManualClock) => bulkhead({ maxConcurrent: 1, clock });
  const again = (clock: ManualClock) => retry({ attempts: 1, clock });
  const breaker = (clock: ManualClock) => circuitBreaker({ clock });
  const own = (clock: ManualClock) => circuitBreaker({ clock, timeoutMs: 100, maxConcurrent: 1 });

  test.each([
    ['a breaker with both around retry', [own, again]],
    ['limit, places, retry', [limit, places, again]],
    ['places, limit, breaker', [places, limit, breaker]],
    ['limit, places, breaker', [limit, places, breaker]],
    ['breaker, limit, places, retry', [breaker, limit, places, again]],
    ['limit, breaker, places', [limit, breaker, places]],
  ])('S21: %s: keeps its place, and its result alone is late', async (_order, makers) => {
    const clock = manualClock();
    const all = pipeline({ onWarning: false }, ...makers.map((make) => make(clock)));
    let working = 0;
    let most = 0;
    let end = (): void => {};
    const work = (): Promise<void> => {
      most = Math.max(most, ++working);
      return new Promise<void>((resolve) => (end = resolve)).then(() => void working--);
    };
    const lateResults = () =>
      all.policies
        .map((policy) => (policy as unknown as { metrics(): { lateResults?: number } }).metrics().lateResults ?? 0)
        .filter((late) => late > 0);
    const first = rejection(all.execute(work));
    await clock.advance(100);
    expect(await first).toBeInstanceOf(TimeoutError);
    expect(lateResults()).toEqual([]);
    expect(await rejection(all.execute(work))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    expect(most).toBe(1);
    end();
    await clock.advance(0);
    expect(new Set(lateResults())).toEqual(new Set([1]));
    const second = all.execute(work);
    end();
    await second;
  });

  test('what ends a breaker from further out is not answered by its fallback', async () => {
    const clock = manualClock();
    let asked = 0;
    const fallback = () => {
      asked++;
      return hang();
    };
    const call = rejection(pipeline(limit(clock), circuitBreaker({ clock, fallback })).execute(hang));
    await clock.advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(asked).toBe(0);
  });
});

describe('what happens while a call is admitted', () => {
  test('S22: an abort in a listener of the admission ends the call, and the function is not called', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const breaker = circuitBreaker({ clock, failureThreshold: 1, sleepWindowMs: 10 });
    await rejection(breaker.execute(() => Promise.reject(new Error('down'))));
    await clock.advance(10);
    breaker.on('half-opened', () => caller.abort('enough'));
    let called = false;
    const call = breaker.execute(
      () => {
        called = true;
        return hang();
      },
      { signal: caller.signal },
    );
    expect(await rejection(call)).toBe('enough');
    expect(called).toBe(false);
    expect(await breaker.execute(() => 'probe')).toBe('probe');
  });

  test('S22: an abort by the priority function leaves nobody in the queue', async () => {
    const caller = new AbortController();
    const queue = bulkhead({
      maxConcurrent: 1,
      maxQueue: 1,
      priority: () => {
        caller.abort('enough');
        return 0;
      },
    });
    void queue.execute(hang);
    expect(await rejection(queue.execute(() => 1, { signal: caller.signal }))).toBe('enough');
    expect(queue.metrics().queued).toBe(0);
  });

  test('S26: places that a listener brings then do not hold a call that began without any', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, timeoutMs: 1_000 });
    breaker.on('released', () => breaker.update({ maxConcurrent: 5 }));
    breaker.forceClosed({ expiresInMs: 10 });
    await clock.advance(20);
    expect(await breaker.execute(() => 1)).toBe(1);
    expect(await Promise.all([1, 2, 3, 4, 5].map((n) => breaker.execute(() => n)))).toEqual([1, 2, 3, 4, 5]);
    expect(breaker.metrics().inFlight).toBe(0);
  });
});

describe('a call that the bulkhead right inside a breaker refuses', () => {
  test.each(['closed', 'observe-only'] as const)(
    'S14: %s: is in flight when its refusal is told, and is waited for',
    async (start) => {
      const clock = manualClock();
      const breaker = circuitBreaker({ clock, start });
      const places = bulkhead({ maxConcurrent: 1, clock });
      void places.execute(hang);
      const told: string[] = [];
      places.on('rejected', () => {
        told.push(`${breaker.metrics().inFlight} in flight`);
        void breaker.drain().then(() => told.push('drained'));
      });
      breaker.on('ignored', () => told.push('ignored'));
      expect(await rejection(pipeline(breaker, places).execute(hang))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
      await clock.advance(0);
      expect(told).toEqual(['1 in flight', 'ignored', 'drained']);
    },
  );
});
