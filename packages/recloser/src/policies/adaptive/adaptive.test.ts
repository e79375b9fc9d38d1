import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import {
  type AdaptiveConcurrencyOptions,
  adaptiveConcurrency,
  BulkheadFullError,
  CircuitOpenError,
  pipeline,
  type Round,
  timeout,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../../test/support/calls.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

const down = new Error('down');

/** With a rule that keeps what it is told and answers what the test wants. */
function setUp(options: AdaptiveConcurrencyOptions = {}) {
  const clock = manualClock();
  const rounds: Round[] = [];
  const rule = { next: 4 };
  const policy = adaptiveConcurrency({
    name: 'orders',
    initialLimit: 4,
    roundCalls: 10,
    clock,
    algorithm: (round) => {
      rounds.push(round);
      return rule.next;
    },
    ...options,
  });
  const started: string[] = [];
  const call = (name: string, ms = 10, error?: unknown, signal?: AbortSignal): Promise<unknown> =>
    policy.execute(
      () => {
        started.push(name);
        return new Promise((resolve, reject) => {
          clock.setTimeout(() => (error === undefined ? resolve(name) : reject(error)), ms);
        });
      },
      { key: name, signal },
    );
  /** So many calls, one after another. */
  const repeat = async (times: number, ms = 10, error?: unknown): Promise<void> => {
    for (let i = 0; i < times; i++) {
      call('x', ms, error).catch(() => {});
      await clock.advance(ms);
    }
  };
  return { clock, policy, rounds, rule, call, repeat, started };
}

describe('rounds', () => {
  test('a round tells what its calls took, how many were at work, what failed, and whether the limit was reached', async () => {
    const { clock, rounds, call, repeat } = setUp({ failureThreshold: 0.5 });
    for (const ms of [10, 20, 30, 40]) call('x', ms).catch(() => {});
    await clock.advance(40);
    await repeat(2, 10, down);
    await repeat(4, 50);
    expect(rounds).toEqual([
      { limit: 4, concurrency: (1 + 2 + 3 + 4 + 6) / 10, latencyMs: (100 + 200) / 8, failureRate: 0.2, reached: true },
    ]);
    await repeat(10);
    expect(rounds[1]).toEqual({ limit: 4, concurrency: 1, latencyMs: 10, failureRate: 0, reached: false });
  });

  test('has at least twice as many calls as its limit', async () => {
    const { rounds, repeat, policy } = setUp({ initialLimit: 20 });
    await repeat(39);
    expect(rounds).toHaveLength(0);
    await repeat(1);
    expect(rounds).toHaveLength(1);
    expect(policy.metrics()).toMatchObject({ rounds: 1, limit: 4 });
  });

  test('ends as soon as more failed than it may have', async () => {
    const { rounds, repeat } = setUp({ failureThreshold: 0.1 });
    await repeat(1, 10, down);
    expect(rounds).toHaveLength(0);
    await repeat(1, 10, down);
    expect(rounds).toEqual([{ limit: 4, concurrency: 1, latencyMs: 0, failureRate: 1, reached: false }]);
  });

  test('calls that began under another limit are not part of it', async () => {
    const { clock, rounds, call, repeat } = setUp();
    void call('slow', 500);
    await repeat(10);
    await clock.advance(500);
    await repeat(10);
    expect(rounds.map(({ latencyMs }) => latencyMs)).toEqual([10, 10]);
  });

  test('refusals of inner policies and callers who gave up are not part of it; a deadline is a failure', async () => {
    const { clock, rounds, call, repeat } = setUp({ failureThreshold: 0.5 });
    await repeat(3, 10, new CircuitOpenError('x', { breaker: 'x', reason: 'open' }));
    for (const reason of [new Error('enough'), new DOMException('late', 'TimeoutError')]) {
      const caller = new AbortController();
      const aborted = call('x', 10, undefined, caller.signal);
      caller.abort(reason);
      expect(await rejection(aborted)).toBe(reason);
      await clock.advance(10);
    }
    await repeat(9);
    expect(rounds).toMatchObject([{ failureRate: 0.1, latencyMs: 10 }]);
  });

  test('classify decides; one that throws is reported and leaves it at the default', async () => {
    const faults: unknown[] = [];
    const { rounds, repeat } = setUp({
      failureThreshold: 0.5,
      classify: ({ error, elapsedMs }) => {
        if (elapsedMs === 7) throw new Error('mine');
        return error === down ? 'ignored' : undefined;
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    await repeat(20, 10, down);
    await repeat(1, 7, down);
    await repeat(9);
    expect(rounds).toMatchObject([{ failureRate: 0.1 }]);
    expect(faults).toEqual(['classify']);
  });

  test('classify sees what was returned as well, and nobody gave up who did not', async () => {
    const seen: unknown[] = [];
    const { policy, rounds, repeat } = setUp({
      failureThreshold: 0.5,
      classify: ({ value, aborted }) => {
        seen.push([value, aborted]);
        return value === undefined ? 'failure' : undefined;
      },
    });
    await policy.execute(() => undefined);
    await repeat(9);
    expect(rounds).toMatchObject([{ failureRate: 0.1 }]);
    expect(seen.slice(0, 2)).toEqual([
      [undefined, false],
      ['x', false],
    ]);
  });
});

describe('the limit', () => {
  test('is what the rule answers, whole and within bounds, and every change is an event', async () => {
    const seen: unknown[] = [];
    const { rule, policy, repeat } = setUp({ minLimit: 2, maxLimit: 8, onLimitChanged: (event) => seen.push(event) });
    for (const next of [6.9, 6, 100, -5]) {
      rule.next = next;
      await repeat(16);
    }
    expect(policy.metrics().limit).toBe(2);
    const round = { policy: 'orders', latencyMs: 10, concurrency: 1, failureRate: 0 };
    expect(seen).toEqual([
      { ...round, previous: 4, limit: 6 },
      { ...round, previous: 6, limit: 8 },
      { ...round, previous: 8, limit: 2 },
    ]);
  });

  test('stays where it is if the rule throws or answers no number, which is reported', async () => {
    const faults: unknown[] = [];
    const { rule, policy, repeat, rounds } = setUp({ onListenerError: (_fault, event) => faults.push(event) });
    for (const nonsense of [Number.NaN, undefined, null, '7'] as never[]) {
      rule.next = nonsense;
      await repeat(10);
    }
    expect(policy.metrics()).toMatchObject({ limit: 4, rounds: 4 });
    expect(faults).toEqual(Array(4).fill('algorithm'));
    const throwing = setUp({
      onListenerError: (_fault, event) => faults.push(event),
      algorithm: () => {
        throw new Error('mine');
      },
    });
    await throwing.repeat(10);
    expect(throwing.policy.metrics().limit).toBe(4);
    expect(faults).toHaveLength(5);
    expect(rounds).toHaveLength(4);
  });

  test('beyond it calls are refused at once', async () => {
    const { clock, policy, call, started } = setUp({ initialLimit: 2 });
    const calls = [call('a'), call('b')];
    const error = await rejection(call('c'));
    expect(error).toBeInstanceOf(BulkheadFullError);
    expect(error).toMatchObject({ reason: 'bulkhead-full', message: 'orders: all 2 places are taken' });
    await clock.advance(10);
    await Promise.all(calls);
    expect(started).toEqual(['a', 'b']);
    expect(policy.metrics()).toMatchObject({ totalRequests: 3, rejectedRequests: 1, inFlight: 0 });
  });

  test('when it rises, all for whom there is room now go, first come, first served', async () => {
    const { clock, rule, call, started } = setUp({ initialLimit: 5, maxQueue: 100 });
    rule.next = 8;
    for (let i = 0; i < 30; i++) void call(`${i}`);
    await clock.advance(10);
    expect(started).toHaveLength(10);
    await clock.advance(10);
    // The tenth call ended the round: three more than left.
    expect(started).toHaveLength(18);
    expect(started).toEqual(started.map((_, i) => `${i}`));
  });

  test('whose function calls again meanwhile waits behind them', async () => {
    const { clock, policy, rule, repeat, started } = setUp({ initialLimit: 1, maxQueue: 10 });
    rule.next = 9;
    await repeat(9);
    const run = (name: string, then?: () => void): void =>
      void policy.execute(() => {
        started.push(name);
        then?.();
        return new Promise((resolve) => void clock.setTimeout(() => resolve(name), 10));
      });
    started.length = 0;
    run('ends the round');
    run('a', () => run('inner'));
    run('b');
    await clock.advance(10);
    expect(started).toEqual(['ends the round', 'a', 'b', 'inner']);
  });

  test('when it falls, nobody comes in until enough have left', async () => {
    const { clock, rule, call, policy } = setUp({ initialLimit: 5 });
    rule.next = 2;
    for (let i = 0; i < 5; i++) void call('slow', 1_000);
    await clock.advance(999);
    void call('refused').catch(() => {});
    await clock.advance(1);
    for (let i = 0; i < 5; i++) void call('quick', 10);
    for (let i = 0; i < 3; i++) await clock.advance(3);
    await clock.advance(1);
    expect(policy.metrics()).toMatchObject({ limit: 2, inFlight: 0 });
    for (let i = 0; i < 2; i++) void call('quick', 10);
    expect(await rejection(call('third'))).toBeInstanceOf(BulkheadFullError);
  });
});

describe('aimd', () => {
  test('one more after a good round that reached the limit, a share less after a bad one, within its bounds', async () => {
    const { clock, policy, call, repeat } = setUp({ algorithm: 'aimd', backoffRatio: 0.5, minLimit: 3, maxLimit: 6 });
    const limits: number[] = [];
    const full = async (): Promise<void> => {
      const { limit } = policy.metrics();
      for (let left = Math.max(10, 2 * limit); left > 0; left -= limit) {
        for (let i = 0; i < Math.min(limit, left); i++) void call('x');
        await clock.advance(10);
      }
      limits.push(policy.metrics().limit);
    };
    for (let i = 0; i < 4; i++) await full();
    await repeat(12);
    limits.push(policy.metrics().limit);
    for (let i = 0; i < 3; i++) {
      await repeat(2, 10, down);
      limits.push(policy.metrics().limit);
    }
    expect(limits).toEqual([5, 6, 6, 6, 6, 3, 3, 3]);
  });
});

describe('as every policy', () => {
  test('S22: an aborted caller is not counted and its function not called', async () => {
    const { policy, call, started } = setUp();
    expect(await rejection(call('a', 10, undefined, AbortSignal.abort('before')))).toBe('before');
    expect(started).toEqual([]);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test('what stands inside it in a pipeline is inside of every call', async () => {
    const { clock, policy } = setUp();
    const inner = timeout({ timeoutMs: 100, clock });
    expect(await pipeline(policy, inner).execute(() => 'ok')).toBe('ok');
    expect(inner.metrics().totalRequests).toBe(1);
  });

  test('S21: work that outlives its call keeps its place until it ends', async () => {
    const { clock, policy, call } = setUp({ initialLimit: 1 });
    const caller = new AbortController();
    const aborted = call('a', 100, undefined, caller.signal);
    caller.abort('enough');
    expect(await rejection(aborted)).toBe('enough');
    expect(await rejection(call('b'))).toBeInstanceOf(BulkheadFullError);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    await clock.advance(100);
    expect(policy.metrics().inFlight).toBe(0);
  });

  test('work abandoned after its time is counted once, and its place is free', async () => {
    const { clock, policy, call } = setUp({ initialLimit: 1, abandonAfterMs: 50 });
    const caller = new AbortController();
    const aborted = call('a', 1e6, undefined, caller.signal);
    caller.abort('enough');
    await rejection(aborted);
    await clock.advance(50);
    expect(policy.metrics()).toMatchObject({ abandoned: 1, inFlight: 0 });
  });

  test('S26: all faults of its options in one error', () => {
    const wrong = {
      minLimit: 0,
      maxLimit: 1.5,
      initialLimit: -1,
      algorithm: 'vegas',
      failureThreshold: 2,
      backoffRatio: 1,
      roundCalls: 5,
      classify: 1,
      maxQueue: -1,
      maxConcurrent: 5,
    } as never;
    expect(() => adaptiveConcurrency(wrong)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: adaptiveConcurrency: maxQueue must be an integer from 0 to 1000000, got -1; minLimit must be an integer from 1 to 2147483647, got 0; maxLimit must be an integer from 1 to 2147483647, got 1.5; initialLimit must be an integer from 1 to 2147483647, got -1; algorithm must be one of 'gradient', 'aimd', got 'vegas'; failureThreshold must be a number from 0 to 1, got 2; backoffRatio must be a number from 0.1 to 0.99, got 1; roundCalls must be an integer from 10 to 1000000, got 5; classify must be a function, got 1; unknown option maxConcurrent must be one of maxQueue, queueTimeoutMs, priority, release, abandonAfterMs, captureStacks, minLimit, maxLimit, initialLimit, algorithm, failureThreshold, backoffRatio, roundCalls, classify, name, clock, random, onListenerError, onRejected, onQueued, onDequeued, onAbandoned, onLimitChanged, got 'maxConcurrent']`,
    );
    const outside = () => adaptiveConcurrency({ minLimit: 5, maxLimit: 4 });
    expect(outside).toThrow(RangeError);
    expect(outside).toThrow(/minLimit must be at most maxLimit, got 5/);
    for (const initialLimit of [1, 9]) {
      const beyond = () => adaptiveConcurrency({ minLimit: 2, maxLimit: 8, initialLimit });
      expect(beyond).toThrow(RangeError);
      expect(beyond).toThrow(/from minLimit to maxLimit/);
    }
    expect(adaptiveConcurrency({ minLimit: 300 }).metrics().limit).toBe(300);
    expect(adaptiveConcurrency({ maxLimit: 7 }).metrics().limit).toBe(7);
    expect(adaptiveConcurrency().metrics()).toEqual({
      name: 'adaptive-concurrency',
      totalRequests: 0,
      rejectedRequests: 0,
      inFlight: 0,
      queued: 0,
      abandoned: 0,
      limit: 20,
      rounds: 0,
    });
  });

  test('no place leaks, the queue is first come first served, nothing outlives an abort', async () => {
    const action = fc.record({
      do: fc.constantFrom('call', 'call', 'call', 'abort', 'advance', 'rule'),
      n: fc.integer({ min: 0, max: 40 }),
    });
    await holdsInTime(
      fc.asyncProperty(
        fc.array(action, { maxLength: 80 }),
        fc.integer({ min: 0, max: 5 }),
        async (actions, maxQueue) => {
          const { clock, policy, rule, started } = setUp({ maxQueue, queueTimeoutMs: 60, maxLimit: 8, roundCalls: 10 });
          const callers: AbortController[] = [];
          let ended = 0;
          let atWork = 0;
          for (const { do: what, n } of actions) {
            if (what === 'advance') await clock.advance(n);
            else if (what === 'rule') rule.next = n / 4;
            else if (what === 'abort') callers[n % Math.max(1, callers.length)]?.abort('enough');
            else {
              const caller = new AbortController();
              const id = callers.push(caller);
              const work = (): Promise<void> => {
                started.push(`${id}`);
                atWork++;
                return new Promise((resolve, reject) => {
                  clock.setTimeout(() => {
                    atWork--;
                    n % 3 === 0 ? reject(down) : resolve();
                  }, n);
                });
              };
              const end = (): unknown => ended++;
              policy.execute(work, n % 2 === 0 ? { signal: caller.signal } : {}).then(end, end);
            }
            await clock.advance(0);
            expect(policy.metrics().inFlight).toBe(atWork);
            expect(atWork).toBeLessThanOrEqual(8);
            expect(policy.metrics().queued).toBeLessThanOrEqual(maxQueue);
          }
          await clock.advance(1_000);
          expect(ended).toBe(callers.length);
          expect(policy.metrics()).toMatchObject({ inFlight: 0, queued: 0, totalRequests: callers.length });
          expect(clock.pending).toBe(0);
          expect(started.map(Number)).toEqual(started.map(Number).sort((a, b) => a - b));
          for (const { signal } of callers) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
        },
      ),
    );
  });
});
