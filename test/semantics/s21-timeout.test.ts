import { AsyncLocalStorage } from 'node:async_hooks';
import { circuitBreaker, constant, exponential, failureRate, lastGood, slowCallRate, TimeoutError } from 'recloser';
import { subscribe } from 'recloser/telemetry';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stateOf, succeed } from '../support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('the race', () => {
  test('S21: timeoutMs races the call and rejects it with TimeoutError', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, name: 'payments' });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await call.result).toBeInstanceOf(TimeoutError);
    expect(await call.result).toMatchObject({
      name: 'TimeoutError',
      code: 'ERR_TIMEOUT',
      breaker: 'payments',
      timeoutMs: 100,
      message: 'payments: timed out after 100 ms',
    });
  });

  test('S21: on the manual clock it fires exactly then, never early, never late', async () => {
    for (const timeoutMs of [1, 1.5, 100, 2 ** 31 - 1]) {
      const { breaker, clock } = setUp({ timeoutMs });
      let at = -1;
      hold(breaker).promise.catch(() => {
        at = clock.now();
      });
      await clock.advance(timeoutMs - 0.001);
      expect(at).toBe(-1);
      await clock.advance(0.001);
      expect(at).toBe(timeoutMs);
    }
  });

  test('S21: of calls that began at different times each has its own end', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 1_000 });
    const ends: number[] = [];
    const starts = [0, 0, 7, 30, 99];
    for (const [i, start] of starts.entries()) {
      await clock.advance(start - (starts[i - 1] ?? 0));
      hold(breaker).promise.catch(() => ends.push(clock.now()));
    }
    await clock.advance(500);
    expect(ends).toEqual(starts.map((start) => start + 100));
  });

  test('S21: breakers that share a duration do not share ends', async () => {
    const { breaker: a, clock } = setUp({ timeoutMs: 100 });
    const b = circuitBreaker({ clock, timeoutMs: 100 });
    const first = hold(a);
    await clock.advance(60);
    const second = hold(b);
    await clock.advance(40);
    expect(await stateOf(first.promise)).toBe('rejected');
    expect(await stateOf(second.promise)).toBe('pending');
    await clock.advance(60);
    expect(await stateOf(second.promise)).toBe('rejected');
  });

  test('S21: calls that settle in any order leave the others their ends', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 1_000 });
    const calls: ReturnType<typeof hold>[] = [];
    for (let i = 0; i < 10; i++) {
      calls.push(hold(breaker));
      await clock.advance(5);
    }
    for (const i of [0, 9, 4, 5]) calls[i]?.resolve('in time');
    await clock.advance(49);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 4, timedOutRequests: 0, inFlight: 6 });
    await clock.advance(200);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 4, timedOutRequests: 6, inFlight: 0 });
    expect(clock.pending).toBe(0);
  });

  test('S21: a call that ends in time leaves no timer', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9 });
    await succeed(breaker);
    await fail(breaker);
    expect(clock.pending).toBe(0);
  });

  test('S21: a refused call starts no timer', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    await fail(breaker);
    await rejection(succeed(breaker));
    expect(clock.pending).toBe(0);
  });

  test('S21: real timers are never early, and late by no more than the machine is busy', async () => {
    const breaker = circuitBreaker({ timeoutMs: 60, failureThreshold: 1_000 });
    const late: number[] = [];
    const lateTimers: number[] = [];
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 40; i++) {
      const started = performance.now();
      const note = (list: number[]) => () => list.push(performance.now() - started - 60);
      calls.push(breaker.execute(hang).catch(note(late)));
      calls.push(new Promise((resolve) => setTimeout(resolve, 60)).then(note(lateTimers)));
      if (i % 4 === 3) await new Promise((resolve) => setTimeout(resolve, 3));
    }
    await Promise.all(calls);
    for (const list of [late, lateTimers]) list.sort((a, b) => a - b);
    expect(late).toHaveLength(40);
    expect(late[0]).toBeGreaterThanOrEqual(0);
    expect(late[20]).toBeLessThan((lateTimers[20] as number) + 60);
  });
});

describe('the signal', () => {
  test('S21: the timeout aborts the call’s own signal with that error as reason', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    const signal = call.context?.signal as AbortSignal;
    expect(signal.aborted).toBe(false);
    await clock.advance(100);
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe(await call.result);
  });

  test('S21: a signal first read after the timeout is aborted with it', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    expect(call.context?.signal.aborted).toBe(true);
    expect(call.context?.signal.reason).toBe(await call.result);
  });

  test('S21: one call’s timeout never touches another’s signal', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9 });
    const first = hold(breaker);
    const signal = first.context?.signal;
    await clock.advance(50);
    const second = hold(breaker);
    expect(second.context?.signal).not.toBe(signal);
    await clock.advance(50);
    expect(signal?.aborted).toBe(true);
    expect(second.context?.signal.aborted).toBe(false);
    second.resolve('fine');
    expect(await second.promise).toBe('fine');
  });

  test('S21: the first call after a timeout does not start aborted', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9 });
    void hold(breaker).context?.signal;
    await clock.advance(100);
    expect(await breaker.execute(({ signal }) => signal.aborted)).toBe(false);
  });

  test('S21: work that listens ends early, and the caller gets the TimeoutError', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = breaker.execute(
      ({ signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => reject(new Error('stopped')));
        }),
    );
    const result = rejection(call);
    await clock.advance(100);
    expect(await result).toBeInstanceOf(TimeoutError);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, lateResults: 1 });
  });

  test('S21: abort listeners run in their own call’s async context', async () => {
    const store = new AsyncLocalStorage<string>();
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9 });
    const seen: (string | undefined)[] = [];
    const listen = ({ signal }: { signal: AbortSignal }) => {
      signal.addEventListener('abort', () => seen.push(store.getStore()));
      return hang();
    };
    for (const name of ['one', 'two', 'three']) store.run(name, () => void breaker.execute(listen).catch(() => {}));
    await store.run('whoever advances the clock', () => clock.advance(100));
    expect(seen).toEqual(['one', 'two', 'three']);
  });

  test('S21: … with real timers, which all calls share', async () => {
    const store = new AsyncLocalStorage<string>();
    const breaker = circuitBreaker({ timeoutMs: 20, failureThreshold: 9 });
    const seen: (string | undefined)[] = [];
    const ends = ['one', 'two'].map((name) =>
      store.run(name, () =>
        breaker
          .execute(({ signal }) => {
            signal.addEventListener('abort', () => seen.push(store.getStore()));
            return hang();
          })
          .catch(() => {}),
      ),
    );
    await Promise.all(ends);
    expect(seen).toEqual(['one', 'two']);
  });

  test.each([
    ['a classifier', (see: () => undefined) => ({ classify: see })],
    ['a listener', (see: () => undefined) => ({ onTimedOut: see })],
    ['a listener of the opening', (see: () => undefined) => ({ onOpened: see, failureThreshold: 1 })],
    ['a fallback', (see: () => undefined) => ({ fallback: see })],
  ])('S21: … and so does %s', async (_who, options) => {
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const see = (): undefined => void seen.push(store.getStore());
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9, ...options(see) });
    store.run('the call', () => void breaker.execute(hang).catch(() => {}));
    await store.run('whoever advances the clock', () => clock.advance(100));
    expect(seen).toEqual(['the call']);
  });

  test('S21: … and a subscriber of its channels', async () => {
    const store = new AsyncLocalStorage<string>();
    for (const event of ['opened', 'timed-out'] as const) {
      const seen: (string | undefined)[] = [];
      const off = subscribe(`recloser:circuit-breaker:${event}`, () => void seen.push(store.getStore()));
      const { breaker, clock } = setUp({ timeoutMs: 100 });
      store.run('the call', () => void breaker.execute(hang).catch(() => {}));
      await store.run('whoever advances the clock', () => clock.advance(100));
      off();
      expect(seen).toEqual(['the call']);
    }
  });

  test('S21: … also when it is the caller’s abort that runs them', () => {
    const store = new AsyncLocalStorage<string>();
    const { breaker } = setUp();
    const controller = new AbortController();
    const seen: (string | undefined)[] = [];
    store.run('the call', () => {
      breaker
        .execute(
          ({ signal }) => {
            signal.addEventListener('abort', () => seen.push(store.getStore()));
            return hang();
          },
          { signal: controller.signal },
        )
        .catch(() => {});
    });
    store.run('the aborter', () => controller.abort());
    expect(seen).toEqual(['the call']);
  });
});

describe('bounds', () => {
  const tooLong = 2 ** 31;

  test.each([
    ['timeoutMs', () => circuitBreaker({ timeoutMs: tooLong })],
    ['sleepWindowMs', () => circuitBreaker({ sleepWindowMs: tooLong })],
    ['maxSleepWindowMs', () => circuitBreaker({ maxSleepWindowMs: tooLong })],
    ['abandonAfterMs', () => circuitBreaker({ abandonAfterMs: tooLong })],
    ['halfOpen.probeTimeoutMs', () => circuitBreaker({ halfOpen: { probeTimeoutMs: tooLong } })],
    ['recovery.rampMs', () => circuitBreaker({ recovery: { rampMs: tooLong } })],
    ['slowCallMs', () => circuitBreaker({ slowCallMs: tooLong })],
    ['expiresInMs', () => circuitBreaker().forceOpen({ expiresInMs: tooLong })],
    ['timeoutMs', () => circuitBreaker().update({ timeoutMs: tooLong })],
    ['windowMs', () => failureRate({ threshold: 1, windowMs: tooLong })],
    ['slowCallMs', () => slowCallRate({ threshold: 1, windowCalls: 1, slowCallMs: tooLong })],
    ['ms', () => constant(tooLong)],
    ['maxMs', () => exponential({ initialMs: 1, maxMs: tooLong })],
    ['maxAgeMs', () => lastGood({ maxAgeMs: tooLong })],
  ])('S21: durations above 2^31 − 1 ms are refused at construction: %s', (option, make) => {
    expect(make).toThrow(RangeError);
    expect(make).toThrow(option);
    expect(make).toThrow(/2147483647, got 2147483648/);
  });

  test('S21: 2^31 − 1 itself is fine and does not fire at once', async () => {
    const breaker = circuitBreaker({ timeoutMs: tooLong - 1 });
    const call = hold(breaker);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(await stateOf(call.promise)).toBe('pending');
    call.resolve();
    await call.result;
  });
});

const loud = {
  onListenerError(error: unknown): never {
    throw error;
  },
};
const broken = (): never => {
  throw new Error('broken');
};

test('S21: nothing that is thrown while a call times out keeps other calls from it', async () => {
  const { breaker, clock } = setUp({ ...loud, classify: broken, timeoutMs: 100 });
  const calls = [hold(breaker), hold(breaker)];
  await clock.advance(100).catch(() => {});
  expect(await Promise.all(calls.map(({ promise }) => stateOf(promise)))).toEqual(['rejected', 'rejected']);
  const other = circuitBreaker({ clock, timeoutMs: 100 });
  const call = hold(other);
  await clock.advance(100);
  expect(await stateOf(call.promise)).toBe('rejected');
});
