import {
  adaptiveConcurrency,
  bulkhead,
  type CallContext,
  cache,
  circuitBreaker,
  coalesce,
  type PolicyLike,
  pipeline,
  registry,
  retry,
  TimeoutError,
  timeout,
} from 'recloser';
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

  const queue = (clock: ManualClock) => bulkhead({ maxConcurrent: 1, maxQueue: 1, queueTimeoutMs: 1, clock });
  const adaptive = (clock: ManualClock) => adaptiveConcurrency({ initialLimit: 1, minLimit: 1, maxLimit: 1, clock });
  const shared = (clock: ManualClock) => registry({ defaults: { clock, timeoutMs: 100 } });
  const keyed = (clock: ManualClock) => registry({ defaults: { clock, maxConcurrent: 1 } });
  const ownPlace = (clock: ManualClock) => circuitBreaker({ clock, maxConcurrent: 1 });
  const ownLimit = (clock: ManualClock) => circuitBreaker({ clock, timeoutMs: 100 });
  const foreign = () =>
    ({ execute: (fn: (options: unknown) => unknown, options: unknown) => fn(options) }) as PolicyLike;

  describe.each([
    ['a queue, limit', [queue, limit]],
    ['places, retry, limit', [places, again, limit]],
    ['places, a breaker’s limit', [places, ownLimit]],
    ['places, breaker, limit', [places, breaker, limit]],
    ['places, a registry’s limit', [places, shared]],
    ['a registry’s places, limit', [keyed, limit]],
    ['a breaker’s places, retry, limit', [ownPlace, again, limit]],
    ['adaptive places, limit', [adaptive, limit]],
    ['places, a policy of others, limit', [places, foreign, limit]],
    ['places, coalesce, limit', [places, (clock) => coalesce({ clock }), limit]],
    ['places, cache, limit', [places, (clock) => cache({ clock, ttlMs: 1_000 }), limit]],
  ] as [string, ((clock: ManualClock) => PolicyLike)[]][])('S21: %s: not in one call', (_order, makers) => {
    test.each([undefined, new AbortController().signal])('keeps its place while it works', async (signal) => {
      const clock = manualClock();
      const all = pipeline({ onWarning: false }, ...makers.map((make) => make(clock)));
      const outside = all.policies[0] as unknown as { metrics(): { inFlight: number } };
      let end = (): void => {};
      const work = (): Promise<void> => new Promise((resolve) => (end = resolve));
      const first = rejection(all.execute(work, { signal, key: 'k' }));
      await clock.advance(100);
      expect(await first).toBeInstanceOf(TimeoutError);
      const second = rejection(all.execute(work, { signal, key: 'k' }));
      await clock.advance(1);
      expect(await second).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
      end();
      await clock.advance(0);
      expect(await all.execute(() => 'free', { signal, key: 'k' })).toBe('free');
      expect(outside.metrics().inFlight).toBe(0);
    });
  });

  const backsOff = (clock: ManualClock) => retry({ attempts: 2, backoff: 1_000, clock });

  test.each([
    ['a breaker with both', [own, backsOff]],
    ['limit, a breaker’s places', [limit, ownPlace, backsOff]],
    ['limit, adaptive places', [limit, adaptive, backsOff]],
  ])('S21: %s: where nothing was at work the place is free by the time its caller hears', async (_order, makers) => {
    const clock = manualClock();
    const all = pipeline({ onWarning: false }, ...makers.map((make) => make(clock)));
    const down = (): Promise<never> => Promise.reject(new Error('down'));
    const ended = all.execute(down).catch(() => all.execute(() => 'free'));
    await clock.advance(100);
    expect(await ended).toBe('free');
  });

  test('S21: places, coalesce: whoever began the work keeps its place until that ends, whoever else waits and leaves', async () => {
    const clock = manualClock();
    const bounded = bulkhead({ maxConcurrent: 2, clock });
    const all = pipeline({ onWarning: false }, bounded, coalesce({ clock }));
    const callers = [new AbortController(), new AbortController()];
    let end = (): void => {};
    const work = (): Promise<void> => new Promise((resolve) => (end = resolve));
    const calls = callers.map(({ signal }) => rejection(all.execute(work, { key: 'k', signal })));
    for (const [i, caller] of callers.entries()) {
      caller.abort('enough');
      expect(await calls[i]).toBe('enough');
    }
    expect(bounded.metrics().inFlight).toBe(1);
    end();
    await clock.advance(0);
    expect(bounded.metrics().inFlight).toBe(0);
  });

  test.each([
    ['places', places],
    ['adaptive places', adaptive],
    ['a breaker’s places', ownPlace],
  ])('S21: %s around a call under its context: keeps its place while that works', async (_name, make) => {
    const clock = manualClock();
    const outer = make(clock);
    const inner = limit(clock);
    let end = (): void => {};
    const nested = (): Promise<unknown> =>
      outer.execute((context: CallContext) => inner.execute(() => new Promise<void>((yes) => (end = yes)), context));
    const first = rejection(nested());
    await clock.advance(100);
    expect(await first).toBeInstanceOf(TimeoutError);
    expect(await rejection(nested())).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    end();
    await clock.advance(0);
    expect(await outer.execute(() => 'free')).toBe('free');
  });

  test('S21: a call under its context that settles does not free its place while its own function works', async () => {
    const clock = manualClock();
    const outer = circuitBreaker({ clock, timeoutMs: 50, maxConcurrent: 1 });
    const inner = circuitBreaker({ clock });
    const ended = async (context: CallContext): Promise<void> => {
      const { signal } = context;
      const work = (): Promise<never> =>
        new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason)));
      await rejection(inner.execute(work, context));
      await new Promise((resolve) => clock.setTimeout(() => resolve(undefined), 400));
    };
    const first = rejection(outer.execute(ended));
    await clock.advance(60);
    expect(await first).toBeInstanceOf(TimeoutError);
    expect(outer.places).toMatchObject({ taken: 1, limit: 1 });
    expect(await rejection(outer.execute(ended))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    expect(outer.metrics().lateResults).toBe(0);
    await clock.advance(400);
    expect(outer.places).toMatchObject({ taken: 0, limit: 1 });
    expect(outer.metrics().lateResults).toBe(1);
  });

  test('S13: its function’s result is the late one, whatever a call under its context does after it', async () => {
    const clock = manualClock();
    const late: boolean[] = [];
    const outer = timeout({ clock, timeoutMs: 50, onLate: ({ ok }) => late.push(ok) });
    const inner = circuitBreaker({ clock });
    let end = (): void => {};
    let endInner = (_error: Error): void => {};
    const first = rejection(
      outer.execute((context) => {
        inner.execute(() => new Promise((_, no) => (endInner = no)), context).catch(() => {});
        return new Promise<void>((yes) => (end = yes));
      }),
    );
    await clock.advance(50);
    await first;
    end();
    await clock.advance(0);
    expect(late).toEqual([true]);
    endInner(new Error('later still'));
    await clock.advance(0);
    expect(late).toEqual([true]);
  });

  test('S13: one call is late once, however often calls under its context leave work behind', async () => {
    const clock = manualClock();
    const outer = circuitBreaker({ clock, timeoutMs: 25 });
    const around = pipeline(outer, bulkhead({ maxConcurrent: 9, maxQueue: 1, clock }));
    const later = (ms: number) => new Promise((resolve) => clock.setTimeout(() => resolve(undefined), ms));
    const middle = bulkhead({ maxConcurrent: 9, clock });
    const inner = timeout({ timeoutMs: 36, clock });
    void rejection(
      around.execute(async (context) => {
        await middle.execute((nested) => void inner.execute(() => later(100), nested).catch(() => {}), context);
        await later(30);
      }),
    );
    await clock.advance(500);
    expect(outer.metrics()).toMatchObject({ timedOutRequests: 1, lateResults: 1 });
  });

  test.each([
    ['places', places],
    ['adaptive places', adaptive],
  ])('S21: %s: nothing on the context of the function gives its place back', async (_name, make) => {
    const bounded = make(manualClock());
    await bounded.execute((context: object) => {
      const proto = Object.getPrototypeOf(context);
      for (const name of Object.getOwnPropertyNames(proto))
        if (/leave$|release|over/.test(name)) proto[name].call(context);
    });
    expect(bounded.metrics().inFlight).toBe(0);
  });

  test('S21: `abandonAfterMs` and `on-timeout` hold for a call that settled as well', async () => {
    const clock = manualClock();
    const abandoned: string[] = [];
    const patient = bulkhead({
      maxConcurrent: 1,
      maxQueue: 1,
      clock,
      abandonAfterMs: 500,
      onAbandoned: ({ policy }) => abandoned.push(policy),
      name: 'patient',
    });
    const hasty = bulkhead({ maxConcurrent: 1, maxQueue: 1, clock, release: 'on-timeout' });
    for (const bounded of [patient, hasty]) {
      void rejection(pipeline({ onWarning: false }, bounded, limit(clock)).execute(hang));
      await clock.advance(100);
    }
    expect([patient.metrics().inFlight, hasty.metrics().inFlight]).toEqual([1, 0]);
    await clock.advance(399);
    expect(patient.metrics().inFlight).toBe(1);
    await clock.advance(1);
    expect(patient.metrics()).toMatchObject({ inFlight: 0, abandoned: 1 });
    expect(abandoned).toEqual(['patient']);
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
