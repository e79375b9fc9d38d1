import { getEventListeners } from 'node:events';
import {
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
  retry,
  TimeoutError,
  timeout,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../test/support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('policies of somebody else', () => {
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
