import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import {
  BulkheadFullError,
  bulkhead,
  CircuitOpenError,
  circuitBreaker,
  constant,
  pipeline,
  RejectedError,
  type RetryOptions,
  retry,
  retryBudget,
  timeout,
} from 'recloser';
import { manualClock, scriptedDependency } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { toldBudget } from '../../../../../test/support/attempts.ts';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

const down = new Error('down');

function setUp(options: RetryOptions = {}) {
  const clock = manualClock();
  const causes: unknown[] = [];
  const policy = retry({ clock, backoff: constant(100), onGaveUp: ({ cause }) => causes.push(cause), ...options });
  return { clock, policy, causes };
}

describe('refusals', () => {
  const refusal = (reason: 'open' | 'rate-limited' | 'bulkhead-full' | 'budget-exhausted', retryAfterMs?: number) =>
    new RejectedError('no', { breaker: 'x', reason, retryAfterMs });
  const attemptsAt = async (error: unknown, options: RetryOptions = {}): Promise<number> => {
    const { clock, policy } = setUp({ attempts: 4, ...options });
    let attempts = 0;
    const result = policy.execute(() => {
      attempts++;
      return Promise.reject(error);
    });
    result.catch(() => {});
    await clock.advance(60_000);
    expect(await rejection(result)).toBe(error);
    return attempts;
  };

  test('cockatiel#107: an open circuit inside ends the call at once', async () => {
    const { clock, policy } = setUp({ attempts: 10, backoff: constant(0) });
    const breaker = circuitBreaker({ clock, failureThreshold: 2 });
    let attempts = 0;
    const stack = pipeline(policy, breaker);
    const result = stack.execute(() => {
      attempts++;
      return Promise.reject(down);
    });
    expect(await rejection(result)).toBeInstanceOf(CircuitOpenError);
    expect(attempts).toBe(2);
    expect(policy.metrics()).toMatchObject({ ignoredRequests: 1, failedRequests: 0 });
  });

  test('of any policy are not tried again, whatever classify says', async () => {
    expect(await attemptsAt(refusal('rate-limited', 100))).toBe(1);
    expect(await attemptsAt(refusal('bulkhead-full'))).toBe(1);
    expect(await attemptsAt(refusal('bulkhead-full'), { classify: () => 'failure' })).toBe(1);
  });

  test('with retryRefusals those that say when to come back are waited for', async () => {
    expect(await attemptsAt(refusal('rate-limited', 100), { retryRefusals: true })).toBe(4);
    expect(await attemptsAt(refusal('bulkhead-full'), { retryRefusals: true })).toBe(1);
    expect(await attemptsAt(refusal('budget-exhausted', 100), { retryRefusals: true })).toBe(1);
    const open = new CircuitOpenError('open', { breaker: 'x', reason: 'open', retryAfterMs: 100 });
    expect(await attemptsAt(open, { retryRefusals: true })).toBe(1);
  });

  test('are waited for as long as they say', async () => {
    const { clock, policy } = setUp({ attempts: 2, retryRefusals: true });
    const result = policy.execute(({ attempt }) => {
      if (attempt === 1) throw refusal('rate-limited', 1_000);
      return 'ok';
    });
    await clock.advance(999);
    expect(await stateOf(result)).toBe('pending');
    await clock.advance(1);
    expect(await result).toBe('ok');
  });
});

describe('S22: the caller gives up', () => {
  test('before the call: the function is not called, nothing is counted', async () => {
    const { policy } = setUp();
    let called = false;
    const result = policy.execute(() => (called = true), { signal: AbortSignal.abort('gone') });
    expect(await rejection(result)).toBe('gone');
    expect(called).toBe(false);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test.each([
    ['during the first attempt', 50, 1],
    ['between attempts (ky#390, cockatiel: the wait went on and the function ran again)', 150, 1],
    ['during the second attempt', 250, 2],
  ])('%s: the call ends at once, with the caller’s reason, and nothing of it is left', async (_, at, attempts) => {
    const settled: unknown[] = [];
    const { clock, policy, causes } = setUp({ attempts: 5, onSettled: (event) => settled.push(event) });
    const dependency = scriptedDependency(clock, [{ error: down, afterMs: 100 }]);
    const caller = new AbortController();
    const result = policy.execute(dependency, { signal: caller.signal });
    result.catch(() => {});
    await clock.advance(at);
    caller.abort('enough');
    expect(await stateOf(result)).toBe('rejected');
    expect(await rejection(result)).toBe('enough');
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    await clock.advance(60_000);
    expect(dependency.calls).toBe(attempts);
    expect(causes).toEqual([]);
    expect(settled).toMatchObject([{ attempts, verdict: 'ignored' }]);
    expect(clock.pending).toBe(0);
    expect(policy.metrics()).toMatchObject({ ignoredRequests: 1, failedRequests: 0, inFlight: 0 });
  });

  test('by a deadline: that is not tried again either, and is a failure', async () => {
    const { clock, policy } = setUp();
    const caller = new AbortController();
    const result = policy.execute(() => new Promise(() => {}), { signal: caller.signal });
    const reason = new DOMException('late', 'TimeoutError');
    caller.abort(reason);
    expect(await rejection(result)).toBe(reason);
    expect(clock.pending).toBe(0);
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, retries: 0 });
  });

  test('a value that came in before that is the caller’s, good or bad', async () => {
    const caller = new AbortController();
    const { policy } = setUp({
      classify: () => {
        caller.abort('enough');
        return 'failure';
      },
    });
    expect(await policy.execute(() => 'bad', { signal: caller.signal })).toBe('bad');
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, retries: 0 });
  });

  test('a timeout around ends the waiting too', async () => {
    const { clock, policy } = setUp({ backoff: constant(10_000) });
    const result = pipeline({ onWarning: false }, timeout({ timeoutMs: 500, clock }), policy).execute(() =>
      Promise.reject(down),
    );
    result.catch(() => {});
    await clock.advance(500);
    expect(await rejection(result)).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(clock.pending).toBe(0);
  });

  test('no listener of it is left on a signal of many calls', async () => {
    const { clock, policy } = setUp({ attempts: 3 });
    const { signal } = new AbortController();
    for (let i = 0; i < 10; i++) {
      policy.execute(({ attempt }) => (attempt < 3 ? Promise.reject(down) : 'ok'), { signal }).catch(() => {});
    }
    await clock.advance(1_000);
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(clock.pending).toBe(0);
  });
});

describe('the budget', () => {
  const failing = () => Promise.reject(down);

  test('is on by default: 1,000 calls that fail together make 200 more attempts by their share and 10 by the minimum', async () => {
    const { clock, policy, causes } = setUp({ attempts: 4 });
    let attempts = 0;
    const events: unknown[] = [];
    policy.on('budget-exhausted', (event) => events.push(event));
    const results = Array.from({ length: 1_000 }, (_, i) =>
      policy.execute(
        () => {
          attempts++;
          return failing();
        },
        { key: `${i}` },
      ),
    );
    const settled = Promise.allSettled(results);
    await clock.advance(50);
    // Envoy#30205: what waits for its back-off is paid for as well.
    expect(policy.metrics()).toMatchObject({ retries: 210, budgetExhausted: 790 });
    await clock.advance(1_000);
    for (const result of await settled) expect(result).toEqual({ status: 'rejected', reason: down });
    expect(attempts).toBe(1_000 + policy.metrics().retries);
    expect(attempts).toBeLessThanOrEqual(1_000 + 200 + 10 + 2);
    expect(events[0]).toEqual({ policy: 'retry', key: '210', attempts: 1 });
    expect(new Set(causes)).toEqual(new Set(['budget']));
  });

  test('in an outage adds no more than the minimum: what fails takes away', async () => {
    const { clock, policy } = setUp({ attempts: 4 });
    for (let second = 0; second < 60; second++) {
      for (let i = 0; i < 100; i++) {
        policy.execute(failing).catch(() => {});
        await clock.advance(10);
      }
    }
    const { retries, totalRequests } = policy.metrics();
    expect(totalRequests).toBe(6_000);
    expect(retries).toBeGreaterThanOrEqual(60);
    expect(retries).toBeLessThanOrEqual(60 + 10 + 1);
  });

  test('leaves a few failures among many calls alone', async () => {
    const { clock, policy } = setUp();
    let failed = 0;
    for (let i = 0; i < 2_000; i++) {
      const fails = i % 20 === 0;
      policy.execute(({ attempt }) => (fails && attempt === 1 ? failing() : 'ok')).catch(() => failed++);
      await clock.advance(10);
    }
    await clock.advance(1_000);
    expect(failed).toBe(0);
    expect(policy.metrics()).toMatchObject({ recoveredRequests: 100, budgetExhausted: 0 });
  });

  test('budget: false is no bound, and pipelines warn of it by its kind', async () => {
    const { clock, policy } = setUp({ budget: false, attempts: 3 });
    for (let i = 0; i < 500; i++) policy.execute(failing).catch(() => {});
    await clock.advance(1_000);
    expect(policy.metrics().retries).toBe(1_000);
    const told: string[] = [];
    pipeline({ onWarning: (warning) => told.push(warning) }, circuitBreaker(), policy);
    expect(told).toEqual([expect.stringMatching(/^circuit breaker around retry without budget/)]);
  });

  test('may be shared: what one policy spends another lacks', async () => {
    const clock = manualClock();
    const budget = retryBudget({ clock, share: 0, minPerSecond: 0.3 });
    const [reads, writes] = [setUp({ budget, clock }).policy, setUp({ budget, clock }).policy];
    reads.execute(failing).catch(() => {});
    await clock.advance(200);
    writes.execute(failing).catch(() => {});
    await clock.advance(200);
    expect(reads.metrics()).toMatchObject({ retries: 2, budgetExhausted: 0 });
    expect(writes.metrics()).toMatchObject({ retries: 1, budgetExhausted: 1 });
  });

  test('shared by policies one inside the other it counts each call once', async () => {
    const clock = manualClock();
    const { budget, told } = toldBudget(clock);
    const stack = pipeline(
      { onWarning: false },
      setUp({ budget, clock, attempts: 2 }).policy,
      bulkhead({ maxConcurrent: 9, clock }),
      setUp({ budget, clock, attempts: 2 }).policy,
    );
    const seen: number[] = [];
    const result = stack.execute(({ attempt }) => {
      seen.push(attempt);
      return failing();
    });
    result.catch(() => {});
    await clock.advance(1_000);
    expect(await rejection(result)).toBe(down);
    expect(told).toEqual(['called', 'take', 'take', 'take', 'failure']);
    expect(seen).toEqual([1, 2, 2, 2]);
  });

  test.each([
    ['a refusal inside', () => Promise.reject(new BulkheadFullError('x', { breaker: 'x', reason: 'bulkhead-full' }))],
    ['an ignored error', () => Promise.reject(new Error('404'))],
  ])('%s pays nothing in', async (_, fn) => {
    const clock = manualClock();
    const budget = retryBudget({ clock, minPerSecond: 0, share: 1 });
    const classify = () => 'ignored' as const;
    const { policy } = setUp({ clock, budget, classify });
    await rejection(policy.execute(fn));
    expect(budget.available).toBe(0);
  });
});

test('whatever happens: no call is lost, attempts stay within their number and the budget, and nothing is left', async () => {
  const step = fc.record({
    afterMs: fc.integer({ min: 0, max: 300 }),
    fails: fc.boolean(),
  });
  const plan = fc.record({
    beginsAt: fc.integer({ min: 0, max: 2_000 }),
    steps: fc.array(step, { minLength: 1, maxLength: 6 }),
    abortsAfterMs: fc.option(fc.integer({ min: 0, max: 1_500 }), { nil: undefined }),
  });
  await holdsInTime(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 25 }),
      fc.integer({ min: 1, max: 5 }),
      fc.constantFrom(0, 0.2, 1),
      fc.integer({ min: 0, max: 3 }),
      async (plans, attempts, share, minPerSecond) => {
        const clock = manualClock();
        const budget = retryBudget({ clock, share, minPerSecond });
        const policy = retry({ clock, attempts, budget, backoff: constant(50, { jitter: 1 }) });
        let made = 0;
        let settled = 0;
        let afterTheEnd = 0;
        const signals: AbortSignal[] = [];
        for (const { beginsAt, steps, abortsAfterMs } of plans) {
          clock.setTimeout(() => {
            const caller = new AbortController();
            signals.push(caller.signal);
            let over = false;
            let own = 0;
            if (abortsAfterMs !== undefined) clock.setTimeout(() => caller.abort('enough'), abortsAfterMs);
            const work = ({ attempt }: { attempt: number }): Promise<unknown> => {
              made++;
              if (over) afterTheEnd++;
              if (++own !== attempt || attempt > attempts)
                throw new Error(`attempt ${attempt}, the ${own}th of ${attempts}`);
              const { afterMs, fails } = steps[Math.min(attempt, steps.length) - 1] as (typeof steps)[number];
              return new Promise((resolve, reject) => {
                clock.setTimeout(() => (fails ? reject(down) : resolve('ok')), afterMs);
              });
            };
            policy
              .execute(work, { signal: caller.signal })
              .then(
                (value) => value === 'ok' || expect.unreachable(),
                (error) => error === down || error === 'enough' || expect.unreachable(),
              )
              .then(() => {
                settled++;
                over = true;
              });
          }, beginsAt);
        }
        await clock.advance(20_000);
        const { totalRequests, successfulRequests, failedRequests, ignoredRequests, retries } = policy.metrics();
        expect(settled).toBe(plans.length);
        expect(totalRequests).toBe(successfulRequests + failedRequests + ignoredRequests);
        expect(afterTheEnd).toBe(0);
        expect(made).toBeLessThanOrEqual(totalRequests + retries);
        const minimum = minPerSecond * (10 + 20);
        expect(retries).toBeLessThanOrEqual(share * totalRequests + minimum);
        expect(clock.pending).toBe(0);
        for (const signal of signals) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      },
    ),
    100,
  );
});
