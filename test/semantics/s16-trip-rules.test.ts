import fc from 'fast-check';
import { circuitBreaker, failureCount, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { setUp } from '../support/calls.ts';
import { holds } from '../support/properties.ts';

type Breaker = ReturnType<typeof setUp>['breaker'];

function feed(breaker: Breaker, failures: number, successes: number): void {
  for (let i = 0; i < successes; i++) breaker.acquire()?.success();
  for (let i = 0; i < failures; i++) breaker.acquire()?.failure('x');
}

const rate = (threshold: number, windowCalls: number, minimumCalls = windowCalls) =>
  failureRate({ threshold, windowCalls, minimumCalls });

describe('rates', () => {
  test('S16: a rate decides only from minimumCalls on', () => {
    const { breaker } = setUp({ trip: rate(0.5, 100, 10) });
    feed(breaker, 9, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S16: of no calls the rate is 0', () => {
    for (const confidence of [undefined, 0.95]) {
      const { breaker } = setUp({ trip: failureRate({ threshold: 0.5, windowMs: 1_000, confidence }) });
      expect(breaker.metrics().window).toMatchObject({ value: 0, calls: 0 });
    }
  });

  test('S16: minimumCalls is 20 unless said, and never above windowCalls', () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 0.5, windowCalls: 100 }) });
    feed(breaker, 19, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
    const { breaker: small } = setUp({ trip: failureRate({ threshold: 0.5, windowCalls: 5, minimumCalls: 50 }) });
    feed(small, 5, 0);
    expect(small.state).toBe('open');
  });

  test('S16: the comparison is ≥: exactly the threshold opens', () => {
    const { breaker } = setUp({ trip: rate(0.5, 4) });
    feed(breaker, 2, 2);
    expect(breaker.state).toBe('open');
  });

  test('S16: the success that completes the minimum can open: every sample is judged', () => {
    const { breaker } = setUp({ trip: rate(0.5, 4) });
    feed(breaker, 3, 0);
    expect(breaker.state).toBe('closed');
    breaker.acquire()?.success();
    expect(breaker.state).toBe('open');
  });

  test('S16: 49.5 % does not trip 50 %', () => {
    const { breaker } = setUp({ trip: rate(0.5, 200) });
    feed(breaker, 99, 101);
    expect(breaker.metrics().window.value).toBe(0.495);
    expect(breaker.state).toBe('closed');
    // The window moves on: the oldest success makes room.
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S16: a threshold of a thousandth means one in a thousand, not one in two hundred', () => {
    const { breaker } = setUp({ trip: rate(0.001, 1_001, 1_001) });
    feed(breaker, 0, 1_000);
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('closed');
    const { breaker: exact } = setUp({ trip: rate(0.001, 1_000, 1_000) });
    feed(exact, 1, 999);
    expect(exact.state).toBe('open');
  });

  test('S16: 3 of 30 is 0.1, and 3 of 10 is 0.3: written decimals compare as they read', () => {
    for (const [failures, calls, threshold] of [
      [3, 30, 0.1],
      [3, 10, 0.3],
      [6, 10, 0.6],
      [7, 10, 0.7],
      [1, 3, 1 / 3],
      [7, 100, 0.07],
      [29, 100, 0.29],
      [58, 200, 0.29],
    ] as const) {
      const { breaker } = setUp({ trip: rate(threshold, calls) });
      feed(breaker, failures, calls - failures);
      expect([failures, calls, threshold, breaker.state]).toEqual([failures, calls, threshold, 'open']);
      const { breaker: below } = setUp({ trip: rate(threshold, calls) });
      feed(below, failures - 1, calls - failures + 1);
      expect(below.state).toBe('closed');
    }
  });

  test('S16: for any counts the decision is that of the exact ratio', () => {
    const figures = fc.integer({ min: 1, max: 60 }).chain((calls) => fc.tuple(fc.nat(calls), fc.constant(calls)));
    holds(
      fc.property(figures, fc.integer({ min: 1, max: 100 }), ([failures, calls], percent) => {
        const { breaker } = setUp({ trip: rate(percent / 100, calls) });
        feed(breaker, failures, calls - failures);
        expect(breaker.state).toBe(failures * 100 >= percent * calls ? 'open' : 'closed');
      }),
      300,
    );
  });

  test('S16: a count of failures needs no crowd', () => {
    const { breaker } = setUp({ trip: failureCount({ threshold: 3, windowCalls: 100 }) });
    feed(breaker, 2, 50);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S16: confidence opens only when the lower Wilson bound reaches the threshold', () => {
    const trip = () => failureRate({ threshold: 0.5, windowCalls: 200, minimumCalls: 1, confidence: 0.95 });
    const { breaker } = setUp({ trip: trip() });
    // 3 of 3: lower bound 0.4385; 4 of 4: 0.5101.
    feed(breaker, 3, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
    const { breaker: noisy } = setUp({ trip: trip() });
    // 10 of 20 is the threshold itself, but its lower bound is 0.299.
    feed(noisy, 10, 10);
    expect(noisy.state).toBe('closed');
  });
});

describe('consecutive failures', () => {
  test('S16: consecutive counting opens at the threshold', () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    feed(breaker, 2, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S16: five is the default', () => {
    const breaker = circuitBreaker();
    feed(breaker, 4, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S16: consecutive counting resets on a success', () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    for (let i = 0; i < 20; i++) {
      feed(breaker, 2, 0);
      feed(breaker, 0, 1);
    }
    expect(breaker.state).toBe('closed');
  });

  test('S16: … on a success only: ignored and refused calls and time leave it', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 3, maxConcurrent: 1 });
    feed(breaker, 2, 0);
    breaker.acquire()?.ignore();
    const busy = breaker.acquire();
    breaker.acquire();
    busy?.ignore();
    await clock.advance(1e9);
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });
});
