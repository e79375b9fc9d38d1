import { bulkhead, circuitBreaker, pipeline } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail } from '../support/calls.ts';

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
    const clock = manualClock();
    const gaveUp = new AbortController();
    const around = bulkhead({ maxConcurrent: 1 });
    const breaker = circuitBreaker({
      clock,
      failureThreshold: 1,
      sleepWindowMs: 5,
      onHalfOpened: () => gaveUp.abort('gone'),
    });
    await fail(breaker);
    await clock.advance(5);
    const { signal } = gaveUp;
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
    const clock = manualClock();
    const gaveUp = new AbortController();
    const places = bulkhead({ maxConcurrent: 1 });
    const circuit = circuitBreaker({
      clock,
      failureThreshold: 1,
      successThreshold: 1,
      sleepWindowMs: 5,
      onHalfOpened: () => gaveUp.abort('gone'),
    });
    const policy = pipeline(circuit, places);
    await policy.execute(() => Promise.reject(new Error('down'))).catch(() => {});
    await clock.advance(5);
    await expect(policy.execute(() => 1, { signal: gaveUp.signal })).rejects.toBe('gone');
    expect(places.metrics().inFlight).toBe(0);
    expect(await policy.execute(() => 2)).toBe(2);
    expect(circuit.state).toBe('closed');
  });
});
