import { type CircuitBreakerOptions, circuitBreaker, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { settledHeap } from '../support/heap.ts';

const mib = 1_024 * 1_024;

const plain: CircuitBreakerOptions = { failureThreshold: 2 ** 31 - 1 };
const full: CircuitBreakerOptions = {
  trip: failureRate({ threshold: 1, windowMs: 10_000, minimumCalls: 2 ** 31 - 1 }),
  timeoutMs: 600_000,
  maxConcurrent: 2 ** 31 - 1,
  latency: true,
};

/** So many calls in flight at once on the breaker, then all settled, half of them failed. */
async function flood(options: CircuitBreakerOptions, calls: number): Promise<void> {
  const breaker = circuitBreaker(options);
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => {
    open = resolve;
  });
  const failing = gate.then(() => Promise.reject(new Error('down')));
  failing.catch(() => {});
  let settled = 0;
  const note = (): void => {
    settled++;
  };
  for (let i = 0; i < calls; i++) breaker.execute(() => (i % 2 ? gate : failing)).then(note, note);
  expect(breaker.metrics().inFlight).toBe(calls);
  open();
  while (settled < calls) await new Promise((resolve) => setImmediate(resolve));
  const { successfulRequests, failedRequests, inFlight } = breaker.metrics();
  expect({ successfulRequests, failedRequests, inFlight }).toEqual({
    successfulRequests: calls / 2,
    failedRequests: calls / 2,
    inFlight: 0,
  });
}

async function row(options: CircuitBreakerOptions, calls: number): Promise<void> {
  const breaker = circuitBreaker(options);
  const answer = Promise.resolve(1);
  const work = () => answer;
  for (let i = 0; i < calls; i++) await breaker.execute(work);
  expect(breaker.metrics()).toMatchObject({ successfulRequests: calls, totalRequests: calls, inFlight: 0 });
}

describe('memory under load', () => {
  test.each([
    ['a plain breaker', plain],
    ['one with timeout, bulkhead, time window and latency', full],
  ])(
    'S30: 10^6 concurrent calls in flight, then settled, and the heap returns to its base ± 1 MiB: %s',
    async (_what, options) => {
      await flood(options, 1_000);
      const before = await settledHeap();
      await flood(options, 1_000_000);
      expect(Math.abs((await settledHeap()) - before)).toBeLessThan(mib);
    },
    60_000,
  );

  test('S30: 10^7 calls in a row, and the heap returns to its base ± 1 MiB', async () => {
    await row(plain, 10_000);
    const before = await settledHeap();
    await row(plain, 10_000_000);
    expect(Math.abs((await settledHeap()) - before)).toBeLessThan(mib);
  }, 90_000);

  test('S30: 10^6 calls in a row with everything on, and the heap returns to its base ± 1 MiB', async () => {
    await row(full, 10_000);
    const before = await settledHeap();
    await row(full, 1_000_000);
    expect(Math.abs((await settledHeap()) - before)).toBeLessThan(mib);
  }, 90_000);
});
