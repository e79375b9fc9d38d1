import {
  bulkhead,
  type CircuitBreaker,
  cache,
  chaos,
  circuitBreaker,
  coalesce,
  type Policy,
  pipeline,
  type RateLimit,
  rateLimit,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail } from '../support/calls.ts';

/** An open circuit that the next call probes, and the signal of a caller who gives up when he hears of it. */
async function givenUpByProbe() {
  const clock = manualClock();
  const gaveUp = new AbortController();
  const breaker = circuitBreaker({
    clock,
    failureThreshold: 1,
    successThreshold: 1,
    sleepWindowMs: 5,
    onHalfOpened: () => gaveUp.abort('gone'),
  });
  await fail(breaker);
  await clock.advance(5);
  return { breaker, clock, signal: gaveUp.signal };
}

describe('S22: a caller who gives up between admission and work', () => {
  test('S22: leaves the place in the breaker’s bulkhead at once', async () => {
    const clock = manualClock();
    const gaveUp = new AbortController();
    const breaker = circuitBreaker({ clock, maxConcurrent: 1, onReleased: () => gaveUp.abort('gone') });
    breaker.forceOpen({ expiresInMs: 5 });
    await clock.advance(5);
    await expect(breaker.execute(() => 1, { signal: gaveUp.signal })).rejects.toBe('gone');
    expect(await breaker.execute(() => 2)).toBe(2);
  });

  test('S22: leaves nothing behind in the places around it', async () => {
    const { breaker, clock, signal } = await givenUpByProbe();
    const around = bulkhead({ maxConcurrent: 1 });
    await expect(pipeline(around, breaker).execute(() => 1, { signal })).rejects.toBe('gone');
    expect(around.metrics().inFlight).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test('S22: leaves the place it had waited for', async () => {
    const gaveUp = new AbortController();
    const policy = bulkhead({ maxConcurrent: 1, maxQueue: 1, onDequeued: () => gaveUp.abort('gone') });
    const calls = [policy.execute(() => 1), policy.execute(() => 2, { signal: gaveUp.signal })];
    expect(await Promise.allSettled(calls)).toMatchObject([{ value: 1 }, { reason: 'gone' }]);
    expect(policy.metrics().inFlight).toBe(0);
  });

  test('S22: leaves probe and place where breaker and bulkhead are one call', async () => {
    const { breaker, signal } = await givenUpByProbe();
    const places = bulkhead({ maxConcurrent: 1 });
    const policy = pipeline(breaker, places);
    await expect(policy.execute(() => 1, { signal })).rejects.toBe('gone');
    expect(places.metrics().inFlight).toBe(0);
    expect(await policy.execute(() => 2)).toBe(2);
    expect(breaker.state).toBe('closed');
  });
});

describe('S22: a caller who gives up in code of the user’s that a policy runs before the function', () => {
  type Make = (giveUp: () => string) => Policy;
  test.each<[where: string, make: Make]>([
    ['chaos: when', (giveUp) => chaos({ rate: 1, latencyMs: 0, when: () => !giveUp(), enabled: true })],
    ['cache: keyOf', (keyOf) => cache({ ttlMs: 1_000, keyOf })],
    ['cache: miss', (onMiss) => cache({ ttlMs: 1_000, onMiss })],
    ['coalesce: keyOf', (keyOf) => coalesce({ keyOf })],
    [
      'coalesce: a keyOf that throws',
      (giveUp) => coalesce({ keyOf: () => JSON.parse(giveUp()), onListenerError() {} }),
    ],
    ['rateLimit: key-evicted', (onKeyEvicted) => rateLimit({ permits: 1, keyed: true, maxKeys: 1, onKeyEvicted })],
  ])('S22: has it not called: %s', async (_where, make) => {
    const gaveUp = new AbortController();
    const policy = make(() => {
      gaveUp.abort('gone');
      return 'key';
    });
    if ('tryAcquire' in policy) (policy as RateLimit).tryAcquire(1, 'other');
    let called = 0;
    await expect(policy.execute(() => called++, { key: 'k', signal: gaveUp.signal })).rejects.toBe('gone');
    expect(called).toBe(0);
  });
});

test('S25: a fallback that fails is told of, after a deadline and with whatever it rejects', async () => {
  const told: unknown[] = [];
  const failing = (failure?: Error): CircuitBreaker =>
    circuitBreaker({
      fallback: () => Promise.reject(failure),
      onFallbackFailed: ({ breaker, key, error, failure }) => told.push([breaker, key, (error as Error).name, failure]),
    });
  const caller = new AbortController();
  const late = new Error('no plan');
  const call = failing(late).execute(() => new Promise(() => {}), { key: 'k', signal: caller.signal });
  caller.abort(new DOMException('too slow', 'TimeoutError'));
  await expect(call).rejects.toBe(late);
  await expect(failing().execute(() => Promise.reject(new RangeError('down')))).rejects.toBeUndefined();
  expect(told).toEqual([
    ['circuit-breaker', 'k', 'TimeoutError', late],
    ['circuit-breaker', undefined, 'RangeError', undefined],
  ]);
});

test('S27: an abort that the classifier calls a failure is answered by the fallback, as a deadline is', async () => {
  const gaveUp = new AbortController();
  const { signal } = gaveUp;
  const [strict, lenient] = (['failure', 'ignored'] as const).map((verdict) =>
    circuitBreaker({ fallback: 'plan B', classify: () => verdict }).execute(() => new Promise(() => {}), { signal }),
  );
  gaveUp.abort('too slow');
  expect(await strict).toBe('plan B');
  await expect(lenient).rejects.toBe('too slow');
});

describe('S22: a caller who gives up between the end of a call and its fallback', () => {
  test.each(['failed', 'rejected', 'opened'] as const)('S22: has no fallback begun: %s', async (event) => {
    const gaveUp = new AbortController();
    let asked = 0;
    const breaker = circuitBreaker({ failureThreshold: 1, fallback: () => new Promise(() => asked++) });
    if (event === 'rejected') breaker.forceOpen();
    breaker.on(event, () => gaveUp.abort('gone'));
    const error = new Error('down');
    const call = breaker.execute(() => Promise.reject(error), { signal: gaveUp.signal });
    await expect(call).rejects.toMatchObject(event === 'rejected' ? { reason: 'forced-open' } : { message: 'down' });
    expect(asked).toBe(0);
    expect(breaker.metrics().fallbackRequests).toBe(0);
  });
});
