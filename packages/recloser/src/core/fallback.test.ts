import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import type { CallContext } from './call/context.ts';
import { CallerScope } from './call/scope.ts';
import { Answers, lastGood } from './fallback.ts';

const first = new Error('first');

function answers() {
  const clock = { now: 0 };
  const kept = new Answers(() => clock.now);
  return {
    clock,
    kept,
    instead: (fallback: unknown, key?: string, outer?: AbortSignal) =>
      kept.instead(fallback, first, new CallerScope('test', { key, signal: outer })),
  };
}

describe('a fallback', () => {
  test('is a value, a function or a chain', async () => {
    const { instead } = answers();
    expect(await instead('value')).toBe('value');
    expect(await instead(() => 'function')).toBe('function');
    expect(await instead([() => Promise.reject(new Error('no')), 'end'])).toBe('end');
    expect(await instead(['just', 'values'])).toEqual(['just', 'values']);
  });

  test('S27: no error becomes a cause of its own: whoever walks the causes comes to an end', async () => {
    const { kept, instead } = answers();
    const again = (error: unknown) => Promise.reject((error as Error).cause);
    await expect(instead([() => Promise.reject(new Error('replica')), again])).rejects.toBe(first);
    expect('cause' in first).toBe(false);
    const knot = new Error('knot');
    knot.cause = knot;
    const other = () => Promise.reject(new Error('other'));
    const scope = new CallerScope('test', {});
    await expect(kept.instead(other, knot, scope)).rejects.toMatchObject({ message: 'other', cause: knot });
  });

  test('gets error, key, context and a signal that follows the caller’s', async () => {
    const { kept } = answers();
    const controller = new AbortController();
    const seen: unknown[] = [];
    const fallback = (error: unknown, { key, context, signal }: CallContext) => {
      seen.push(error, key, context, signal.aborted);
      controller.abort('enough');
      seen.push(signal.reason);
    };
    const scope = new CallerScope('test', { key: 'k', context: { a: 1 }, signal: controller.signal });
    await expect(kept.instead(fallback, first, scope)).rejects.toBe('enough');
    expect(seen).toEqual([first, 'k', { a: 1 }, false, 'enough']);
  });

  test('rejects with the first error where no alternative has an answer', async () => {
    const { instead } = answers();
    await expect(instead(lastGood(), 'k')).rejects.toBe(first);
    await expect(instead([lastGood(), lastGood()], 'k')).rejects.toBe(first);
  });

  test('loses against the caller’s abort, and leaves no listener', async () => {
    const { instead } = answers();
    const controller = new AbortController();
    const answer = instead(() => new Promise(() => {}), 'k', controller.signal);
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(1);
    controller.abort('enough');
    await expect(answer).rejects.toBe('enough');
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0);
  });

  test('tries no further alternative once the caller gave up', async () => {
    const { instead } = answers();
    const controller = new AbortController();
    let tried = 0;
    const first = (_error: unknown, { signal }: CallContext): Promise<never> =>
      new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
    const answer = instead([first, () => tried++], 'k', controller.signal);
    controller.abort('enough');
    await expect(answer).rejects.toBe('enough');
    await new Promise((resolve) => setImmediate(resolve));
    expect(tried).toBe(0);
    expect(await instead([() => Promise.reject(new Error('x')), 'end'], 'k', AbortSignal.abort('passed'))).toBe('end');
  });

  test('leaves no listener after an answer or an error', async () => {
    const { instead } = answers();
    const { signal } = new AbortController();
    await instead('value', 'k', signal);
    await instead(() => Promise.reject(new Error('x')), 'k', signal).catch(() => {});
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('answers a deadline that passed before', async () => {
    const { instead } = answers();
    expect(await instead('value', 'k', AbortSignal.abort('passed'))).toBe('value');
  });
});

describe('lastGood', () => {
  test('is a frozen description that says its limits', () => {
    expect(lastGood({ maxAgeMs: 5, maxEntries: 7, shared: true })).toMatchObject({
      maxAgeMs: 5,
      maxEntries: 7,
      shared: true,
    });
    expect(lastGood()).toMatchObject({ maxAgeMs: Number.POSITIVE_INFINITY, maxEntries: 1_000, shared: false });
    expect(Object.isFrozen(lastGood())).toBe(true);
  });

  test('only what is remembered under the key is recalled', async () => {
    const { kept, instead } = answers();
    const fallback = lastGood();
    kept.remember(fallback, 'a', 1);
    expect(await instead(fallback, 'a')).toBe(1);
    await expect(instead(fallback, 'b')).rejects.toBe(first);
    await expect(instead(fallback)).rejects.toBe(first);
  });

  test('nothing is remembered for fallbacks without it', async () => {
    const { kept, instead } = answers();
    kept.remember('value', 'a', 1);
    kept.remember([() => 1, 'value'], 'a', 1);
    kept.remember(undefined, 'a', 1);
    await expect(instead(lastGood(), 'a')).rejects.toBe(first);
  });

  test('a value of exactly maxAgeMs is still good', async () => {
    const { clock, kept, instead } = answers();
    const fallback = lastGood({ maxAgeMs: 100 });
    kept.remember(fallback, 'a', 1);
    clock.now = 100;
    expect(await instead(fallback, 'a')).toBe(1);
    clock.now = 100.001;
    await expect(instead(fallback, 'a')).rejects.toBe(first);
  });

  test('storing anew makes a value young again, and last to go', async () => {
    const { clock, kept, instead } = answers();
    const fallback = lastGood({ maxAgeMs: 100, maxEntries: 2 });
    kept.remember(fallback, 'a', 1);
    kept.remember(fallback, 'b', 2);
    clock.now = 90;
    kept.remember(fallback, 'a', 3);
    kept.remember(fallback, 'c', 4);
    clock.now = 150;
    expect(await instead(fallback, 'a')).toBe(3);
    await expect(instead(fallback, 'b')).rejects.toBe(first);
  });

  test('a chain remembers for the lastGood in it', async () => {
    const { kept, instead } = answers();
    const fallback = [() => Promise.reject(new Error('x')), lastGood()];
    kept.remember(fallback, 'a', 1);
    expect(await instead(fallback, 'a')).toBe(1);
  });

  test('one of another copy of the package is known by its brand', async () => {
    const foreign = { maxAgeMs: 100, maxEntries: 5, shared: true };
    Object.defineProperty(foreign, Symbol.for('recloser.lastGood'), { value: true });
    const { kept, instead } = answers();
    kept.remember(foreign, undefined, 'shared');
    expect(await instead(foreign)).toBe('shared');
  });
});
