import { describe, expect, test } from 'vitest';
import { aimd } from './aimd.ts';
import { gradient } from './gradient.ts';
import { type AdaptiveConcurrencyOptions, readOptions } from './options.ts';
import type { LimitRule, Round } from './round.ts';

/** A rule, and rounds whose calls used the limit up unless they say otherwise. */
function setUp(
  make: (settings: ReturnType<typeof readOptions>) => LimitRule,
  options: AdaptiveConcurrencyOptions = {},
) {
  const settings = readOptions({ initialLimit: 100, maxLimit: 1_000, ...options });
  const rule = make(settings);
  let limit = settings.initialLimit;
  return (round: Partial<Round>): number => {
    const used = { limit, concurrency: limit, latencyMs: 100, failureRate: 0, reached: true };
    limit = Math.floor(rule({ ...used, ...round }));
    return limit;
  };
}

describe('the rule of the gradient', () => {
  test('grows by the root while latency stays, and shrinks as it grows, by no more than half', () => {
    const next = setUp(gradient);
    expect(next({ latencyMs: 100 })).toBe(110);
    // 110 × 100 / 125 + √110
    expect(next({ latencyMs: 125 })).toBe(98);
    const halved = setUp(gradient);
    halved({ latencyMs: 100 });
    expect(halved({ latencyMs: 1_000 })).toBe(65);
  });

  test('a quicker round draws the base down by a fifth', () => {
    const next = setUp(gradient);
    next({ latencyMs: 100 });
    next({ latencyMs: 50 });
    // The base is 90 now: 120.49 × 90 / 100 + √120.49, and 40 % less for the experiment.
    expect(next({ latencyMs: 100 })).toBe(71);
  });

  test('a round whose calls did not use the limit leaves it alone, unless it was reached: then it may grow, never shrink', () => {
    const next = setUp(gradient);
    expect(next({ concurrency: 74, reached: false })).toBe(100);
    expect(next({ concurrency: 74, reached: true })).toBe(110);
    expect(next({ concurrency: 10, reached: true, latencyMs: 10_000 })).toBe(110);
  });

  test('what latency is while the limit is not used is learnt, a tenth a round', () => {
    const next = setUp(gradient);
    next({ concurrency: 50, reached: false, latencyMs: 100 });
    for (let i = 0; i < 50; i++) next({ concurrency: 50, reached: false, latencyMs: 400 });
    expect(next({ latencyMs: 400 })).toBe(109);
  });

  test('three rounds that used the limit, then every sixteenth, are followed by one with 40 % less, but at least one', () => {
    const limits = (initialLimit: number): number[] => {
      const next = setUp(gradient, { initialLimit, maxLimit: initialLimit });
      // Throughput falls with the limit: the work takes what it takes.
      return Array.from({ length: 24 }, () => next({ latencyMs: 100 }));
    };
    const probes = (list: number[]): number[] =>
      list.flatMap((limit, i) => (limit < (list[0] as number) ? [i + 1] : []));
    expect(probes(limits(100))).toEqual([3, 19]);
    expect(limits(100)[2]).toBe(60);
    expect(limits(2)[2]).toBe(1);
  });

  test('an experiment that cost no throughput is kept, and repeated at once until one does', () => {
    const next = setUp(gradient, { initialLimit: 100, maxLimit: 100 });
    const inLine = (limit: number): number => Math.max(100, limit * 5); // twenty are worked at, the rest stand in line
    let limit = 100;
    const limits = Array.from({ length: 9 }, () => {
      limit = next({ latencyMs: inLine(limit), concurrency: limit });
      return limit;
    });
    expect(limits.slice(0, 7)).toEqual([100, 100, 60, 36, 21, 12, 25]);
  });

  test('a round with more failures than it may have takes a share off', () => {
    const next = setUp(gradient, { failureThreshold: 0.2, backoffRatio: 0.5 });
    expect(next({ failureRate: 0.2 })).toBe(110);
    expect(next({ failureRate: 0.21 })).toBe(55);
  });
});

describe('the rule of aimd', () => {
  test('one more after a good round that reached the limit, none after one that did not, a share off after a bad one', () => {
    const next = setUp(aimd, { failureThreshold: 0.2, backoffRatio: 0.5 });
    expect(next({ failureRate: 0.2 })).toBe(101);
    expect(next({ reached: false })).toBe(101);
    expect(next({ failureRate: 0.21 })).toBe(50);
  });
});
