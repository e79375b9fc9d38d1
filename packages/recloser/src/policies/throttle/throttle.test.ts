import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import {
  type AdaptiveThrottleOptions,
  adaptiveThrottle,
  CircuitOpenError,
  RejectedError,
  ThrottledError,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { chance } from '../../../../../test/support/chance.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

const down = new Error('down');

/** Whatever the dice are for: nobody gets through by luck. */
function setUp(options: AdaptiveThrottleOptions = {}) {
  const clock = manualClock();
  const policy = adaptiveThrottle({ name: 'search', clock, random: () => 0, ...options });
  const calls = { made: 0 };
  const call = (result: unknown = 'ok', signal?: AbortSignal): Promise<unknown> =>
    policy
      .execute(
        () => {
          calls.made++;
          if (result instanceof Error) throw result;
          return result;
        },
        { key: 'k', signal },
      )
      .catch((error: unknown) => error);
  const fail = () => call(down);
  return { clock, policy, call, fail, calls };
}

async function repeat(times: number, run: () => Promise<unknown>): Promise<void> {
  for (let i = 0; i < times; i++) await run();
}

describe('the formula', () => {
  test('(requests − K · accepts) / (requests + 1), and never below 0', async () => {
    const { policy, call, fail } = setUp({ random: () => 0.999 });
    const probability = (): number => policy.metrics().rejectionProbability;
    expect(probability()).toBe(0);
    await call();
    expect(probability()).toBe(0);
    await fail();
    expect(probability()).toBe(0);
    await fail();
    expect(probability()).toBe((3 - 2) / 4);
    await fail();
    expect(probability()).toBe((4 - 2) / 5);
    expect(policy.metrics()).toMatchObject({ windowRequests: 4, windowAccepts: 1 });
  });

  test('a call is refused when the dice fall below it, the function not called; refusals are requests too', async () => {
    let dice = 1;
    const { policy, call, fail, calls } = setUp({ random: () => dice, minimumPerSecond: 0 });
    await repeat(4, fail);
    const { made } = calls;
    dice = policy.metrics().rejectionProbability;
    await call();
    expect(calls.made).toBe(made + 1);
    dice = policy.metrics().rejectionProbability - 1e-9;
    const { windowRequests, rejectedRequests } = policy.metrics();
    expect(await call()).toBeInstanceOf(ThrottledError);
    expect(calls.made).toBe(made + 1);
    expect(policy.metrics()).toMatchObject({
      windowRequests: windowRequests + 1,
      rejectedRequests: rejectedRequests + 1,
    });
  });

  test('what a refusal says', async () => {
    const { call, fail } = setUp({ minimumPerSecond: 0 });
    await fail();
    const error = await call();
    expect(error).toBeInstanceOf(ThrottledError);
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toMatchObject({
      name: 'ThrottledError',
      code: 'ERR_THROTTLED',
      breaker: 'search',
      reason: 'throttled',
      retryAfterMs: undefined,
      status: 503,
      message: 'search: too little is accepted, 50 % of calls are not tried',
      stack: 'ThrottledError: search: too little is accepted, 50 % of calls are not tried',
    });
    expect(await call()).not.toBe(error);
  });

  test('calls older than the window are forgotten, also by those who only read', async () => {
    const { clock, policy, fail } = setUp({ windowMs: 10_000, random: () => 1 });
    await repeat(5, fail);
    await clock.advance(9_500);
    expect(policy.metrics().windowRequests).toBe(5);
    await clock.advance(500);
    expect(policy.metrics()).toMatchObject({ windowRequests: 0, rejectionProbability: 0, failedRequests: 5 });
  });
});

describe('what counts', () => {
  test('refusals of inner policies and aborts by the caller count as neither accepted nor refused', async () => {
    const { policy, call } = setUp();
    const caller = new AbortController();
    const inner = new CircuitOpenError('x', { breaker: 'x', reason: 'open' });
    await call(inner);
    const aborted = call(new Promise(() => {}), caller.signal);
    caller.abort(new Error('enough'));
    expect(await aborted).toBe(caller.signal.reason);
    expect(policy.metrics()).toMatchObject({ ignoredRequests: 2, windowRequests: 0, inFlight: 0 });
  });

  test('S12: a deadline of the caller was not accepted', async () => {
    const { policy, call } = setUp();
    const caller = new AbortController();
    const late = call(new Promise(() => {}), caller.signal);
    caller.abort(new DOMException('late', 'TimeoutError'));
    await late;
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, windowRequests: 1, windowAccepts: 0 });
  });

  test('calls in flight say nothing yet: a cold start is not throttled', async () => {
    const { clock, policy } = setUp();
    let ends = (): void => {};
    const work = new Promise<void>((resolve) => {
      ends = resolve;
    });
    const all = Array.from({ length: 1_000 }, () => policy.execute(() => work));
    expect(policy.metrics()).toMatchObject({ inFlight: 1_000, rejectedRequests: 0, windowRequests: 0 });
    ends();
    await Promise.all(all);
    await clock.advance(0);
    expect(policy.metrics()).toMatchObject({ inFlight: 0, successfulRequests: 1_000, windowAccepts: 1_000 });
  });

  test('classify decides, and sees what it needs; one that throws is reported and leaves it at the default', async () => {
    const faults: unknown[] = [];
    const seen: unknown[] = [];
    const { clock, policy, call } = setUp({
      classify: (outcome) => {
        seen.push(outcome);
        if (outcome.value === 'broken') throw new Error('x');
        return outcome.error === undefined ? undefined : 'success';
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    const slow = call(new Promise((resolve) => void clock.setTimeout(() => resolve('slow'), 30)));
    await clock.advance(30);
    await slow;
    await call(down);
    await call('broken');
    await policy.execute(() => undefined);
    expect(seen.at(-1)).toMatchObject({ ok: true, value: undefined, aborted: false });
    expect(seen.slice(0, 2)).toEqual([
      { ok: true, value: 'slow', error: undefined, elapsedMs: 30, key: 'k', context: undefined, aborted: false },
      { ok: false, value: undefined, error: down, elapsedMs: 0, key: 'k', context: undefined, aborted: false },
    ]);
    expect(faults).toEqual(['classify']);
    expect(policy.metrics()).toMatchObject({ successfulRequests: 4, failedRequests: 0 });
  });
});

test('where random throws that is reported, and the call tried', async () => {
  const faults: unknown[] = [];
  const { policy, fail } = setUp({
    minimumPerSecond: 0,
    random: () => {
      throw new Error('x');
    },
    onListenerError: (_fault, event) => faults.push(event),
  });
  await repeat(2, fail);
  expect(await policy.execute(() => 'ok')).toBe('ok');
  expect(faults).toEqual(['random', 'random']);
  expect(policy.metrics().inFlight).toBe(0);
});

describe('the least that is tried', () => {
  test('so many calls a second get through whatever the figures say, so that a recovery is noticed', async () => {
    const { clock, fail, calls } = setUp({ minimumPerSecond: 2 });
    await repeat(50, fail);
    calls.made = 0;
    for (let ms = 0; ms < 10_000; ms += 20) {
      await clock.advance(20);
      await fail();
    }
    expect(calls.made).toBe(20);
  });

  test('the next of them as soon as its share of the second is over', async () => {
    const { clock, fail, calls } = setUp({ minimumPerSecond: 2 });
    await repeat(3, fail);
    expect(calls.made).toBe(2);
    await clock.advance(499);
    await fail();
    expect(calls.made).toBe(2);
    await clock.advance(1);
    await fail();
    expect(calls.made).toBe(3);
  });

  test('by any clock: its zero may lie ahead', async () => {
    const { fail, calls } = setUp({ clock: manualClock(-60_000) });
    await repeat(3, fail);
    expect(calls.made).toBe(2);
  });

  test('with 0 only luck helps', async () => {
    const { clock, fail, calls } = setUp({ minimumPerSecond: 0, windowMs: 1e9 });
    await fail();
    calls.made = 0;
    for (let i = 0; i < 100; i++) {
      await clock.advance(60_000);
      await fail();
    }
    expect(calls.made).toBe(0);
  });
});

describe('as every policy', () => {
  test('S22: an aborted caller is not counted and its function not called; no listener is left', async () => {
    const { policy, call, calls } = setUp();
    expect(await call('x', AbortSignal.abort('before'))).toBe('before');
    expect(calls.made).toBe(0);
    expect(policy.metrics().totalRequests).toBe(0);
    const caller = new AbortController();
    await call('ok', caller.signal);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test('a throwing listener changes nothing; a stack only if asked for', async () => {
    const faults: unknown[] = [];
    const seen: unknown[] = [];
    const { call, fail } = setUp({
      minimumPerSecond: 0,
      captureStacks: true,
      onRejected: (event) => {
        seen.push(event);
        throw new Error('mine');
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    await fail();
    expect(((await call()) as Error).stack).toContain('throttle.ts');
    expect(seen).toEqual([{ policy: 'search', key: 'k', probability: 1 / 2 }]);
    expect(faults).toEqual(['rejected']);
  });

  test('S26: all faults of its options in one error', () => {
    const wrong = { multiplier: 0.5, windowMs: 0, minimumPerSecond: -1, classify: 1, captureStacks: 1, k: 2 } as never;
    expect(() => adaptiveThrottle(wrong)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adaptiveThrottle: multiplier must be a number from 1 to 1000, got 0.5; windowMs must be a number from 1 to 2147483647, got 0; minimumPerSecond must be a number from 0 to 1000000, got -1; classify must be a function, got 1; captureStacks must be a boolean, got 1; unknown option k must be one of multiplier, windowMs, minimumPerSecond, classify, captureStacks, name, clock, random, onListenerError, onRejected, got 'k']`,
    );
    expect(() => adaptiveThrottle(null as never)).toThrow(TypeError);
  });

  test('S4: it never has a timer', async () => {
    const { clock, call, fail } = setUp();
    await repeat(10, fail);
    await repeat(10, call);
    expect(clock.pending).toBe(0);
  });
});

/** A dependency that accepts so many calls a second, under steady demand: how many were sent and refused each second. */
async function overload(
  { demand, capacity, seconds }: { demand: number; capacity: (second: number) => number; seconds: number },
  options: AdaptiveThrottleOptions,
  random: () => number,
) {
  const clock = manualClock();
  const policy = adaptiveThrottle({ clock, random, ...options });
  const sent: number[] = [];
  for (let second = 0; second < seconds; second++) {
    let made = 0;
    for (let i = 0; i < demand; i++) {
      policy.execute(() => (made++ < capacity(second) ? 'ok' : Promise.reject(down))).catch(() => {});
      if (i % 10 === 0) await clock.advance(0);
    }
    await clock.advance(1_000);
    sent.push(made);
    const { totalRequests, successfulRequests, failedRequests, rejectedRequests, inFlight } = policy.metrics();
    expect(totalRequests).toBe(successfulRequests + failedRequests + rejectedRequests + inFlight);
    expect(inFlight).toBe(0);
  }
  return { sent, policy };
}

const mean = (list: readonly number[]): number => list.reduce((sum, n) => sum + n, 0) / list.length;

describe('under load, in virtual time', () => {
  const seeded = fc.integer({ min: 1, max: 2 ** 31 - 1 });

  test('what accepts at least half is never throttled', async () => {
    await holdsInTime(
      fc.asyncProperty(fc.integer({ min: 2, max: 40 }), seeded, async (demand, seed) => {
        const { policy } = await overload(
          { demand, capacity: () => demand, seconds: 20 },
          { windowMs: 5_000 },
          chance(seed).unit,
        );
        expect(policy.metrics().rejectedRequests).toBe(0);
      }),
      20,
    );
  });

  test('an overloaded dependency gets about K times what it accepts', async () => {
    await holdsInTime(
      fc.asyncProperty(
        fc.record({
          demand: fc.integer({ min: 60, max: 120 }),
          capacity: fc.integer({ min: 5, max: 20 }),
          multiplier: fc.constantFrom(1.5, 2, 3),
          seed: seeded,
        }),
        async ({ demand, capacity, multiplier, seed }) => {
          const { sent } = await overload(
            { demand, capacity: () => capacity, seconds: 120 },
            { windowMs: 10_000, multiplier, minimumPerSecond: 0 },
            chance(seed).unit,
          );
          const aim = Math.min(demand, multiplier * capacity);
          const got = mean(sent.slice(20));
          expect(got).toBeGreaterThan(0.75 * aim);
          expect(got).toBeLessThan(1.25 * aim + 1);
        },
      ),
      20,
    );
  });

  test('after a total outage longer than its window it finds back to all calls', async () => {
    await holdsInTime(
      fc.asyncProperty(seeded, async (seed) => {
        const { sent } = await overload(
          { demand: 100, capacity: (second) => (second < 30 ? 0 : 100), seconds: 90 },
          { windowMs: 10_000 },
          chance(seed).unit,
        );
        expect(mean(sent.slice(15, 30))).toBeLessThan(3);
        expect(mean(sent.slice(80))).toBe(100);
      }),
      10,
    );
  });
});
