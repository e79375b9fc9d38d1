import { getEventListeners } from 'node:events';
import { BulkheadFullError, bulkhead, CircuitOpenError, hedge, pipeline, retry } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { down, hedgeScene as setUp, toldBudget } from '../../../../../test/support/attempts.ts';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';

describe('refusals', () => {
  test('of the first attempt end the call at once', async () => {
    const { clock, policy } = setUp();
    const open = new CircuitOpenError('x', { breaker: 'x', reason: 'open' });
    expect(await rejection(policy.execute(() => Promise.reject(open)))).toBe(open);
    expect(clock.pending).toBe(0);
    expect(policy.metrics()).toMatchObject({ ignoredRequests: 1, hedges: 0 });
  });

  test('of a hedge leave it to the others, and nothing more is hedged', async () => {
    const clock = manualClock();
    const policy = hedge({ delayMs: 100, maxHedges: 5, clock });
    const places = bulkhead({ maxConcurrent: 1, clock });
    const result = pipeline(policy, places).execute(
      () => new Promise((resolve) => clock.setTimeout(() => resolve('first'), 1_000)),
    );
    await clock.advance(1_000);
    expect(await result).toBe('first');
    expect(policy.metrics()).toMatchObject({ hedges: 1, successfulRequests: 1 });
    expect(places.metrics()).toMatchObject({ totalRequests: 2, rejectedRequests: 1, inFlight: 0 });
  });

  test('of the first attempt, too, if they come so late that another is under way', async () => {
    const clock = manualClock();
    const policy = hedge({ delayMs: 100, maxHedges: 5, clock });
    const places = bulkhead({ maxConcurrent: 1, maxQueue: 1, queueTimeoutMs: 150, clock });
    void places.execute(() => new Promise(() => {}));
    const quick = policy.execute(({ attempt }) =>
      attempt === 1
        ? places.execute(() => 'first')
        : new Promise((resolve) => clock.setTimeout(() => resolve('second'), 300)),
    );
    await clock.advance(400);
    expect(await quick).toBe('second');
    expect(policy.metrics()).toMatchObject({ hedges: 1, successfulRequests: 1 });
  });

  test('are no success of a hedge, whatever classify says', async () => {
    const { clock, policy } = setUp({ delayMs: 100, classify: () => 'success' });
    const full = new BulkheadFullError('x', { breaker: 'x', reason: 'bulkhead-full' });
    const result = policy.execute(({ attempt }) =>
      attempt === 2 ? Promise.reject(full) : new Promise((resolve) => clock.setTimeout(() => resolve('first'), 300)),
    );
    await clock.advance(300);
    expect(await result).toBe('first');
  });
});

describe('S22: the caller gives up', () => {
  test('before the call: the function is not called', async () => {
    const { policy, call, dependency } = setUp();
    expect(await rejection(call({ signal: AbortSignal.abort('gone') }))).toBe('gone');
    expect(dependency.calls).toBe(0);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test.each([50, 150])('after %i ms: all attempts end at once with the caller’s reason', async (at) => {
    const { clock, policy, call, contexts } = setUp();
    const caller = new AbortController();
    const result = call({ signal: caller.signal });
    await clock.advance(at);
    caller.abort('enough');
    expect(await stateOf(result)).toBe('rejected');
    expect(await rejection(result)).toBe('enough');
    expect(contexts.map(({ signal }) => signal.reason)).toEqual(at < 100 ? ['enough'] : ['enough', 'enough']);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    expect(clock.pending).toBe(0);
    await clock.advance(1_000);
    expect(policy.metrics()).toMatchObject({ ignoredRequests: 1, inFlight: 0, hedges: at < 100 ? 0 : 1 });
  });

  test('by a deadline, when the first attempt has failed already: that is still the reason', async () => {
    const { clock, policy, call } = setUp(undefined, [{ error: down, afterMs: 120 }, { hang: true }]);
    const caller = new AbortController();
    const result = call({ signal: caller.signal });
    await clock.advance(150);
    const reason = new DOMException('late', 'TimeoutError');
    caller.abort(reason);
    expect(await rejection(result)).toBe(reason);
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
  });

  test('in a listener that is told of the hedge: that is not made', async () => {
    const caller = new AbortController();
    const { clock, call, dependency, policy } = setUp({ delayMs: 100, onHedged: () => caller.abort('enough') });
    const result = call({ signal: caller.signal });
    await clock.advance(100);
    expect(await rejection(result)).toBe('enough');
    expect(dependency.calls).toBe(1);
    expect(policy.metrics().hedges).toBe(0);
  });

  test('the caller’s reason wins over an error of the same moment', async () => {
    const caller = new AbortController();
    const { clock, policy } = setUp();
    const result = policy.execute(
      ({ attempt }) =>
        new Promise((_, reject) => {
          clock.setTimeout(() => {
            reject(down);
            caller.abort('enough');
          }, 100 * attempt);
        }),
      { signal: caller.signal },
    );
    result.catch(() => {});
    await clock.advance(100);
    expect(await rejection(result)).toBe('enough');
    expect(policy.metrics().inFlight).toBe(0);
  });
});

describe('the budget', () => {
  test('is on by default, and failsafe-go#141: without it the attempt under way goes on', async () => {
    const { clock, policy, told } = setUp({ delayMs: 100 });
    const results = Array.from({ length: 100 }, () =>
      policy.execute(() => new Promise((resolve) => clock.setTimeout(() => resolve('ok'), 500))),
    );
    await clock.advance(500);
    expect(new Set(await Promise.all(results))).toEqual(new Set(['ok']));
    // A fifth of the calls, a little less after 100 ms, and the minimum.
    expect(policy.metrics()).toMatchObject({ successfulRequests: 100, hedges: 29, budgetExhausted: 71 });
    expect(told).toContainEqual({ event: 'budget-exhausted', policy: 'reads', key: undefined, attempts: 1 });
  });

  test('of its own goes by its clock: what the time brings is there again after a while', async () => {
    const { clock, policy } = setUp();
    const hang = async (calls: number): Promise<number> => {
      const { hedges } = policy.metrics();
      for (let i = 0; i < calls; i++) void policy.execute(() => new Promise(() => {}));
      await clock.advance(100);
      return policy.metrics().hedges - hedges;
    };
    await hang(100);
    await clock.advance(60_000);
    // Ten seconds’ worth; the calls alone are good for two.
    expect(await hang(10)).toBe(10);
  });

  test('that is given is told of each call and of its end', async () => {
    const clock = manualClock();
    const { budget, told } = toldBudget(clock);
    const policy = hedge({ delayMs: 100, budget, clock });
    await rejection(policy.execute(() => Promise.reject(down)));
    expect(told).toEqual(['called', 'failure']);
  });

  test('may be shared with retry: the call counts once, and both pay from it', async () => {
    const clock = manualClock();
    const { budget, told } = toldBudget(clock);
    const stack = pipeline(retry({ attempts: 2, backoff: 0, budget, clock }), hedge({ delayMs: 100, budget, clock }));
    const result = stack.execute(() => new Promise((_, reject) => clock.setTimeout(() => reject(down), 150)));
    result.catch(() => {});
    await clock.advance(1_000);
    expect(await rejection(result)).toBe(down);
    expect(told).toEqual(['called', 'take', 'take', 'take', 'failure']);
  });

  test('of its own, within retry: each attempt is a call of it', async () => {
    const clock = manualClock();
    const { budget, told } = toldBudget(clock);
    const stack = pipeline(retry({ attempts: 2, backoff: 0, clock }), hedge({ delayMs: 100, budget, clock }));
    await rejection(stack.execute(() => Promise.reject(down)));
    expect(told).toEqual(['called', 'failure', 'called', 'failure']);
  });

  test('false: no bound but maxHedges', async () => {
    const { clock, policy } = setUp({ delayMs: 100, budget: false });
    for (let i = 0; i < 200; i++) void policy.execute(() => new Promise(() => {}));
    await clock.advance(100);
    expect(policy.metrics().hedges).toBe(200);
  });
});

test('only calls that may be made twice are hedged', async () => {
  const faults: unknown[] = [];
  const { clock, policy } = setUp({
    delayMs: 100,
    idempotent: ({ key }) => {
      if (key === 'broken') throw down;
      return key === 'GET';
    },
    onListenerError: (fault, event) => faults.push([fault, event]),
  });
  for (const key of ['GET', 'POST', 'broken']) void policy.execute(() => new Promise(() => {}), { key });
  await clock.advance(100);
  expect(policy.metrics().hedges).toBe(1);
  expect(faults).toEqual([[down, 'idempotent']]);
});

test('S26: all faults at once; something must say how long to wait', () => {
  const options = {
    delayMs: 0,
    quantile: 1,
    minimumCalls: 0,
    maxHedges: 11,
    classify: 1,
    idempotent: 1,
    budget: 1,
    x: 1,
  };
  expect(() => hedge(options as never)).toThrow(
    /delayMs must be a number.*quantile must be a number from 0.5 to 0.999.*minimumCalls.*maxHedges must be an integer from 1 to 10.*classify.*idempotent.*budget.*unknown option x/,
  );
  expect(() => hedge({})).toThrow(/delayMs or quantile must be given/);
  expect(() => hedge(undefined as never)).toThrow(TypeError);
});
