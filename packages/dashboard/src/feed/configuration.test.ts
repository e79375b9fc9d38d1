import { anyOf, type CircuitBreaker, circuitBreaker, exponential, failureRate, slowCallRate } from 'recloser';
import { expect, test } from 'vitest';
import { configurationOf } from './configuration.ts';

const read = (breaker: CircuitBreaker, updatedAt = new Map<string, number>()) =>
  Object.fromEntries(configurationOf(breaker, breaker.metrics().window, updatedAt).map((line) => [line.option, line]));

test('it tells what was given, what was updated and when, and what is a default', () => {
  const breaker = circuitBreaker({ timeoutMs: 2_000, halfOpen: { maxConcurrent: 3 } });
  breaker.update({ maxConcurrent: 5 });
  const lines = read(breaker, new Map([['maxConcurrent', 42]]));
  expect(lines.timeoutMs).toEqual({ option: 'timeoutMs', value: 2_000, source: 'given' });
  expect(lines['halfOpen.maxConcurrent']).toMatchObject({ value: 3, source: 'given' });
  expect(lines['halfOpen.probeTimeoutMs']).toMatchObject({ value: 2_000, source: 'default' });
  expect(lines.maxConcurrent).toEqual({ option: 'maxConcurrent', value: 5, source: 'updated', at: 42 });
  expect(lines.sleepWindowMs).toMatchObject({ value: 30_000, source: 'default' });
  expect(lines['trip.rule']).toMatchObject({ value: 'consecutiveFailures', source: 'default' });
  expect(lines['trip.threshold']).toMatchObject({ value: 5 });
});

test('the trip rule is taken apart, and functions go by their names', () => {
  const trip = anyOf(
    failureRate({ threshold: 0.5, windowMs: 10_000 }),
    slowCallRate({ threshold: 0.8, slowCallMs: 300, windowCalls: 50 }),
  );
  const lines = read(
    circuitBreaker({
      trip,
      sleepWindowMs: exponential({ initialMs: 1_000, maxMs: 60_000 }),
      classify: function byStatus() {
        return 'success';
      },
    }),
  );
  expect(lines['trip[1].rule']).toMatchObject({ value: 'failureRate', source: 'given' });
  expect(lines['trip[2].slowCallMs']).toMatchObject({ value: 300 });
  expect(lines.classify).toMatchObject({ value: 'byStatus()' });
  expect(typeof lines.sleepWindowMs?.value).toBe('string');
});
