import { AsyncLocalStorage } from 'node:async_hooks';
import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { BulkheadFullError, type BulkheadOptions, bulkhead, circuitBreaker, pipeline } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

function setUp(options: Partial<BulkheadOptions> = {}) {
  const clock = manualClock();
  const policy = bulkhead({ name: 'ten', maxConcurrent: 1, clock, ...options });
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  const call = (name: string, signal?: AbortSignal): Promise<unknown> =>
    policy.execute(
      () => {
        started.push(name);
        return new Promise((resolve) => ends.set(name, () => resolve(name)));
      },
      { key: name, signal },
    );
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await clock.advance(0);
  };
  return { clock, policy, call, end, started };
}

describe('places', () => {
  test('as many calls as there are places; the next is refused at once, the function not called', async () => {
    const { policy, call, end, started } = setUp({ maxConcurrent: 2 });
    const calls = [call('a'), call('b')];
    const error = await rejection(call('c'));
    expect(error).toBeInstanceOf(BulkheadFullError);
    expect(error).toMatchObject({
      code: 'ERR_BULKHEAD_FULL',
      breaker: 'ten',
      reason: 'bulkhead-full',
      message: 'ten: all 2 places are taken',
    });
    expect(started).toEqual(['a', 'b']);
    await end('a');
    await end('b');
    expect(await Promise.all(calls)).toEqual(['a', 'b']);
    expect(policy.metrics()).toEqual({
      name: 'ten',
      totalRequests: 3,
      rejectedRequests: 1,
      limit: 2,
      inFlight: 0,
      queued: 0,
      abandoned: 0,
    });
  });

  test('a rejection and a throw give their place back too', async () => {
    const { policy } = setUp();
    await rejection(policy.execute(() => Promise.reject(new Error('x'))));
    await rejection(
      policy.execute(() => {
        throw new Error('x');
      }),
    );
    expect(await policy.execute(() => 'free')).toBe('free');
  });
});

describe('the queue', () => {
  test('first come, first served; beyond its bound calls are refused', async () => {
    const { policy, call, end, started } = setUp({ maxQueue: 2 });
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    expect(policy.metrics()).toMatchObject({ inFlight: 1, queued: 2 });
    expect(await rejection(call('d'))).toMatchObject({ message: 'ten: all 1 places are taken and 2 calls wait' });
    for (const name of ['a', 'b', 'c']) await end(name);
    expect(started).toEqual(['a', 'b', 'c']);
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c']);
  });

  test('nobody barges in: a place that is left goes to whoever waits, before any new call', async () => {
    const { policy, call, end, started } = setUp({ maxQueue: 5 });
    const first = policy.execute(() => 'first');
    void call('waits');
    await first.then(() => void call('comes later'));
    await end('waits');
    expect(started).toEqual(['waits', 'comes later']);
  });

  test('… nor does who hears that a call waits, though a place is free by then', async () => {
    const caller = new AbortController();
    const { call, started } = setUp({
      maxQueue: 5,
      release: 'on-timeout',
      priority: () => {
        caller.abort('gone');
        return 0;
      },
      onQueued: ({ key }) => key === 'waits' && void call('comes later'),
    });
    const atWork = rejection(call('at work', caller.signal));
    void call('waits');
    expect(await atWork).toBe('gone');
    expect(started).toEqual(['at work', 'waits']);
  });

  test('the more urgent goes first, equals in the order they came; a throwing priority counts as 0', async () => {
    const urgency: Record<string, number> = { low: -1, high: 5, 'high too': 5 };
    const faults: unknown[] = [];
    const { call, end, started } = setUp({
      maxQueue: 9,
      priority: ({ key = '' }) => {
        if (key === 'broken') throw new Error('x');
        return urgency[key] ?? Number.NaN;
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    for (const name of ['at work', 'low', 'broken', 'plain', 'high', 'high too']) void call(name);
    for (const name of ['at work', 'high', 'high too', 'broken', 'plain', 'low']) await end(name);
    expect(started).toEqual(['at work', 'high', 'high too', 'broken', 'plain', 'low']);
    expect(faults).toEqual(['priority']);
  });

  test('a place that is freed while priority runs is not lost: whoever waits gets it', async () => {
    const preempted = new AbortController();
    const { policy, call, end, started } = setUp({
      maxQueue: 5,
      release: 'on-timeout',
      priority: ({ key }) => {
        if (key === 'urgent') preempted.abort('preempted');
        return key === 'urgent' ? 1 : 0;
      },
    });
    const batch = call('batch', preempted.signal);
    void call('urgent');
    void call('next');
    expect(await rejection(batch)).toBe('preempted');
    expect(started).toEqual(['batch', 'urgent']);
    await end('urgent');
    expect(started).toEqual(['batch', 'urgent', 'next']);
    await end('next');
    expect(policy.metrics()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('however many give up as their turn comes, one after the other, the last who waits gets the place', async () => {
    const callers = Array.from({ length: 5_000 }, () => new AbortController());
    const { policy, call, end, started } = setUp({
      maxQueue: 10_000,
      onDequeued: ({ key }) => callers[Number(key)]?.abort('too late'),
    });
    void call('a');
    const late = callers.map(({ signal }, i) => rejection(call(`${i}`, signal)));
    void call('b');
    await end('a');
    expect(new Set(await Promise.all(late))).toEqual(new Set(['too late']));
    expect(started).toEqual(['a', 'b']);
    await end('b');
    expect(policy.metrics()).toMatchObject({ inFlight: 0, queued: 0 });
  });

  test('a call waits no longer than queueTimeoutMs', async () => {
    const { clock, policy, call, end } = setUp({ maxQueue: 1, queueTimeoutMs: 100 });
    void call('a');
    const waiting = call('b');
    waiting.catch(() => {});
    await clock.advance(99);
    expect(await stateOf(waiting)).toBe('pending');
    await clock.advance(1);
    expect(await rejection(waiting)).toMatchObject({ reason: 'queue-timeout', message: 'ten: no place within 100 ms' });
    await end('a');
    expect(policy.metrics()).toMatchObject({ inFlight: 0, queued: 0, rejectedRequests: 1 });
  });

  test('S22: who has given up before he calls is no call of it, and gets his own reason though it is full', async () => {
    const { policy, call } = setUp();
    void call('at work');
    expect(await rejection(call('gone', AbortSignal.abort('too late')))).toBe('too late');
    expect(policy.metrics()).toMatchObject({ totalRequests: 1, rejectedRequests: 0 });
  });

  test('S22: an aborted call leaves the queue at once with its caller’s reason, and never runs', async () => {
    const { policy, call, end, started } = setUp({ maxQueue: 2 });
    const caller = new AbortController();
    const calls = [call('a'), call('b', caller.signal), call('c')];
    caller.abort('enough');
    expect(await rejection(calls[1] as Promise<unknown>)).toBe('enough');
    expect(policy.metrics().queued).toBe(1);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    await end('a');
    await end('c');
    expect(started).toEqual(['a', 'c']);
  });

  test('a breaker right outside leaves it its queue', async () => {
    const { clock, policy } = setUp({ maxQueue: 1 });
    const all = pipeline(circuitBreaker({ clock }), policy);
    const ends: (() => void)[] = [];
    const calls = [1, 2].map(() => all.execute(() => new Promise<void>((resolve) => ends.push(resolve))));
    expect(policy.metrics()).toMatchObject({ inFlight: 1, queued: 1, rejectedRequests: 0 });
    ends[0]?.();
    await calls[0];
    ends[1]?.();
    await calls[1];
  });

  test('S21: a call that waited runs in its own async context', async () => {
    const { policy, call, end } = setUp({ maxQueue: 1 });
    const store = new AsyncLocalStorage<string>();
    void call('a');
    const waiting = store.run('mine', () => policy.execute(() => store.getStore()));
    await end('a');
    expect(await waiting).toBe('mine');
  });

  test('its events tell who waits and for how long, who is refused and what was abandoned', async () => {
    const told: unknown[] = [];
    const { clock, call } = setUp({
      maxQueue: 1,
      abandonAfterMs: 50,
      onQueued: (event) => told.push(event),
      onDequeued: (event) => told.push(event),
      onRejected: (event) => told.push(event),
      onAbandoned: (event) => told.push(event),
      onListenerError: (fault) => told.push(fault),
    });
    await clock.advance(1_000);
    const caller = new AbortController();
    void call('a', caller.signal).catch(() => {});
    void call('b');
    await rejection(call('c'));
    caller.abort();
    await clock.advance(50);
    expect(told).toEqual([
      { policy: 'ten', key: 'b', queued: 1 },
      { policy: 'ten', key: 'c', reason: 'bulkhead-full' },
      { policy: 'ten' },
      { policy: 'ten', key: 'b', waitedMs: 50 },
    ]);
  });
});

describe('work that outlives its call', () => {
  const aborted = async (options: Partial<BulkheadOptions>) => {
    const scene = setUp(options);
    const caller = new AbortController();
    const call = scene.call('a', caller.signal);
    caller.abort('enough');
    await rejection(call);
    return scene;
  };

  test('S21: keeps its place until it ends', async () => {
    const { policy, call, end } = await aborted({});
    expect(policy.metrics().inFlight).toBe(1);
    expect(await rejection(call('b'))).toBeInstanceOf(BulkheadFullError);
    await end('a');
    expect(policy.metrics().inFlight).toBe(0);
  });

  test('S21: or for abandonAfterMs at most; what it gives back then it does not give back again', async () => {
    const { clock, policy, call, end } = await aborted({ abandonAfterMs: 500 });
    await clock.advance(500);
    expect(policy.metrics()).toMatchObject({ inFlight: 0, abandoned: 1 });
    void call('b');
    await end('a');
    expect(policy.metrics().inFlight).toBe(1);
  });

  test('S21: with release on-timeout it gives its place back at once', async () => {
    const { policy } = await aborted({ release: 'on-timeout' });
    expect(policy.metrics().inFlight).toBe(0);
  });
});

test('S26: all faults at once', () => {
  expect(() => bulkhead({ maxConcurrent: 0, maxQueue: 1.5, release: 'never', priority: 1 } as never)).toThrow(
    /maxConcurrent must be an integer from 1 .*maxQueue must be an integer from 0 .*priority must be a function.*release must be one of 'on-settle', 'on-timeout'/,
  );
  expect(() => bulkhead(undefined as never)).toThrow(TypeError);
});

test('places never leak, are never given twice, and the queue is first in, first out, whatever happens', async () => {
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ do: fc.constant('call' as const), abortable: fc.boolean() }) },
    { weight: 3, arbitrary: fc.record({ do: fc.constantFrom('end' as const, 'abort' as const), which: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(80) }) },
  );
  const options = fc.record({
    maxConcurrent: fc.integer({ min: 1, max: 3 }),
    maxQueue: fc.nat(4),
    queueTimeoutMs: fc.option(fc.integer({ min: 1, max: 100 }), { nil: undefined }),
    release: fc.constantFrom('on-settle' as const, 'on-timeout' as const),
    abandonAfterMs: fc.integer({ min: 1, max: 100 }),
  });
  await holdsInTime(
    fc.asyncProperty(options, fc.array(step, { maxLength: 40 }), async (given, steps) => {
      const clock = manualClock();
      const policy = bulkhead({ ...given, clock });
      const calls: { abort: AbortController; end?: () => void; outcome?: string }[] = [];
      const order: number[] = [];
      let working = 0;
      let most = 0;
      for (const taken of steps) {
        if (taken.do === 'call') {
          const id = calls.length;
          const entry: (typeof calls)[number] = { abort: new AbortController() };
          calls.push(entry);
          const work = (): Promise<void> => {
            order.push(id);
            most = Math.max(most, ++working);
            return new Promise<void>((resolve) => (entry.end = resolve)).then(() => void working--) as Promise<void>;
          };
          policy.execute(work, taken.abortable ? { signal: entry.abort.signal } : undefined).then(
            () => (entry.outcome = 'ok'),
            (error) => (entry.outcome = error instanceof BulkheadFullError ? error.reason : 'aborted'),
          );
        } else if (taken.do === 'advance') await clock.advance(taken.ms);
        else if (taken.do === 'end') calls[taken.which]?.end?.();
        else calls[taken.which]?.abort.abort();
        await clock.advance(0);
        const { inFlight, queued } = policy.metrics();
        expect(inFlight).toBeLessThanOrEqual(given.maxConcurrent);
        expect(queued).toBeLessThanOrEqual(given.maxQueue);
        if (inFlight < given.maxConcurrent) expect(queued).toBe(0);
      }
      expect(order).toEqual([...order].sort((a, b) => a - b));
      // Work that was abandoned or let go is no longer bounded; without any it never exceeds the places.
      if (calls.every(({ abort }) => !abort.signal.aborted)) expect(most).toBeLessThanOrEqual(given.maxConcurrent);
      for (let round = 0; round < calls.length + 1; round++) {
        for (const { end } of calls) end?.();
        await clock.advance(0);
      }
      expect(policy.metrics()).toMatchObject({ inFlight: 0, queued: 0, totalRequests: calls.length });
      expect(calls.every(({ outcome }) => outcome !== undefined)).toBe(true);
      for (const { abort } of calls) expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      expect(clock.pending).toBe(0);
    }),
  );
});
