import { describe, expect, test, vi } from 'vitest';
import { type Backoff, constant, decorrelatedJitter, delayOf, exponential, linear } from './backoff.ts';

const ask = (backoff: Backoff, attempt: number, drawn = 0, previousMs?: number): number =>
  backoff(attempt, undefined, { random: () => drawn, previousMs });

describe('constant', () => {
  test('is the same each time', () => {
    expect([1, 2, 100].map((attempt) => ask(constant(250), attempt, 0.7))).toEqual([250, 250, 250]);
  });

  test('takes off the random share of its jitter', () => {
    const backoff = constant(100, { jitter: 0.4 });
    expect([0, 0.5, 1].map((drawn) => ask(backoff, 1, drawn))).toEqual([100, 80, 60]);
  });

  test('draws nothing without jitter', () => {
    const random = vi.fn(() => 0.5);
    constant(100)(1, undefined, { random, previousMs: undefined });
    exponential({ initialMs: 1, maxMs: 2, jitter: 0 })(1, undefined, { random, previousMs: undefined });
    expect(random).not.toHaveBeenCalled();
  });

  test('may be 0, and no less', () => {
    expect(ask(constant(0, { jitter: 1 }), 1, 0.5)).toBe(0);
    expect(() => constant(-1)).toThrow(RangeError);
    expect(() => constant(Number.NaN)).toThrow(RangeError);
    expect(() => constant('5' as never)).toThrow(TypeError);
    expect(() => constant(5, { jitter: 1.1 })).toThrow('jitter');
    expect(() => constant(5, { share: 1 } as never)).toThrow('share');
  });
});

describe('exponential', () => {
  test('doubles from the first delay up to the maximum', () => {
    const backoff = exponential({ initialMs: 100, maxMs: 1_000, jitter: 0 });
    expect([1, 2, 3, 4, 5, 6].map((attempt) => ask(backoff, attempt))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('takes another factor', () => {
    const backoff = exponential({ initialMs: 10, maxMs: 1_000, factor: 3, jitter: 0 });
    expect([1, 2, 3].map((attempt) => ask(backoff, attempt))).toEqual([10, 30, 90]);
    const flat = exponential({ initialMs: 10, maxMs: 1_000, factor: 1, jitter: 0 });
    expect(ask(flat, 50)).toBe(10);
  });

  test('has full jitter unless said: from 0 to the whole', () => {
    const backoff = exponential({ initialMs: 100, maxMs: 1_000 });
    expect([0, 0.25, 1].map((drawn) => ask(backoff, 2, drawn))).toEqual([200, 150, 0]);
  });

  test('of a first delay of 0 stays 0, however often it doubles', () => {
    expect(ask(exponential({ initialMs: 0, maxMs: 1_000, jitter: 0 }), 10_000)).toBe(0);
  });

  test('is the maximum where the power is beyond the numbers', () => {
    expect(ask(exponential({ initialMs: 1, maxMs: 1_000, factor: 1_000, jitter: 0 }), 10_000)).toBe(1_000);
  });

  test.each([
    [{ initialMs: -1, maxMs: 5 }, 'initialMs'],
    [{ initialMs: 10, maxMs: 5 }, 'maxMs'],
    [{ initialMs: 1, maxMs: 5, factor: 0.5 }, 'factor'],
    [{ initialMs: 1, maxMs: 5, factor: 1_001 }, 'factor'],
    [{ initialMs: 1, maxMs: 5, jitter: -0.1 }, 'jitter'],
    [{ initialMs: 1, maxMs: 5, random: 1 }, 'random'],
    [{ initialMs: 1 }, 'maxMs'],
    [undefined, 'options'],
  ])('refuses %o', (options, fault) => {
    expect(() => exponential(options as never)).toThrow(fault);
  });
});

describe('decorrelatedJitter', () => {
  const backoff = decorrelatedJitter({ initialMs: 100, maxMs: 1_000 });

  test('begins with the first delay', () => {
    expect(ask(backoff, 1, 1)).toBe(100);
    expect(ask(backoff, 1, 1, 900)).toBe(100);
    expect(ask(backoff, 2, 1)).toBe(300);
  });

  test('draws between the first delay and three times the one before, up to the maximum', () => {
    expect([0, 0.5, 1].map((drawn) => ask(backoff, 2, drawn, 200))).toEqual([100, 350, 600]);
    expect(ask(backoff, 9, 1, 900)).toBe(1_000);
    expect(ask(backoff, 9, 1, 0)).toBe(100);
  });

  test('refuses bounds the wrong way round', () => {
    expect(() => decorrelatedJitter({ initialMs: 10, maxMs: 5 })).toThrow('maxMs');
    expect(() => decorrelatedJitter({ initialMs: -1, maxMs: 5 })).toThrow('initialMs');
    expect(() => decorrelatedJitter(undefined as never)).toThrow('options');
    expect(() => decorrelatedJitter({ initialMs: 1, maxMs: 5, jitter: 1 } as never)).toThrow('jitter');
  });
});

describe('linear', () => {
  test('grows by the first delay each time, up to the maximum', () => {
    const backoff = linear({ initialMs: 100, maxMs: 350, jitter: 0 });
    expect([1, 2, 3, 4, 100].map((attempt) => ask(backoff, attempt))).toEqual([100, 200, 300, 350, 350]);
  });

  test('grows by another step', () => {
    const backoff = linear({ initialMs: 100, maxMs: 1_000, stepMs: 50, jitter: 0 });
    expect([1, 2, 3].map((attempt) => ask(backoff, attempt))).toEqual([100, 150, 200]);
    expect(ask(linear({ initialMs: 100, maxMs: 1_000, stepMs: 0, jitter: 0 }), 50)).toBe(100);
  });

  test('has full jitter unless said: from 0 to the whole', () => {
    const backoff = linear({ initialMs: 100, maxMs: 1_000 });
    expect([0, 0.25, 1].map((drawn) => ask(backoff, 2, drawn))).toEqual([200, 150, 0]);
    expect(ask(linear({ initialMs: 100, maxMs: 1_000, jitter: 0.5 }), 1, 1)).toBe(50);
  });

  test('S20: is the maximum at any later attempt', () => {
    expect(ask(linear({ initialMs: 1, maxMs: 1_000 }), 10_000)).toBe(1_000);
    expect(ask(linear({ initialMs: 1, maxMs: 1_000 }), Number.MAX_VALUE)).toBe(1_000);
  });

  test('S26: its faults are told together', () => {
    expect(() => linear({ initialMs: -1, maxMs: 2, stepMs: 'x', jitter: 2, factor: 2 } as never)).toThrow(
      /initialMs.*stepMs.*jitter.*unknown option factor/,
    );
    expect(() => linear({ initialMs: 5, maxMs: 4 })).toThrow('maxMs must be at least initialMs (5)');
  });
});

describe('what a policy makes of a back-off', () => {
  const random = () => 0;
  const delay = (backoff: number | Backoff, faults: unknown[] = []): number =>
    delayOf(
      { name: 'x', random, onListenerError: (...told) => faults.push(told) },
      'waitMs',
      backoff,
      1_000,
      3,
      'why',
      7,
    );

  test('is what it says, from 0 to the maximum', () => {
    expect([delay(0), delay(250), delay(5_000), delay(() => -1), delay(() => Infinity)]).toEqual([
      0, 250, 1_000, 0, 1_000,
    ]);
  });

  test('it is asked with the attempt, the evidence and what it may draw on', () => {
    let asked: unknown[] = [];
    delay((...given) => {
      asked = given;
      return 1;
    });
    expect(asked).toEqual([3, 'why', { random, previousMs: 7 }]);
  });

  test.each([() => Number.NaN, () => 'soon' as never, () => undefined as never])(
    'S20: no number is reported and counts as the maximum',
    (backoff) => {
      const faults: unknown[] = [];
      expect(delay(backoff, faults)).toBe(1_000);
      expect(faults).toEqual([[expect.any(RangeError), 'waitMs']]);
    },
  );
});
