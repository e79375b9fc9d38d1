import { BulkheadFullError, lastGood } from 'recloser';
import { describe, expect, test } from 'vitest';
import { hold, rejection, setUp } from '../support/calls.ts';

const down = (): Promise<never> => Promise.reject(new Error('down'));

describe('lastGood', () => {
  test('S27: it answers with the last good value of the same key', async () => {
    const { breaker } = setUp({ fallback: lastGood(), failureThreshold: 99 });
    await breaker.execute(() => 'old', { key: 'ada' });
    await breaker.execute(() => 'new', { key: 'ada' });
    await breaker.execute(() => 'of grace', { key: 'grace' });
    expect(await breaker.execute(down, { key: 'ada' })).toBe('new');
    expect(await breaker.execute(down, { key: 'grace' })).toBe('of grace');
    expect(await rejection(breaker.execute(down, { key: 'nobody' }))).toMatchObject({ message: 'down' });
  });

  test('S27: for refused calls too', async () => {
    const { breaker } = setUp({ fallback: lastGood(), maxConcurrent: 1 });
    await breaker.execute(() => 'good', { key: 'ada' });
    breaker.forceOpen();
    expect(await breaker.execute(down, { key: 'ada' })).toBe('good');
    breaker.release();
    breaker.acquire();
    expect(await breaker.execute(down, { key: 'ada' })).toBe('good');
    expect(await rejection(breaker.execute(down, { key: 'x' }))).toBeInstanceOf(BulkheadFullError);
  });

  test('S27: without a key only if shared', async () => {
    const { breaker } = setUp({ fallback: lastGood(), failureThreshold: 99 });
    await breaker.execute(() => 'private');
    expect(await rejection(breaker.execute(down))).toMatchObject({ message: 'down' });
    const { breaker: shared } = setUp({ fallback: lastGood({ shared: true }), failureThreshold: 99 });
    await shared.execute(() => 'public');
    expect(await shared.execute(down)).toBe('public');
    expect(await rejection(shared.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
  });

  test('S27: undefined, null and false are values too', async () => {
    for (const value of [undefined, null, false, 0, '']) {
      const { breaker } = setUp({ fallback: lastGood() });
      await breaker.execute(() => value, { key: 'k' });
      expect(await breaker.execute(down, { key: 'k' })).toBe(value);
    }
  });

  test('S27: values older than maxAgeMs are no answer', async () => {
    const { breaker, clock } = setUp({ fallback: lastGood({ maxAgeMs: 1_000 }), failureThreshold: 99 });
    await breaker.execute(() => 'good', { key: 'k' });
    await clock.advance(1_000);
    expect(await breaker.execute(down, { key: 'k' })).toBe('good');
    await clock.advance(1);
    expect(await rejection(breaker.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
  });

  test('S27: without maxAgeMs they do not age', async () => {
    const { breaker, clock } = setUp({ fallback: lastGood() });
    await breaker.execute(() => 'good', { key: 'k' });
    await clock.advance(1e12);
    expect(await breaker.execute(down, { key: 'k' })).toBe('good');
  });

  test('S27: at most maxEntries, least recently stored first out', async () => {
    const { breaker } = setUp({ fallback: lastGood({ maxEntries: 2 }), failureThreshold: 99 });
    await breaker.execute(() => 'a1', { key: 'a' });
    await breaker.execute(() => 'b', { key: 'b' });
    await breaker.execute(() => 'a2', { key: 'a' });
    await breaker.execute(() => 'c', { key: 'c' });
    expect(await rejection(breaker.execute(down, { key: 'b' }))).toMatchObject({ message: 'down' });
    expect(await breaker.execute(down, { key: 'a' })).toBe('a2');
    expect(await breaker.execute(down, { key: 'c' })).toBe('c');
  });

  test('S27: a thousand unless said', async () => {
    const { breaker } = setUp({ fallback: lastGood(), failureThreshold: 99 });
    for (let i = 0; i < 1_001; i++) await breaker.execute(() => i, { key: String(i) });
    expect(await rejection(breaker.execute(down, { key: '0' }))).toMatchObject({ message: 'down' });
    expect(await breaker.execute(down, { key: '1' })).toBe(1);
  });

  test('S27: only what the dependency answered, and only if it was a success', async () => {
    const { breaker } = setUp({
      failureThreshold: 99,
      fallback: [lastGood(), 'from the fallback'],
      classify: ({ value }) => (value === 'stale' ? 'failure' : undefined),
    });
    expect(await breaker.execute(down, { key: 'k' })).toBe('from the fallback');
    await breaker.execute(() => 'stale', { key: 'k' });
    expect(await breaker.execute(down, { key: 'k' })).toBe('from the fallback');
    await breaker.execute(() => 'good', { key: 'k' });
    expect(await breaker.execute(down, { key: 'k' })).toBe('good');
  });

  test('S27: a late result is no last good value', async () => {
    const { breaker, clock } = setUp({ fallback: lastGood(), timeoutMs: 100, failureThreshold: 99 });
    const call = hold(breaker, { key: 'k' });
    await clock.advance(100);
    call.resolve('late');
    await clock.advance(0);
    expect(await rejection(breaker.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
  });

  test('S27: two breakers with one description keep their own values', async () => {
    const fallback = lastGood();
    const [a, b] = [setUp({ fallback }).breaker, setUp({ fallback }).breaker];
    await a.execute(() => 'of a', { key: 'k' });
    expect(await rejection(b.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
  });

  test('S27: of a call’s own fallback, values are kept in the policy', async () => {
    const { breaker } = setUp({ failureThreshold: 99 });
    await breaker.execute(() => 'good', { key: 'k', fallback: lastGood() });
    expect(await breaker.execute(down, { key: 'k', fallback: lastGood() })).toBe('good');
    expect(await rejection(breaker.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
  });

  test.each([
    [{ maxAgeMs: 0 }, 'maxAgeMs'],
    [{ maxEntries: 0 }, 'maxEntries'],
    [{ maxEntries: 1.5 }, 'maxEntries'],
    [{ shared: 'yes' }, 'shared'],
    [{ ttl: 5 }, 'ttl'],
    [null, 'options'],
  ])('S27: its options are checked: %o', (options, fault) => {
    expect(() => lastGood(options as never)).toThrow(fault);
  });
});

test('S27: each description keeps to its own age, though the values lie in one policy', async () => {
  const { breaker, clock } = setUp({ fallback: lastGood({ maxAgeMs: 60_000 }), failureThreshold: 99 });
  await breaker.execute(() => 'good', { key: 'k' });
  await clock.advance(5_000);
  const young = lastGood({ maxAgeMs: 1_000 });
  expect(await rejection(breaker.execute(down, { key: 'k', fallback: young }))).toMatchObject({ message: 'down' });
  breaker.update({ fallback: young });
  expect(await rejection(breaker.execute(down, { key: 'k' }))).toMatchObject({ message: 'down' });
});

test('S27: a call whose lastGood is not shared gets no shared value', async () => {
  const { breaker } = setUp({ fallback: lastGood({ shared: true }), failureThreshold: 99 });
  await breaker.execute(() => 'public');
  expect(await breaker.execute(down)).toBe('public');
  expect(await rejection(breaker.execute(down, { fallback: lastGood() }))).toMatchObject({ message: 'down' });
});

test('S27: what calls without a key answer is not kept for it: no one gets it, and it takes no room', async () => {
  const { breaker } = setUp({ fallback: lastGood({ maxEntries: 1 }), failureThreshold: 99 });
  await breaker.execute(() => 'of a', { key: 'a' });
  await breaker.execute(() => 'nobody’s');
  expect(await breaker.execute(down, { key: 'a' })).toBe('of a');
  const shared = breaker.execute(down, { fallback: lastGood({ shared: true }) });
  expect(await rejection(shared)).toMatchObject({ message: 'down' });
});

test('S27: a smaller maxEntries holds from the update on', async () => {
  const { breaker } = setUp({ fallback: lastGood({ maxEntries: 100 }), failureThreshold: 99 });
  for (let i = 0; i < 50; i++) await breaker.execute(() => i, { key: String(i) });
  breaker.update({ fallback: lastGood({ maxEntries: 2 }) });
  await breaker.execute(() => 'new', { key: 'new' });
  expect(await breaker.execute(down, { key: 'new' })).toBe('new');
  expect(await rejection(breaker.execute(down, { key: '5' }))).toMatchObject({ message: 'down' });
});
