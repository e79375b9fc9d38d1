import { AsyncLocalStorage } from 'node:async_hooks';
import { type CallContext, decorrelatedJitter, retry } from 'recloser';
import { manualClock, type Outcome } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { down, retryScene as setUp } from '../../../../../test/support/attempts.ts';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { countingClock, jumpingClock } from '../../../../../test/support/clocks.ts';

const fails: Outcome = { error: down };
const works: Outcome = { value: 'ok' };

describe('attempts', () => {
  test('a call that succeeds is made once', async () => {
    const { policy, dependency, call, told } = setUp({}, [works]);
    expect(await call()).toBe('ok');
    expect(dependency.calls).toBe(1);
    expect(told).toEqual([]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 1, successfulRequests: 1, retries: 0 });
  });

  test('each call tells its end: how many there were, and what came of it', async () => {
    const settled: unknown[] = [];
    const { clock, call } = setUp({ onSettled: (event) => settled.push(event) }, [works, fails, works]);
    await call();
    call();
    await clock.advance(100);
    expect(settled).toEqual([
      { policy: 'reads', attempts: 1, verdict: 'success' },
      { policy: 'reads', attempts: 2, verdict: 'success' },
    ]);
  });

  test('a failed call is made again after the back-off, until it succeeds', async () => {
    const { clock, policy, dependency, call, told } = setUp({ attempts: 5 }, [fails, fails, works]);
    const result = call();
    await clock.advance(99);
    expect(dependency.calls).toBe(1);
    await clock.advance(1);
    expect(dependency.calls).toBe(2);
    await clock.advance(100);
    expect(await result).toBe('ok');
    expect(dependency.calls).toBe(3);
    expect(told).toEqual([
      { event: 'retry-scheduled', policy: 'reads', key: undefined, attempt: 2, delayMs: 100, error: down },
      { event: 'retry-scheduled', policy: 'reads', key: undefined, attempt: 3, delayMs: 100, error: down },
      { event: 'recovered', policy: 'reads', key: undefined, attempts: 3 },
    ]);
    expect(policy.metrics()).toEqual({
      name: 'reads',
      totalRequests: 1,
      successfulRequests: 1,
      failedRequests: 0,
      ignoredRequests: 0,
      inFlight: 0,
      retries: 2,
      recoveredRequests: 1,
      budgetExhausted: 0,
      budgetUtilization: expect.closeTo(0.19, 2),
    });
  });

  test('include the first, and the call rejects with the last one’s own error', async () => {
    const errors = [1, 2, 3, 4].map((n) => new Error(`no. ${n}`));
    const script = errors.map((error) => ({ error }));
    const { clock, dependency, call, told, policy } = setUp({ attempts: 3 }, script);
    const result = call();
    await clock.advance(10_000);
    expect(await rejection(result)).toBe(errors[2]);
    expect(dependency.calls).toBe(3);
    expect(told.at(-1)).toEqual({
      event: 'gave-up',
      policy: 'reads',
      key: undefined,
      attempts: 3,
      cause: 'attempts',
      error: errors[2],
    });
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, recoveredRequests: 0, retries: 2 });
  });

  test('are three unless said, and one is no retry', async () => {
    const { clock, dependency, call } = setUp();
    call();
    await clock.advance(10_000);
    expect(dependency.calls).toBe(3);
    const once = setUp({ attempts: 1 });
    expect(await rejection(once.call())).toBe(down);
    expect(once.dependency.calls).toBe(1);
    expect(once.clock.pending).toBe(0);
  });

  test('a synchronous throw is a failure like any other', async () => {
    const { clock, policy } = setUp({ attempts: 2 });
    let calls = 0;
    const result = policy.execute(() => {
      if (calls++ === 0) throw down;
      return 'ok';
    });
    await clock.advance(100);
    expect(await result).toBe('ok');
  });

  test('the function sees which attempt it is', async () => {
    const { clock, policy } = setUp();
    const seen: number[] = [];
    const result = policy.execute(({ attempt }) => {
      seen.push(attempt);
      return Promise.reject(down);
    });
    result.catch(() => {});
    await clock.advance(1_000);
    expect(seen).toEqual([1, 2, 3]);
  });

  test('each has what its caller gave', async () => {
    const { clock, policy } = setUp({ attempts: 2 });
    const seen: unknown[] = [];
    const signals = new Set<AbortSignal>();
    const context = { user: 5 };
    const fn = (call: CallContext) => {
      seen.push(call.key, call.context);
      signals.add(call.signal);
      return Promise.reject(down);
    };
    policy.execute(fn, { key: 'k', context, signal: new AbortController().signal }).catch(() => {});
    await clock.advance(100);
    expect(seen).toEqual(['k', context, 'k', context]);
    // Listeners of one attempt do not gather on the signal of the next, nor on the caller's.
    expect(signals.size).toBe(2);
  });

  test('S21: each runs in its caller’s own async context', async () => {
    const { clock, policy } = setUp({ attempts: 2 });
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    for (const name of ['a', 'b']) {
      store.run(name, () => {
        policy
          .execute(() => {
            seen.push(store.getStore());
            return Promise.reject(down);
          })
          .catch(() => {});
      });
    }
    await clock.advance(100);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('waiting', () => {
  test('is exponential with full jitter unless said', async () => {
    const { clock, call, told } = setUp({ backoff: undefined, attempts: 4, random: () => 0.25 });
    call();
    await clock.advance(60_000);
    expect(told).toMatchObject([{ delayMs: 75 }, { delayMs: 150 }, { delayMs: 300 }, { cause: 'attempts' }]);
  });

  test('a number is the same wait each time', async () => {
    const { clock, call, told } = setUp({ backoff: 30 });
    call();
    await clock.advance(60);
    expect(told).toMatchObject([{ delayMs: 30 }, { delayMs: 30 }, { cause: 'attempts' }]);
  });

  test('a back-off of yours learns what failed, and the wait before', async () => {
    const asked: unknown[] = [];
    const { clock, call } = setUp({
      attempts: 3,
      random: () => 0.5,
      backoff: (attempt, failed, { random, previousMs }) => {
        asked.push([attempt, failed, random(), previousMs]);
        return 10 * attempt;
      },
    });
    call();
    await clock.advance(100);
    const failed = { error: down, value: undefined, retryAfterMs: 0 };
    expect(asked).toEqual([
      [1, failed, 0.5, undefined],
      [2, failed, 0.5, 10],
    ]);
  });

  test('decorrelated jitter builds on the wait before', async () => {
    const backoff = decorrelatedJitter({ initialMs: 10, maxMs: 1_000 });
    const { clock, call, told } = setUp({ backoff, attempts: 4, random: () => 1 });
    call();
    await clock.advance(1_000);
    expect(told).toMatchObject([{ delayMs: 10 }, { delayMs: 30 }, { delayMs: 90 }, {}]);
  });

  test.each([
    ['longer than maxDelayMs', () => 1e9, 5_000, 0],
    ['below 0', () => -5, 0, 0],
    ['no number', () => Number.NaN, 5_000, 1],
    [
      'a throw',
      () => {
        throw new Error('x');
      },
      5_000,
      1,
    ],
  ])(
    'S20: whatever a back-off answers, the wait is from 0 to maxDelayMs: %s',
    async (_, backoff, delayMs, reported) => {
      const faults: unknown[] = [];
      const onListenerError = (_fault: unknown, event: string): void => void faults.push(event);
      const { clock, call, told } = setUp({ backoff, attempts: 2, maxDelayMs: 5_000, onListenerError });
      call();
      await clock.advance(10_000);
      expect(told).toMatchObject([{ delayMs }, { cause: 'attempts' }]);
      expect(faults).toEqual(Array(reported).fill('backoff'));
    },
  );

  test('of 0 needs no timer', async () => {
    const { dependency, policy } = setUp({ backoff: 0 }, [fails, works]);
    expect(await policy.execute(dependency)).toBe('ok');
  });

  test('S4: only a call that waits has a timer', async () => {
    const { clock, call } = setUp({ attempts: 2 });
    expect(clock.pending).toBe(0);
    call();
    await clock.advance(0);
    expect(clock.pending).toBe(1);
    await clock.advance(100);
    expect(clock.pending).toBe(0);
  });
});

describe('Retry-After', () => {
  const busy = (retryAfterMs: number) => ({ error: Object.assign(new Error('busy'), { retryAfterMs }) });

  test('lengthens the wait, never shortens it', async () => {
    const { clock, call, told } = setUp({}, [busy(700), busy(50), works]);
    const result = call();
    await clock.advance(800);
    expect(await result).toBe('ok');
    expect(told).toMatchObject([{ delayMs: 700 }, { delayMs: 100 }, {}]);
  });

  test('beyond maxDelayMs the call is not made again, and fails at once', async () => {
    const { call, told, dependency, clock } = setUp({ maxDelayMs: 1_000 }, [busy(1_001)]);
    const error = await rejection(call());
    expect(error).toMatchObject({ message: 'busy' });
    expect(told).toMatchObject([{ event: 'gave-up', cause: 'retry-after', attempts: 1, error }]);
    expect(dependency.calls).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('of just maxDelayMs is waited for', async () => {
    const { clock, call } = setUp({ maxDelayMs: 1_000 }, [busy(1_000), works]);
    const result = call();
    await clock.advance(1_000);
    expect(await result).toBe('ok');
  });

  test('may be the classifier’s answer, for results that carry it as well', async () => {
    const { clock, call, told, dependency } = setUp(
      { classify: ({ value }) => (value === 429 ? { verdict: 'failure', retryAfterMs: 2_000 } : undefined) },
      [{ value: 429 }, { value: 200 }],
    );
    const result = call();
    await clock.advance(1_999);
    expect(dependency.calls).toBe(1);
    await clock.advance(1);
    expect(await result).toBe(200);
    expect(told).toMatchObject([{ delayMs: 2_000, error: undefined }, { event: 'recovered' }]);
  });
});

describe('maxElapsedMs', () => {
  test('no attempt begins later than that after the first', async () => {
    const { clock, call, told, dependency } = setUp({ attempts: Infinity, maxElapsedMs: 300 });
    const result = call();
    await clock.advance(300);
    expect(await rejection(result)).toBe(down);
    expect(dependency.calls).toBe(4);
    expect(told.at(-1)).toMatchObject({ cause: 'elapsed', attempts: 4 });
  });

  test('counts the work as well, and does not wait for what would be too late', async () => {
    const { clock, call, told } = setUp({ maxElapsedMs: 300 }, [{ error: down, afterMs: 201 }]);
    const result = call();
    await clock.advance(201);
    expect(await stateOf(result)).toBe('rejected');
    expect(told).toMatchObject([{ event: 'gave-up', cause: 'elapsed', attempts: 1 }]);
  });

  test('counts from the call’s beginning, wherever the clock stands', async () => {
    const clock = manualClock(5_000);
    const { call } = setUp({ clock, maxElapsedMs: 300 }, [fails, works]);
    const result = call();
    await clock.advance(100);
    expect(await result).toBe('ok');
  });

  test('holds where the wait took longer than planned', async () => {
    const clock = jumpingClock();
    const told: unknown[] = [];
    const tell = (event: unknown): number => told.push(event);
    const policy = retry({ clock, backoff: 10, maxElapsedMs: 50, onGaveUp: tell, onRecovered: tell, onSettled: tell });
    let calls = 0;
    const result = rejection(policy.execute(() => Promise.reject(calls++ === 0 ? down : new Error('late'))));
    await clock.advance(0);
    clock.jump(300);
    await clock.advance(10);
    expect(await result).toBe(down);
    expect(calls).toBe(1);
    expect(told).toMatchObject([
      { cause: 'elapsed', attempts: 1, error: down },
      { attempts: 1, verdict: 'failure' },
    ]);
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
  });

  test('an attempt under way is not cut', async () => {
    const { clock, call } = setUp({ maxElapsedMs: 300 }, [fails, { value: 'late', afterMs: 1_000 }]);
    const result = call();
    await clock.advance(1_100);
    expect(await result).toBe('late');
  });

  test('S17: only then, or with classify, is the clock read', async () => {
    const clock = countingClock();
    const plain = retry({ clock });
    const reads = clock.reads;
    await plain.execute(() => 1);
    expect(clock.reads).toBe(reads);
  });
});
