import { AsyncLocalStorage } from 'node:async_hooks';
import { circuitBreaker, type HedgeOptions, hedge, pipeline, retry } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { down, hedgeScene as setUp } from '../../../../../test/support/attempts.ts';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';

describe('a call', () => {
  test('that answers in time is made once', async () => {
    const { clock, policy, call, dependency, told } = setUp(undefined, [{ value: 'ok', afterMs: 99 }]);
    const result = call();
    await clock.advance(99);
    expect(await result).toBe('ok');
    expect(dependency.calls).toBe(1);
    expect(told).toEqual([]);
    expect(clock.pending).toBe(0);
    expect(policy.metrics()).toEqual({
      name: 'reads',
      totalRequests: 1,
      successfulRequests: 1,
      failedRequests: 0,
      ignoredRequests: 0,
      inFlight: 0,
      hedges: 0,
      hedgesWon: 0,
      budgetExhausted: 0,
      delayMs: 100,
    });
  });

  test('that is slow is made again beside, and the first success is its answer', async () => {
    const { clock, policy, call, told } = setUp(undefined, [{ hang: true }, { value: 'second', afterMs: 20 }]);
    const result = call({ key: 'k' });
    await clock.advance(100);
    expect(policy.metrics()).toMatchObject({ hedges: 1, inFlight: 1 });
    await clock.advance(20);
    expect(await result).toBe('second');
    expect(told).toEqual([
      { event: 'hedged', policy: 'reads', key: 'k', attempt: 2, delayMs: 100 },
      { event: 'won', policy: 'reads', key: 'k', attempt: 2, attempts: 2 },
    ]);
    expect(policy.metrics()).toMatchObject({ successfulRequests: 1, hedges: 1, hedgesWon: 1, inFlight: 0 });
  });

  test('the first attempt may win after all', async () => {
    const { clock, policy, call, told } = setUp(undefined, [{ value: 'first', afterMs: 110 }, { hang: true }]);
    const result = call();
    await clock.advance(110);
    expect(await result).toBe('first');
    expect(told.at(-1)).toMatchObject({ event: 'won', attempt: 1, attempts: 2 });
    expect(policy.metrics()).toMatchObject({ hedges: 1, hedgesWon: 0 });
  });

  test('makes at most maxHedges more attempts, a delay apart', async () => {
    const { clock, call, dependency } = setUp({ delayMs: 100, maxHedges: 3 });
    call();
    const made: number[] = [];
    for (let i = 0; i < 6; i++) {
      made.push(dependency.calls);
      await clock.advance(100);
    }
    expect(made).toEqual([1, 2, 3, 4, 4, 4]);
    expect(clock.pending).toBe(0);
  });

  test('the function sees which attempt it is', async () => {
    const { clock, call, contexts } = setUp({ delayMs: 100, maxHedges: 2 });
    call();
    await clock.advance(200);
    expect(contexts.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  });

  test('… inside retry, of which attempt of that it is the first', async () => {
    const { clock, policy } = setUp();
    const seen: number[] = [];
    const result = pipeline(retry({ attempts: 2, backoff: 0, clock }), policy).execute(({ attempt }) => {
      seen.push(attempt);
      return attempt < 2 ? Promise.reject(down) : 'ok';
    });
    expect(await result).toBe('ok');
    expect(seen).toEqual([1, 2]);
  });

  test('S21: each attempt runs in its caller’s own async context', async () => {
    const { clock, policy } = setUp();
    const store = new AsyncLocalStorage<string>();
    const seen: unknown[] = [];
    for (const name of ['a', 'b']) {
      store.run(name, () => {
        policy.execute(() => {
          seen.push(store.getStore());
          return new Promise(() => {});
        });
      });
    }
    await clock.advance(100);
    expect(seen).toEqual(['a', 'b', 'a', 'b']);
  });
});

describe('those that lose', () => {
  test('are called off, with a reason that says so; the winner’s signal is left alone', async () => {
    const { clock, call, contexts } = setUp({ delayMs: 100, maxHedges: 2 }, [
      { hang: true },
      { value: 'second', afterMs: 150 },
      { hang: true },
    ]);
    const result = call();
    await clock.advance(250);
    expect(await result).toBe('second');
    expect(contexts.map(({ signal }) => signal.aborted)).toEqual([true, false, true]);
    const reason = contexts[0]?.signal.reason;
    expect(reason).toMatchObject({
      name: 'AbortError',
      code: 'ERR_HEDGE_LOST',
      message: 'reads: attempt 2 answered first',
    });
    expect(contexts[2]?.signal.reason).toBe(reason);
  });

  test('change nothing any more, whatever they come to', async () => {
    const { clock, policy, call } = setUp(undefined, [
      { error: down, afterMs: 500 },
      { value: 'second', afterMs: 20 },
    ]);
    const result = call();
    await clock.advance(1_000);
    expect(await result).toBe('second');
    expect(policy.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0, inFlight: 0 });
  });

  test('a breaker inside ignores them: they say nothing about the dependency', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 1 });
    const stack = pipeline(hedge({ delayMs: 100, clock }), breaker);
    const result = stack.execute(({ attempt }) => (attempt === 1 ? new Promise(() => {}) : 'ok'));
    await clock.advance(100);
    expect(await result).toBe('ok');
    expect(breaker.metrics()).toMatchObject({
      ignoredRequests: 1,
      successfulRequests: 1,
      state: 'closed',
      inFlight: 0,
    });
  });
});

describe('failures', () => {
  test('r4j Hedge: a failed hedge is no answer while the first attempt is under way', async () => {
    const { clock, call } = setUp(undefined, [{ value: 'first', afterMs: 300 }, { error: down }]);
    const result = call();
    await clock.advance(200);
    expect(await stateOf(result)).toBe('pending');
    await clock.advance(100);
    expect(await result).toBe('first');
  });

  test('a failed first attempt is no answer while a hedge is under way', async () => {
    const { clock, call } = setUp(undefined, [
      { error: down, afterMs: 110 },
      { value: 'second', afterMs: 300 },
    ]);
    const result = call();
    await clock.advance(200);
    expect(await stateOf(result)).toBe('pending');
    await clock.advance(200);
    expect(await result).toBe('second');
  });

  test('when all fail the call ends as its first attempt did', async () => {
    const first = new Error('first');
    const { clock, policy, call } = setUp(undefined, [
      { error: first, afterMs: 150 },
      { error: down, afterMs: 10 },
    ]);
    const result = call();
    await clock.advance(150);
    expect(await rejection(result)).toBe(first);
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, hedges: 1, hedgesWon: 0, inFlight: 0 });
  });

  test('also where the first attempt was not the last to fail', async () => {
    const first = new Error('first');
    const { clock, call } = setUp(undefined, [
      { error: first, afterMs: 110 },
      { error: down, afterMs: 50 },
    ]);
    const result = call();
    await clock.advance(150);
    expect(await rejection(result)).toBe(first);
  });

  test('one that fails while another is under way does not keep the next from being made', async () => {
    const { clock, call, dependency } = setUp({ delayMs: 100, maxHedges: 2 }, [
      { error: down, afterMs: 150 },
      { hang: true },
      { value: 'third', afterMs: 10 },
    ]);
    const result = call();
    await clock.advance(210);
    expect(await result).toBe('third');
    expect(dependency.calls).toBe(3);
  });

  test('one before anything was hedged ends the call at once: trying again is for retry', async () => {
    const { clock, call, dependency } = setUp(undefined, [{ error: down, afterMs: 10 }]);
    const result = call();
    await clock.advance(10);
    expect(await rejection(result)).toBe(down);
    expect(dependency.calls).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('a synchronous throw is a failure like any other', async () => {
    const { clock, policy } = setUp();
    const result = policy.execute(({ attempt }) => {
      if (attempt === 2) throw down;
      return new Promise((resolve) => clock.setTimeout(() => resolve('first'), 200));
    });
    await clock.advance(200);
    expect(await result).toBe('first');
  });

  test('classify sees each attempt with its own time', async () => {
    const seen: unknown[] = [];
    const classify: HedgeOptions['classify'] = ({ value, elapsedMs }) => {
      seen.push([value, elapsedMs]);
      return 'failure';
    };
    const { clock, call } = setUp({ delayMs: 100, classify }, [
      { value: 'first', afterMs: 120 },
      { value: 'second', afterMs: 50 },
    ]);
    await clock.advance(1_000);
    const result = call();
    await clock.advance(150);
    expect(await result).toBe('first');
    expect(seen).toEqual([
      ['first', 120],
      ['second', 50],
    ]);
  });

  test('classify says what is one: a bad value waits for the others, an ignored error does not', async () => {
    const classify: HedgeOptions['classify'] = ({ value, error }) =>
      value === 'bad' ? 'failure' : error === down ? 'ignored' : undefined;
    const bad = setUp({ delayMs: 100, classify }, [
      { value: 'bad', afterMs: 120 },
      { value: 'good', afterMs: 50 },
    ]);
    const good = bad.call();
    await bad.clock.advance(150);
    expect(await good).toBe('good');
    const ignored = setUp({ delayMs: 100, classify }, [{ hang: true }, { error: down, afterMs: 50 }]);
    const result = ignored.call();
    await ignored.clock.advance(150);
    expect(await rejection(result)).toBe(down);
    expect(ignored.policy.metrics()).toMatchObject({ ignoredRequests: 1 });
    const allBad = setUp({ delayMs: 100, classify }, [{ value: 'bad', afterMs: 120 }]);
    const answer = allBad.call();
    await allBad.clock.advance(500);
    expect(await answer).toBe('bad');
    expect(allBad.policy.metrics()).toMatchObject({ failedRequests: 1 });
  });
});
