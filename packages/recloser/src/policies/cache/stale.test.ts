import { type Cache, type CacheOptions, type CallContext, circuitBreaker } from 'recloser';
import { describe, expect, test } from 'vitest';
import { down, hang, setUp, turn } from '../../../../../test/support/caches.ts';
import { rejection } from '../../../../../test/support/calls.ts';

describe('stale while it is revalidated', () => {
  const swr = (options: Partial<CacheOptions<never>> = {}) => setUp({ staleWhileRevalidateMs: 50, ...options });
  /** That of the work that a call of `a` begins; the work hangs. */
  async function signalOf(policy: Cache): Promise<AbortSignal | undefined> {
    let signal: AbortSignal | undefined;
    const work = (context: CallContext) => {
      signal = context.signal;
      return hang();
    };
    await policy.execute(work, { key: 'a' });
    return signal;
  }

  test('the stale value is the answer at once, and a newer one is fetched, once', async () => {
    const { clock, get, told, calls, policy } = swr();
    await get('a');
    await clock.advance(150);
    expect(await Promise.all([get('a'), get('a')])).toEqual([1, 1]);
    await turn();
    expect(calls()).toBe(2);
    expect(await get('a')).toBe(2);
    expect(told.slice(1)).toEqual([
      ['stale', { policy: 'kept', key: 'a', ageMs: 150, why: 'revalidating', error: undefined }],
      ['stale', { policy: 'kept', key: 'a', ageMs: 150, why: 'revalidating', error: undefined }],
      ['revalidated', { policy: 'kept', key: 'a' }],
      ['hit', { policy: 'kept', key: 'a', ageMs: 0 }],
    ]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 4, staleRequests: 2, missedRequests: 1, revalidations: 1 });
  });

  test('beyond its time it is no answer', async () => {
    const { clock, get } = swr();
    await get('a');
    await clock.advance(151);
    expect(await get('a')).toBe(2);
  });

  test('a failed revalidation changes nothing for anybody, is told, and tried again with the next call', async () => {
    const { clock, get, policy, told } = swr();
    await get('a');
    await clock.advance(101);
    expect(await policy.execute(down, { key: 'a' })).toBe(1);
    await turn();
    expect(told.at(-1)).toEqual(['revalidation-failed', { policy: 'kept', key: 'a', error: new Error('down') }]);
    expect(await get('a')).toBe(1);
    await turn();
    expect(await get('a')).toBe(2);
    expect(policy.metrics()).toMatchObject({ revalidations: 2, failedRevalidations: 1, inFlight: 0 });
  });

  test('a caller who gives up after its answer does not end the revalidation, which has a signal of its own', async () => {
    const { clock, get, policy } = swr();
    await get('a');
    await clock.advance(101);
    const caller = new AbortController();
    let context: CallContext | undefined;
    let resolve = (_value: number): void => {};
    const fetch = (given: CallContext): Promise<number> => {
      context = given;
      return new Promise((yes) => (resolve = yes));
    };
    await policy.execute(fetch, { key: 'a', context: 'mine', signal: caller.signal });
    caller.abort();
    expect(context?.signal.aborted).toBe(false);
    expect(context).toMatchObject({ key: 'a', context: 'mine' });
    resolve(7);
    await turn();
    expect(await get('a')).toBe(7);
  });

  test('one that hangs is ended after joinForMs, and the next call tries again', async () => {
    const { clock, get, policy, told } = swr({ staleWhileRevalidateMs: 10_000, joinForMs: 500 });
    await get('a');
    await clock.advance(101);
    const signal = await signalOf(policy);
    await clock.advance(499);
    expect(await get('a')).toBe(1);
    expect(signal?.aborted).toBe(false);
    await clock.advance(1);
    expect(signal?.reason).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 500 });
    expect(told.at(-1)).toMatchObject(['revalidation-failed', { key: 'a' }]);
    expect(await get('a')).toBe(1);
    await turn();
    expect(await get('a')).toBe(2);
    expect(clock.pending).toBe(0);
  });

  test('a caller who misses joins it, and may leave it without ending it', async () => {
    const { clock, get, policy, calls } = swr();
    await get('a');
    await clock.advance(101);
    let resolve = (_value: number): void => {};
    await policy.execute(() => new Promise<number>((yes) => (resolve = yes)), { key: 'a' });
    await clock.advance(50);
    const caller = new AbortController();
    const [leaving, waiting] = [get('a', caller.signal), get('a')];
    caller.abort('enough');
    expect(await rejection(leaving)).toBe('enough');
    resolve(9);
    expect(await waiting).toBe(9);
    expect(calls()).toBe(1);
  });

  test('a caller who joined it and leaves after joinForMs ends it, if nobody else waits', async () => {
    const { clock, get, policy, told } = swr({ joinForMs: 1_000 });
    await get('a');
    await clock.advance(101);
    const signal = await signalOf(policy);
    await clock.advance(50);
    const callers = [new AbortController(), new AbortController()];
    const joined = callers.map((caller) => rejection(get('a', caller.signal)));
    await clock.advance(1_000);
    callers[0]?.abort('enough');
    expect(await joined[0]).toBe('enough');
    expect(signal?.aborted).toBe(false);
    callers[1]?.abort('enough');
    expect(await joined[1]).toBe('enough');
    await turn();
    expect(signal?.reason).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 1_000 });
    expect(told.at(-1)).toMatchObject(['revalidation-failed', { key: 'a' }]);
    expect(policy.metrics()).toMatchObject({ inFlight: 0, revalidations: 1 });
    expect(clock.pending).toBe(0);
  });

  test('a newer value that is not to be kept takes the older one with it', async () => {
    let keep = true;
    const { clock, get } = swr({ ttlMs: () => (keep ? 100 : 0) });
    await get('a');
    await clock.advance(101);
    keep = false;
    expect(await get('a')).toBe(1);
    await turn();
    expect(await get('a')).toBe(3);
  });
});

describe('stale if there is an error', () => {
  const sie = (options: Partial<CacheOptions<never>> = {}) => setUp({ staleIfErrorMs: 1_000, ...options });

  test('the call goes on first; where it fails or is refused the stale value is the answer', async () => {
    const { clock, get, policy, told } = sie();
    await get('a');
    await clock.advance(1_100);
    expect(await policy.execute(down, { key: 'a' })).toBe(1);
    expect(told.at(-1)).toEqual([
      'stale',
      { policy: 'kept', key: 'a', ageMs: 1_100, why: 'error', error: new Error('down') },
    ]);
    const open = circuitBreaker();
    open.forceOpen();
    expect(await policy.execute(() => open.execute(() => 5), { key: 'a' })).toBe(1);
    expect(await get('a')).toBe(2);
    expect(policy.metrics()).toMatchObject({
      totalRequests: 4,
      missedRequests: 4,
      staleIfErrorRequests: 2,
      staleRequests: 2,
    });
  });

  test('beyond its time the error is the caller’s', async () => {
    const { clock, get, policy } = sie();
    await get('a');
    await clock.advance(1_101);
    expect(await rejection(policy.execute(down, { key: 'a' }))).toMatchObject({ message: 'down' });
  });

  test('never for who gave up', async () => {
    const { clock, get, policy } = sie();
    await get('a');
    await clock.advance(101);
    const caller = new AbortController();
    const call = policy.execute(hang, { key: 'a', signal: caller.signal });
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    expect(policy.metrics().staleIfErrorRequests).toBe(0);
  });

  test('staleIf says for which errors; where it throws, for this one', async () => {
    const { clock, get, policy, faults } = sie({
      staleIf: (error) => {
        if ((error as Error).message === 'odd') throw new Error('broken');
        return (error as Error).message !== 'gone';
      },
    });
    await get('a');
    await clock.advance(101);
    const gone = () => Promise.reject(new Error('gone'));
    expect(await rejection(policy.execute(gone, { key: 'a' }))).toMatchObject({ message: 'gone' });
    expect(await policy.execute(down, { key: 'a' })).toBe(1);
    expect(await policy.execute(() => Promise.reject(new Error('odd')), { key: 'a' })).toBe(1);
    expect(faults).toEqual([['broken', 'staleIf']]);
  });
});
