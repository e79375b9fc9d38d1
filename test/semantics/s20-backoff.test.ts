import fc from 'fast-check';
import { type Backoff, constant, decorrelatedJitter, type Evidence, exponential, linear } from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, setUp, sleepLeftMs, succeed } from '../support/calls.ts';
import { holds } from '../support/properties.ts';

type Sleep = number | Backoff<Evidence>;

/** The sleeps of an outage of so many openings in a row. */
async function sleeps(sleepWindowMs: Sleep, openings: number, options: object = {}): Promise<(number | undefined)[]> {
  const { breaker, clock } = setUp({ sleepWindowMs, maxSleepWindowMs: 1_000_000, ...options });
  const seen: (number | undefined)[] = [];
  for (let i = 0; i < openings; i++) {
    await fail(breaker);
    expect(breaker.state).toBe('open');
    const left = await sleepLeftMs(breaker);
    seen.push(left);
    await clock.advance(left as number);
  }
  return seen;
}

describe('the sleep window', () => {
  test('S20: it is a number', async () => {
    expect(await sleeps(250, 3)).toEqual([250, 250, 250]);
  });

  test('S20: thirty seconds unless said', async () => {
    const { breaker } = setUp({ sleepWindowMs: undefined });
    await fail(breaker);
    expect(await sleepLeftMs(breaker)).toBe(30_000);
  });

  test('S20: or a back-off over the attempt', async () => {
    expect(await sleeps((attempt) => attempt * 100, 4)).toEqual([100, 200, 300, 400]);
  });

  test('S20: it gets the evidence of the opening', async () => {
    const seen: Evidence[] = [];
    const { breaker } = setUp({
      sleepWindowMs: (_attempt, evidence) => {
        seen.push(evidence);
        return 10;
      },
    });
    await fail(breaker, Object.assign(new Error('x'), { code: 'ECONNRESET' }));
    expect(seen).toMatchObject([
      { rule: 'consecutiveFailures', value: 1, topErrors: [{ name: 'ECONNRESET', count: 1 }] },
    ]);
  });

  test('S20: the attempt count grows by failed probes and falls back on closing', async () => {
    const attempts: number[] = [];
    const { breaker, clock } = setUp({
      sleepWindowMs: (attempt) => {
        attempts.push(attempt);
        return 100;
      },
    });
    await fail(breaker);
    for (let i = 0; i < 3; i++) {
      await clock.advance(100);
      await fail(breaker);
    }
    await clock.advance(100);
    await succeed(breaker);
    await fail(breaker);
    expect(attempts).toEqual([1, 2, 3, 4, 1]);
  });

  test('S20: reset brings it back, too', async () => {
    const attempts: number[] = [];
    const { breaker, clock } = setUp({
      sleepWindowMs: (attempt) => {
        attempts.push(attempt);
        return 100;
      },
    });
    await fail(breaker);
    await clock.advance(100);
    await fail(breaker);
    breaker.reset();
    await fail(breaker);
    expect(attempts).toEqual([1, 2, 1]);
  });

  test('S20: constant, exponential and decorrelated jitter work in a breaker', async () => {
    expect(await sleeps(constant(70), 3)).toEqual([70, 70, 70]);
    expect(await sleeps(exponential({ initialMs: 100, maxMs: 500, jitter: 0 }), 5)).toEqual([100, 200, 400, 500, 500]);
    const random = () => 1;
    expect(await sleeps(decorrelatedJitter({ initialMs: 100, maxMs: 1_000 }), 4, { random })).toEqual([
      100, 300, 900, 1_000,
    ]);
    expect(await sleeps(exponential({ initialMs: 100, maxMs: 500 }), 3, { random: () => 0.25 })).toEqual([
      75, 150, 300,
    ]);
  });

  test('S20: the built ones can be asked by the attempt alone, at any attempt', () => {
    expect(exponential({ initialMs: 100, maxMs: 500, jitter: 0 })(2)).toBe(200);
    for (const backoff of [
      constant(500, { jitter: 1 }),
      linear({ initialMs: 100, maxMs: 500 }),
      exponential({ initialMs: 100, maxMs: 500 }),
      decorrelatedJitter({ initialMs: 100, maxMs: 500 }),
    ]) {
      for (const attempt of [1, 2, 10_000, Number.MAX_VALUE]) {
        const ms = backoff(attempt);
        expect(ms >= 0 && ms <= 500, `${ms} at attempt ${attempt}`).toBe(true);
      }
    }
  });

  test('S20: … and inside a back-off of the user’s, which passes on what it likes', async () => {
    const doubling = exponential({ initialMs: 100, maxMs: 10_000, jitter: 0 });
    expect(await sleeps((attempt, evidence) => 1 + doubling(attempt, evidence), 3)).toEqual([101, 201, 401]);
  });

  test('S20: a retryAfterMs of the failure lengthens the window', async () => {
    const { breaker } = setUp({ sleepWindowMs: 1_000 });
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 7_000 }));
    expect(await sleepLeftMs(breaker)).toBe(7_000);
  });

  test('S20: … of a probe, too, and by the classifier, the longer one counts', async () => {
    const { breaker, clock } = setUp({
      sleepWindowMs: 1_000,
      classify: ({ ok }) => (ok ? undefined : { verdict: 'failure', retryAfterMs: 3_000 }),
    });
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 2_000 }));
    expect(await sleepLeftMs(breaker)).toBe(3_000);
    await clock.advance(3_000);
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 5_000 }));
    expect(await sleepLeftMs(breaker)).toBe(5_000);
  });

  test('S20: … only of the failure that opens, not of one before it or of one that comes too late', async () => {
    const { breaker } = setUp({ failureThreshold: 2, sleepWindowMs: 1_000 });
    const late = hold(breaker);
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 7_000 }));
    await fail(breaker);
    late.reject(Object.assign(new Error('busy'), { retryAfterMs: 7_000 }));
    await late.result;
    expect(await sleepLeftMs(breaker)).toBe(1_000);
  });

  test('S20: … it never shortens it', async () => {
    const { breaker } = setUp({ sleepWindowMs: 1_000 });
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 10 }));
    expect(await sleepLeftMs(breaker)).toBe(1_000);
  });

  test('S20: … up to maxSleepWindowMs', async () => {
    const { breaker } = setUp({ sleepWindowMs: 1_000, maxSleepWindowMs: 4_000 });
    await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: 1e12 }));
    expect(await sleepLeftMs(breaker)).toBe(4_000);
    const { breaker: usual } = setUp({ sleepWindowMs: 1_000 });
    await fail(usual, Object.assign(new Error('busy'), { retryAfterMs: Number.POSITIVE_INFINITY }));
    expect(await sleepLeftMs(usual)).toBe(300_000);
  });

  test('S20: a sleep window longer than five minutes is its own maximum', async () => {
    const { breaker } = setUp({ sleepWindowMs: 900_000 });
    await fail(breaker);
    expect(await sleepLeftMs(breaker)).toBe(900_000);
  });

  test.each([-5, Number.NaN, '5', undefined, null])(
    'S20: a nonsense retryAfterMs of an error means nothing: %s',
    async (ms) => {
      const { breaker } = setUp({ sleepWindowMs: 1_000 });
      await fail(breaker, Object.assign(new Error('busy'), { retryAfterMs: ms }));
      expect(await sleepLeftMs(breaker)).toBe(1_000);
    },
  );

  test('S20: a permit’s failure can say it, too', async () => {
    const { breaker } = setUp({ sleepWindowMs: 1_000 });
    breaker.acquire()?.failure({ retryAfterMs: 2_500 });
    expect(await sleepLeftMs(breaker)).toBe(2_500);
  });
});

describe('back-offs that misbehave', () => {
  test.each([
    ['negative', -50, 0],
    ['beyond the maximum', 1e9, 60_000],
    ['infinite', Number.POSITIVE_INFINITY, 60_000],
    ['minus infinity', Number.NEGATIVE_INFINITY, 0],
    ['NaN', Number.NaN, 60_000],
    ['no number', 'soon', 60_000],
    ['nothing', undefined, 60_000],
    ['a promise', Promise.resolve(5), 60_000],
  ])('S20: whatever it answers, the sleep is from 0 to the maximum: %s', async (_what, answer, sleepMs) => {
    const { breaker } = setUp({
      sleepWindowMs: () => answer as number,
      maxSleepWindowMs: 60_000,
      onListenerError: () => {},
    });
    let told: number | undefined;
    breaker.on('opened', ({ retryAfterMs }) => {
      told = retryAfterMs;
    });
    await fail(breaker);
    expect(told).toBe(sleepMs);
  });

  test('S20: one that throws or answers no number is reported, and the circuit sleeps for the maximum', async () => {
    const onListenerError = vi.fn();
    const broken = new Error('backoff');
    const { breaker } = setUp({
      maxSleepWindowMs: 5_000,
      onListenerError,
      sleepWindowMs: () => {
        throw broken;
      },
    });
    await fail(breaker);
    expect(breaker.state).toBe('open');
    expect(await sleepLeftMs(breaker)).toBe(5_000);
    expect(onListenerError).toHaveBeenCalledExactlyOnceWith(broken, 'sleepWindowMs');
  });

  test('S20: where it is async by mistake and rejects that is reported, too, and no unhandled rejection', async () => {
    const told: unknown[] = [];
    const broken = new Error('backoff');
    const { breaker, clock } = setUp({
      sleepWindowMs: (async () => Promise.reject(broken)) as never,
      onListenerError: (error) => told.push(error),
    });
    await fail(breaker);
    await clock.advance(0);
    expect(told).toContain(broken);
  });
});

describe('jitter', () => {
  const draws = fc.oneof(fc.double({ min: 0, max: 1, noNaN: true }), fc.constantFrom(0, 1, 1 - 2 ** -53));
  const attempts = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 100_000 }), fc.constant(10_000));
  const durations = fc.integer({ min: 0, max: 2 ** 31 - 1 });

  test('S20: exponential is never negative, NaN or above maxMs, also at attempt 10,000', () => {
    holds(
      fc.property(
        durations,
        durations,
        fc.double({ min: 1, max: 1_000, noNaN: true }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        attempts,
        draws,
        (a, b, factor, jitter, attempt, draw) => {
          const [initialMs, maxMs] = [Math.min(a, b), Math.max(a, b)];
          const ms = exponential({ initialMs, maxMs, factor, jitter })(attempt, undefined, {
            random: () => draw,
            previousMs: undefined,
          });
          expect(ms).toBeGreaterThanOrEqual(0);
          expect(ms).toBeLessThanOrEqual(maxMs);
        },
      ),
      2_000,
    );
  });

  test('S20: decorrelated jitter stays between initialMs and maxMs over 10,000 attempts', () => {
    holds(
      fc.property(durations, durations, fc.array(draws, { minLength: 1, maxLength: 50 }), (a, b, drawn) => {
        const [initialMs, maxMs] = [Math.min(a, b), Math.max(a, b)];
        const backoff = decorrelatedJitter({ initialMs, maxMs });
        let previousMs: number | undefined;
        for (let attempt = 1; attempt <= 10_000; attempt += 1 + Math.floor(attempt / 10)) {
          const random = () => drawn[attempt % drawn.length] as number;
          const ms = backoff(attempt, undefined, { random, previousMs });
          expect(ms >= initialMs && ms <= maxMs).toBe(true);
          previousMs = ms;
        }
      }),
      50,
    );
  });

  test('S20: constant stays between its unjittered share and the whole', () => {
    holds(
      fc.property(
        durations,
        fc.double({ min: 0, max: 1, noNaN: true }),
        attempts,
        draws,
        (ms, jitter, attempt, draw) => {
          const drawn = constant(ms, { jitter })(attempt, undefined, { random: () => draw, previousMs: undefined });
          expect(drawn).toBeGreaterThanOrEqual(ms * (1 - jitter) - 1e-3);
          expect(drawn).toBeLessThanOrEqual(ms);
        },
      ),
    );
  });

  test.each([Number.NaN, -1, 2, Number.POSITIVE_INFINITY, undefined, 'x'])(
    'S20: a random source that answers %s leads to no sleep out of bounds',
    (answer) => {
      const draw = { random: () => answer as number, previousMs: 50 };
      for (const backoff of [
        constant(100, { jitter: 1 }),
        exponential({ initialMs: 10, maxMs: 100 }),
        decorrelatedJitter({ initialMs: 10, maxMs: 100 }),
      ]) {
        for (const attempt of [1, 2, 10_000]) {
          const ms = backoff(attempt, undefined, draw);
          expect(ms >= 0 && ms <= 100).toBe(true);
        }
      }
    },
  );
});

const loud = {
  onListenerError(error: unknown): never {
    throw error;
  },
};
const broken = (): never => {
  throw new Error('broken');
};

test('S20: a throwing back-off loses no transition, even if onListenerError throws as well', async () => {
  const { breaker } = setUp({ ...loud, sleepWindowMs: broken });
  const error = new Error('down');
  expect(await fail(breaker, error)).toBe(error);
  expect(breaker.state).toBe('open');
});
