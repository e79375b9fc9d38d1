import { getEventListeners } from 'node:events';
import {
  adaptiveConcurrency,
  bulkhead,
  type CallContext,
  cache,
  circuitBreaker,
  coalesce,
  fallback,
  type PolicyLike,
  pipeline,
  type RetryBudget,
  RetryBudgetExhaustedError,
  registry,
  retry,
  TimeoutError,
  timeout,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../test/support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('policies of somebody else', () => {
  test('get key, context and signal as options', async () => {
    const seen: unknown[] = [];
    const curious: PolicyLike = {
      execute(fn, options) {
        seen.push(options);
        return Promise.resolve(fn(options as CallContext));
      },
    };
    const context = { user: 1 };
    const { signal } = new AbortController();
    const all = pipeline(circuitBreaker(), curious);
    await all.execute(() => 1, { key: 'k', context, signal });
    await all.execute(() => 1);
    expect(seen).toEqual([
      { key: 'k', context, signal: expect.any(AbortSignal) },
      { key: undefined, context: undefined, signal: undefined },
    ]);
  });

  test('get the signal, and one that does not mind it ends all the same', async () => {
    const deaf: PolicyLike = { execute: (fn) => Promise.resolve(fn({} as CallContext)) };
    const clock = manualClock();
    const all = pipeline(timeout({ timeoutMs: 100, clock }), deaf, circuitBreaker());
    const call = rejection(all.execute(hang));
    await clock.advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
  });

  const plain: PolicyLike = { execute: (fn, options) => Promise.resolve(fn(options as CallContext)) };

  test('a signal of their own ends what is inside with its reason, before its work or during it, and keeps no listener', async () => {
    const own = new AbortController();
    const withOwn: PolicyLike = { execute: (fn) => Promise.resolve(fn({ signal: own.signal } as CallContext)) };
    const places = bulkhead({ maxConcurrent: 1 });
    const all = pipeline(withOwn, places);
    expect(await all.execute(() => 1)).toBe(1);
    expect(getEventListeners(own.signal, 'abort')).toHaveLength(0);
    let inner: AbortSignal | undefined;
    const call = rejection(
      all.execute(({ signal }) => {
        inner = signal;
        return hang();
      }),
    );
    own.abort('enough');
    expect(await call).toBe('enough');
    expect(inner?.reason).toBe('enough');
    expect(getEventListeners(own.signal, 'abort')).toHaveLength(0);
    let called = false;
    expect(await rejection(all.execute(() => (called = true)))).toBe('enough');
    expect(called).toBe(false);
  });

  test('what is inside of them is part of the call around: a budget counts it once, its end gets no fallback', async () => {
    const told: string[] = [];
    const budget: RetryBudget = {
      name: 'shared',
      available: 1,
      take: () => true,
      called: () => told.push('called'),
      ended: (verdict) => told.push(verdict),
      refusal: () => new RetryBudgetExhaustedError('', { breaker: 'shared', reason: 'budget-exhausted' }),
    };
    const twice = { attempts: 2, backoff: 0, budget };
    for (const between of [plain, coalesce(), cache({ ttlMs: 1_000 })]) {
      told.length = 0;
      const all = pipeline({ onWarning: false }, retry(twice), between, retry(twice));
      await rejection(all.execute(() => Promise.reject(new Error('down')), { key: 'k' }));
      expect(told).toEqual(['called', 'failure']);
    }

    const clock = manualClock();
    let asked = 0;
    const answering = fallback(() => asked++, { clock });
    const ended = rejection(
      pipeline({ onWarning: false }, timeout({ timeoutMs: 50, clock }), plain, answering).execute(hang),
    );
    await clock.advance(50);
    expect(await ended).toBeInstanceOf(TimeoutError);
    expect(asked).toBe(0);
  });

  test('no signal of their own may be null', async () => {
    const none: PolicyLike = { execute: (fn) => Promise.resolve(fn({ signal: null } as unknown as CallContext)) };
    expect(await pipeline(none, bulkhead({ maxConcurrent: 1 })).execute(() => 'ok')).toBe('ok');
  });

  test('a throw of their own is a rejection', async () => {
    const broken: PolicyLike = {
      execute() {
        throw new Error('broken');
      },
    };
    expect(await rejection(pipeline(broken).execute(() => 1))).toMatchObject({ message: 'broken' });
  });
});

describe('work that a policy of somebody else leaves behind', () => {
  type Run = (options?: unknown) => unknown;
  type Make = (clock: ManualClock) => PolicyLike;
  const policy = (execute: (fn: Run, options: unknown) => Promise<unknown>): PolicyLike => ({ execute }) as PolicyLike;

  /** Rejects after 100 ms and calls nothing off. */
  const impatient: Make = (clock) =>
    policy((fn) =>
      Promise.race([
        Promise.resolve(fn()),
        new Promise((_, reject) => clock.setTimeout(() => reject(new Error('too long')), 100)),
      ]),
    );

  const places: Make = (clock) => bulkhead({ maxConcurrent: 1, clock });
  const queue: Make = (clock) => bulkhead({ maxConcurrent: 1, maxQueue: 1, queueTimeoutMs: 1, clock });
  const adaptive: Make = (clock) => adaptiveConcurrency({ initialLimit: 1, minLimit: 1, maxLimit: 1, clock });
  const own: Make = (clock) => circuitBreaker({ clock, maxConcurrent: 1 });
  const guarded: Make = (clock) => circuitBreaker({ clock, maxConcurrent: 1, timeoutMs: 1_000 });
  const keyed: Make = (clock) => registry({ defaults: { clock, maxConcurrent: 1 } });
  const breaker: Make = (clock) => circuitBreaker({ clock });
  const limit: Make = (clock) => timeout({ timeoutMs: 1_000, clock });
  const short: Make = (clock) => timeout({ timeoutMs: 150, clock });

  describe.each<[string, Make[]]>([
    ['places', [places, impatient]],
    ['places with a queue', [queue, impatient]],
    ['adaptive places', [adaptive, impatient]],
    ['a breaker’s places', [own, impatient]],
    ['the places of a breaker with a limit', [guarded, impatient]],
    ['a registry’s places', [keyed, impatient]],
    ['places, breaker', [places, breaker, impatient]],
    ['places and limit', [places, limit, impatient]],
    ['limit, places, a breaker further in', [limit, places, impatient, breaker]],
    ['places, a limit further in that ends the call later', [places, impatient, short]],
    ['places, two of them', [places, impatient, impatient]],
  ])('S21: %s', (_order, makers) => {
    test.each([
      ['succeeds', undefined, true],
      ['fails', undefined, false],
      ['succeeds, with a signal', new AbortController().signal, true],
    ])('keeps its place until it %s', async (_how, signal, good) => {
      const clock = manualClock();
      const all = pipeline({ onWarning: false }, ...makers.map((make) => make(clock)));
      let end = (): void => {};
      const work = (): Promise<void> =>
        new Promise((resolve, reject) => {
          end = good ? resolve : () => reject(new Error('down'));
        });
      const first = rejection(all.execute(work, { signal, key: 'k' }));
      await clock.advance(100);
      expect(await first).toMatchObject({ message: 'too long' });
      await clock.advance(100);
      const second = all.execute(() => 'two at a time', { signal, key: 'k' }).catch((error) => error);
      await clock.advance(1);
      expect(await second).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
      end();
      await clock.advance(0);
      expect(await all.execute(() => 'free', { signal, key: 'k' })).toBe('free');
    });
  });

  test('S21: of a hedge that lets the slower one run, the place is free when both have ended', async () => {
    const hedged = policy((fn) => Promise.any([fn(), fn()]));
    const outer = bulkhead({ maxConcurrent: 1 });
    const all = pipeline(outer, hedged);
    for (const failing of [false, true]) {
      const ends: (() => void)[] = [];
      const signals: AbortSignal[] = [];
      const call = all.execute(
        ({ signal }) =>
          new Promise<void>((resolve, reject) => {
            signals.push(signal);
            ends.push(failing && ends.length > 0 ? () => reject(new Error('down')) : resolve);
          }),
      );
      ends[0]?.();
      await call;
      expect(outer.metrics().inFlight).toBe(1);
      expect(signals.map(({ aborted }) => aborted)).toEqual([false, false]);
      ends[1]?.();
      await Promise.resolve();
      await Promise.resolve();
      expect(outer.metrics().inFlight).toBe(0);
    }
  });

  test('S21: it gives the place back after abandonAfterMs, or at once with release on-timeout', async () => {
    const clock = manualClock();
    const patient = bulkhead({ maxConcurrent: 1, abandonAfterMs: 500, clock });
    const generous = bulkhead({ maxConcurrent: 1, release: 'on-timeout', clock });
    const calls = [patient, generous].map((outer) => rejection(pipeline(outer, impatient(clock)).execute(hang)));
    await clock.advance(100);
    await Promise.all(calls);
    expect([patient.metrics().inFlight, generous.metrics().inFlight]).toEqual([1, 0]);
    await clock.advance(500);
    expect(patient.metrics()).toMatchObject({ inFlight: 0, abandoned: 1 });
  });

  test('nothing is left behind by one that waits, or that calls off what it leaves: the place is free when the caller hears', async () => {
    const outer = bulkhead({ maxConcurrent: 1 });
    const full = bulkhead({ maxConcurrent: 1, maxQueue: 1 });
    const waits = policy(async (fn) => {
      try {
        return await fn();
      } finally {
        await Promise.resolve();
      }
    });
    await pipeline(outer, waits).execute(() => 1);
    expect(outer.metrics().inFlight).toBe(0);
    void full.execute(hang);
    const callsOff = policy((fn) => {
      const controller = new AbortController();
      void Promise.resolve(fn({ signal: controller.signal })).catch(() => {});
      controller.abort();
      return Promise.reject(new Error('too long'));
    });
    await rejection(pipeline(outer, callsOff, full).execute(() => 1));
    expect(outer.metrics().inFlight).toBe(0);
  });

  test('S21: a limit around that ends first tells its late result once, and the place is given back once', async () => {
    const clock = manualClock();
    const late: boolean[] = [];
    const outer = bulkhead({ maxConcurrent: 2, clock });
    const ends = timeout({ timeoutMs: 50, clock, onLate: ({ ok }) => late.push(ok) });
    const all = pipeline(outer, ends, impatient(clock), breaker(clock));
    let end = (): void => {};
    const call = rejection(all.execute(() => new Promise<void>((resolve) => (end = resolve))));
    await clock.advance(50);
    expect(await call).toBeInstanceOf(TimeoutError);
    await clock.advance(100);
    expect([outer.metrics().inFlight, late]).toEqual([1, []]);
    end();
    await clock.advance(0);
    expect([outer.metrics().inFlight, late]).toEqual([0, [true]]);
  });
});
