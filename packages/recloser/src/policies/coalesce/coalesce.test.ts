import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { type CallContext, type CoalesceOptions, circuitBreaker, coalesce, pipeline, retry, timeout } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

interface Begun {
  readonly context: CallContext;
  resolve(value: unknown): void;
  reject(error: unknown): void;
}

function setUp(options: CoalesceOptions = {}) {
  const clock = manualClock();
  const told: unknown[] = [];
  const policy = coalesce({
    name: 'once',
    clock,
    onJoined: (event) => told.push(['joined', event]),
    onCalledOff: (event) => told.push(['called-off', event]),
    ...options,
  });
  const begun: Begun[] = [];
  const work = (context: CallContext): Promise<unknown> =>
    new Promise((resolve, reject) => void begun.push({ context, resolve, reject }));
  const call = (key?: string, signal?: AbortSignal): Promise<unknown> => {
    const result = policy.execute(work, { key, signal });
    result.catch(() => {});
    return result;
  };
  return { clock, policy, told, begun, work, call };
}

describe('one piece of work', () => {
  test('calls of one key share it while it is at work, and its result', async () => {
    const { call, begun, policy, told } = setUp();
    const calls = [call('a'), call('a'), call('b'), call('a')];
    expect(begun).toHaveLength(2);
    const value = { same: true };
    begun[0]?.resolve(value);
    begun[1]?.resolve('b');
    const results = await Promise.all(calls);
    expect(results).toEqual([value, value, 'b', value]);
    expect(results[3]).toBe(value);
    expect(policy.metrics()).toEqual({
      name: 'once',
      totalRequests: 4,
      joinedRequests: 2,
      unkeyedRequests: 0,
      calledOff: 0,
      inFlight: 0,
    });
    expect(told).toEqual([
      ['joined', { policy: 'once', key: 'a', waiting: 2 }],
      ['joined', { policy: 'once', key: 'a', waiting: 3 }],
    ]);
  });

  test('an error is shared, and not kept: whoever asks after it begins anew', async () => {
    const { call, begun } = setUp();
    const calls = [call('a'), call('a')];
    const error = new Error('down');
    const again = calls[1]?.catch(() => call('a')) as Promise<unknown>;
    begun[0]?.reject(error);
    expect(await rejection(calls[0] as Promise<unknown>)).toBe(error);
    await new Promise((resolve) => setImmediate(resolve));
    expect(begun).toHaveLength(2);
    begun[1]?.resolve('up');
    expect(await again).toBe('up');
  });

  test('a throw and a value that is no promise are shared like any other end', async () => {
    const { policy } = setUp();
    const throws = (): never => {
      throw new Error('sync');
    };
    const calls = [policy.execute(throws, { key: 'a' }), policy.execute(throws, { key: 'a' })].map(rejection);
    expect(await Promise.all(calls)).toMatchObject([{ message: 'sync' }, { message: 'sync' }]);
    expect(await policy.execute(() => undefined, { key: 'a' })).toBe(undefined);
  });

  test('calls without a key share nothing', async () => {
    const { call, begun, policy } = setUp();
    void call();
    void call();
    expect(begun).toHaveLength(2);
    expect(policy.metrics()).toMatchObject({ totalRequests: 2, unkeyedRequests: 2, inFlight: 0 });
  });

  test('keyOf says which calls ask for the same; where it throws, that is reported and the call stands alone', async () => {
    const faults: unknown[] = [];
    const { call, begun, policy } = setUp({
      keyOf: ({ key }) => {
        if (key === 'broken') throw new Error('x');
        return key?.[0];
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    void call('alpha');
    void call('ann');
    void call('broken');
    expect(begun).toHaveLength(2);
    expect(begun[0]?.context.key).toBe('alpha');
    expect(faults).toEqual(['keyOf']);
    expect(policy.metrics()).toMatchObject({ joinedRequests: 1, unkeyedRequests: 1 });
  });

  test('a wrapped function’s arguments can be the key', async () => {
    const { policy } = setUp();
    let calls = 0;
    const load = policy.wrap(
      async (id: number) => {
        calls++;
        return `user ${id}`;
      },
      (id) => String(id),
    );
    expect(await Promise.all([load(1), load(1), load(2)])).toEqual(['user 1', 'user 1', 'user 2']);
    expect(calls).toBe(2);
  });
});

describe('a caller gives up', () => {
  test('S22: already aborted: nothing is begun and nothing joined', async () => {
    const { call, begun, policy } = setUp();
    expect(await rejection(call('a', AbortSignal.abort('enough')))).toBe('enough');
    expect(begun).toHaveLength(0);
    void call('a');
    expect(await rejection(call('a', AbortSignal.abort('enough')))).toBe('enough');
    expect(policy.metrics().totalRequests).toBe(1);
  });

  test('S22: it leaves at once with its own reason; the others and the work go on', async () => {
    const { call, begun } = setUp();
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [call('a', first.signal), call('a', second.signal), call('a')];
    first.abort('first');
    expect(await rejection(calls[0] as Promise<unknown>)).toBe('first');
    second.abort('second');
    expect(await rejection(calls[1] as Promise<unknown>)).toBe('second');
    expect(begun[0]?.context.signal.aborted).toBe(false);
    begun[0]?.resolve('done');
    expect(await calls[2]).toBe('done');
    for (const { signal } of [first, second]) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('S22: the last to leave calls the work off with its reason, before it hears of it itself', async () => {
    const { call, begun, policy, told } = setUp();
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [call('a', first.signal), call('a', second.signal)];
    const order: string[] = [];
    begun[0]?.context.signal.addEventListener('abort', () => order.push('work'));
    calls[1]?.catch(() => order.push('caller'));
    first.abort('first');
    expect(begun[0]?.context.signal.aborted).toBe(false);
    second.abort('second');
    expect(begun[0]?.context.signal.reason).toBe('second');
    await rejection(calls[1] as Promise<unknown>);
    expect(order).toEqual(['work', 'caller']);
    expect(policy.metrics()).toMatchObject({ calledOff: 1, inFlight: 0 });
    expect(told.at(-1)).toEqual(['called-off', { policy: 'once', key: 'a' }]);
  });

  test('work that was called off is not joined: the next caller begins anew at once', async () => {
    const { call, begun, policy } = setUp();
    const caller = new AbortController();
    void call('a', caller.signal);
    caller.abort();
    const next = call('a');
    expect(begun).toHaveLength(2);
    begun[0]?.resolve('of the first');
    begun[1]?.resolve('of the second');
    expect(await next).toBe('of the second');
    expect(policy.metrics().inFlight).toBe(0);
  });

  test('an abort while the function is being called calls it off too', async () => {
    const { policy } = setUp();
    const caller = new AbortController();
    const call = policy.execute(
      ({ signal }) => {
        caller.abort('enough');
        return signal.reason;
      },
      { key: 'a', signal: caller.signal },
    );
    expect(await rejection(call)).toBe('enough');
    expect(policy.metrics().calledOff).toBe(1);
  });
});

describe('work that hangs', () => {
  test('is joined for joinForMs; who comes later begins anew, who waits goes on waiting', async () => {
    const { call, begun, clock } = setUp({ joinForMs: 100 });
    const calls = [call('a')];
    await clock.advance(99);
    calls.push(call('a'));
    expect(begun).toHaveLength(1);
    await clock.advance(1);
    calls.push(call('a'), call('a'));
    expect(begun).toHaveLength(2);
    begun[1]?.resolve('new');
    expect(await Promise.all(calls.slice(2))).toEqual(['new', 'new']);
    expect(await stateOf(calls[0] as Promise<unknown>)).toBe('pending');
    begun[0]?.resolve('old');
    expect(await Promise.all(calls.slice(0, 2))).toEqual(['old', 'old']);
    expect(clock.pending).toBe(0);
  });

  test('it owns no timer once nothing is at work', async () => {
    const { call, begun, clock } = setUp();
    const caller = new AbortController();
    const done = call('a');
    void call('b', caller.signal);
    expect(clock.pending).toBe(2);
    begun[0]?.resolve(1);
    await done;
    caller.abort();
    expect(clock.pending).toBe(0);
  });
});

describe('among other policies', () => {
  test('each caller’s timeout around it lets only that caller go', async () => {
    const { clock, policy, begun, work } = setUp();
    const [short, long] = [50, 100].map((timeoutMs) => pipeline(timeout({ timeoutMs, clock }), policy));
    const calls = [short, long].map((policies) => rejection(policies?.execute(work, { key: 'a' }) as Promise<unknown>));
    expect(begun[0]?.context.timeLeftMs).toBe(100);
    await clock.advance(50);
    expect(await calls[0]).toMatchObject({ code: 'ERR_TIMEOUT', timeoutMs: 50 });
    expect(begun[0]?.context.signal.aborted).toBe(false);
    await clock.advance(50);
    expect(await calls[1]).toMatchObject({ timeoutMs: 100 });
    expect(begun[0]?.context.signal.aborted).toBe(true);
  });

  test('a breaker inside counts shared work once; calling it off says nothing about the dependency', async () => {
    const { policy, begun, work } = setUp();
    const breaker = circuitBreaker();
    const all = pipeline(policy, breaker);
    const calls = [1, 2, 3].map(() => all.execute(work, { key: 'a' }));
    begun[0]?.resolve('done');
    await Promise.all(calls);
    expect(breaker.metrics()).toMatchObject({ totalRequests: 1, successfulRequests: 1 });
    const caller = new AbortController();
    const last = rejection(all.execute(work, { key: 'a', signal: caller.signal }));
    caller.abort('enough');
    expect(await last).toBe('enough');
    expect(breaker.metrics()).toMatchObject({ totalRequests: 2, ignoredRequests: 1, inFlight: 0 });
  });

  test('the work counts as the attempt of the call that began it', async () => {
    const { policy } = setUp();
    const calls = pipeline(retry({ attempts: 3, backoff: 0 }), policy, timeout(1_000));
    for (const key of [undefined, 'a']) {
      const attempts: number[] = [];
      const work = ({ attempt }: CallContext): never => {
        attempts.push(attempt);
        throw new Error('down');
      };
      await rejection(calls.execute(work, { key }));
      expect(attempts).toEqual([1, 2, 3]);
    }
  });

  test('a call’s own fallback answers for that call only', async () => {
    const { policy, begun, work } = setUp();
    const calls = [policy.execute(work, { key: 'a', fallback: 'other' }), policy.execute(work, { key: 'a' })];
    const plain = rejection(calls[1] as Promise<unknown>);
    begun[0]?.reject(new Error('down'));
    expect(await calls[0]).toBe('other');
    expect(await plain).toMatchObject({ message: 'down' });
  });

  test('S21: each caller goes on in its own async context', async () => {
    const { call, begun } = setUp();
    const store = new AsyncLocalStorage<string>();
    const seen = ['one', 'two'].map((mine) => store.run(mine, () => call('a').then(() => store.getStore())));
    begun[0]?.resolve(1);
    expect(await Promise.all(seen)).toEqual(['one', 'two']);
  });
});

test('S25: a listener that throws changes nothing', async () => {
  const faults: unknown[] = [];
  const { call, begun } = setUp({
    onJoined: () => {
      throw new Error('listener');
    },
    onListenerError: (_fault, event) => faults.push(event),
  });
  const calls = [call('a'), call('a')];
  begun[0]?.resolve('done');
  expect(await Promise.all(calls)).toEqual(['done', 'done']);
  expect(faults).toEqual(['joined']);
});

test('S26: all faults at once', () => {
  expect(() => coalesce({ keyOf: 'key', joinForMs: 0, onJoined: 5, ttl: 1 } as never)).toThrow(
    /keyOf must be a function.*joinForMs must be a number from 1 .*onJoined must be a function.*unknown option ttl/,
  );
  expect(() => coalesce(null as never)).toThrow(TypeError);
});

test('types: the result is the function’s own', () => {
  expectTypeOf(coalesce().execute(async () => 5)).toEqualTypeOf<Promise<number>>();
});

test('no caller gets what is not of its key, nothing outlives the last abort, whatever happens', async () => {
  const key = fc.constantFrom('a', 'b');
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ do: fc.constant('call' as const), key }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
    {
      weight: 3,
      arbitrary: fc.record({ do: fc.constantFrom('resolve' as const, 'reject' as const), which: fc.nat(20) }),
    },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(80) }) },
  );
  await holdsInTime(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const { clock, policy } = setUp({ joinForMs: 100 });
      const works: { key: string; context: CallContext; end?: (ok: boolean) => void; at: number }[] = [];
      const calls: { key: string; abort: AbortController; at: number; outcome?: unknown }[] = [];
      for (const taken of steps) {
        if (taken.do === 'call') {
          const entry: (typeof calls)[number] = { key: taken.key, abort: new AbortController(), at: clock.now() };
          calls.push(entry);
          const before = works.length;
          policy
            .execute(
              (context) =>
                new Promise((resolve, reject) => {
                  const id = works.length;
                  const work: (typeof works)[number] = { key: taken.key, context, at: clock.now() };
                  work.end = (ok) => {
                    delete work.end;
                    (ok ? resolve : reject)({ id });
                  };
                  works.push(work);
                }),
              { key: taken.key, signal: entry.abort.signal },
            )
            .then(
              (value) => (entry.outcome = value),
              (reason) => (entry.outcome = reason),
            );
          // It begins anew just where there is nothing young at work that somebody waits for.
          const joinable = works
            .slice(0, before)
            .some(
              (work) =>
                work.key === taken.key && work.end && !work.context.signal.aborted && clock.now() - work.at < 100,
            );
          expect(works.length).toBe(joinable ? before : before + 1);
        } else if (taken.do === 'advance') await clock.advance(taken.ms);
        else if (taken.do === 'abort') calls[taken.which]?.abort.abort('gave up');
        else works[taken.which]?.end?.(taken.do === 'resolve');
        await clock.advance(0);
        for (const { outcome, key } of calls) {
          if (outcome !== undefined && outcome !== 'gave up') {
            expect(works[(outcome as { id: number }).id]?.key).toBe(key);
          }
        }
      }
      for (const { abort } of calls) abort.abort('gave up');
      await clock.advance(0);
      expect(calls.every(({ outcome }) => outcome !== undefined)).toBe(true);
      expect(works.every(({ end, context }) => end === undefined || context.signal.aborted)).toBe(true);
      for (const { abort } of calls) expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      const { joinedRequests, totalRequests, inFlight } = policy.metrics();
      expect(totalRequests).toBe(calls.length);
      expect(joinedRequests).toBe(calls.length - works.length);
      expect(inFlight).toBe(0);
      expect(clock.pending).toBe(0);
    }),
  );
});
