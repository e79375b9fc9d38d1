import { circuitBreaker, type PolicyLike, pipeline, registry, retry, timeout } from 'recloser';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { warnings } from './order.ts';

test('the recommended order has nothing to say', () => {
  const order = [
    'fallback',
    'cache',
    'coalesce',
    'timeout',
    'retry',
    'hedge',
    'circuit-breaker',
    'rate-limit',
    'bulkhead',
    'timeout',
  ];
  expect(warnings(order)).toEqual([]);
});

test.each([
  [['circuit-breaker', 'retry-without-budget'], 'circuit breaker around retry without budget'],
  [['bulkhead', 'retry'], 'bulkhead around retry'],
  [['retry', 'timeout', 'retry-without-budget'], 'retry around retry'],
  [['hedge', 'retry'], 'hedge around retry'],
  [['circuit-breaker', 'hedge'], 'circuit breaker around hedge'],
  [['retry', 'fallback'], 'retry around fallback'],
  [['circuit-breaker', 'fallback'], 'circuit breaker around fallback'],
  [['retry', 'cache'], 'retry around cache'],
  [['circuit-breaker', 'cache'], 'circuit breaker around cache'],
  [['circuit-breaker', 'coalesce'], 'circuit breaker around coalesce'],
  [['cache', 'circuit-breaker', 'fallback'], 'circuit breaker around fallback', 'cache around fallback'],
  [['chaos', 'timeout'], 'chaos around timeout'],
  [['chaos', 'circuit-breaker'], 'chaos around circuit breaker'],
  [['chaos', 'retry'], 'chaos around retry'],
  [['timeout', 'retry', 'circuit-breaker'], 'timeout around retry only'],
])('%j hurts, and it says why', (kinds, ...says) => {
  expect(warnings(kinds)).toEqual(says.map((it) => expect.stringMatching(new RegExp(`^${it}: .{20}`))));
});

test('a timeout around anything but retry is no fault', () => {
  expect(warnings(['timeout', 'circuit-breaker', 'bulkhead'])).toEqual([]);
});

test('a breaker around a retry with a budget is no fault, nor is a policy that is not ours', () => {
  expect(warnings(['circuit-breaker', 'retry'])).toEqual([]);
  expect(warnings(['', 'retry', ''])).toEqual([]);
});

test('a time limit of a breaker is a timeout inside retry', () => {
  const clock = manualClock();
  const told: string[] = [];
  const around = (inner: PolicyLike): void =>
    void pipeline(
      { onWarning: (warning) => told.push(warning) },
      timeout({ timeoutMs: 5_000, clock }),
      retry({ clock }),
      inner,
    );
  around(circuitBreaker({ clock, timeoutMs: 2_000 }));
  around(registry({ clock, defaults: { timeoutMs: 2_000 } }));
  expect(told).toEqual([]);
  around(circuitBreaker({ clock }));
  around(registry({ clock }));
  expect(told).toEqual(Array(2).fill(expect.stringMatching(/^timeout around retry only/)));
});
