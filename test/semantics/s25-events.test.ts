import {
  anyOf,
  type BreakerEvents,
  circuitBreaker,
  consecutiveFailures,
  type EventName,
  type ListenerErrorHandler,
  registry,
} from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, setUp, slow, succeed } from '../support/calls.ts';

const all: readonly EventName[] = [
  'opened',
  'half-opened',
  'closed',
  'succeeded',
  'failed',
  'ignored',
  'rejected',
  'timed-out',
  'late',
  'forced',
  'released',
  'updated',
];

afterEach(() => {
  vi.restoreAllMocks();
});

/** Everything that is told, in order. */
function recorded(options: Parameters<typeof setUp>[0] = {}) {
  const made = setUp(options);
  const told: [EventName, BreakerEvents[EventName]][] = [];
  for (const event of all) made.breaker.on(event, (payload) => told.push([event, payload]));
  return { ...made, told, names: () => told.splice(0).map(([event]) => event) };
}

describe('the events', () => {
  test('S25: there are twelve, each of them is told, and each has its option', async () => {
    const heard: string[] = [];
    const hear = (name: string) => () => heard.push(name);
    const { breaker, clock } = setUp({
      timeoutMs: 100,
      onOpened: hear('opened'),
      onHalfOpened: hear('half-opened'),
      onClosed: hear('closed'),
      onSucceeded: hear('succeeded'),
      onFailed: hear('failed'),
      onIgnored: hear('ignored'),
      onRejected: hear('rejected'),
      onTimedOut: hear('timed-out'),
      onLate: hear('late'),
      onForced: hear('forced'),
      onReleased: hear('released'),
      onUpdated: hear('updated'),
    });
    const call = hold(breaker);
    await clock.advance(100);
    call.resolve();
    await clock.advance(1_000);
    await succeed(breaker);
    breaker.acquire()?.ignore();
    breaker.forceOpen();
    await rejection(succeed(breaker));
    breaker.release();
    breaker.update({ failureThreshold: 3 });
    expect(new Set(heard)).toEqual(new Set(all));
    for (const event of all) expect(() => breaker.on(event, () => {})).not.toThrow();
  });

  test('S25: a settled call tells breaker, key, duration and whether it was slow', async () => {
    const { breaker, clock, told } = recorded({ name: 'payments', slowCallMs: 50 });
    const call = hold(breaker, { key: 'user-7' });
    await clock.advance(60);
    call.resolve();
    await call.result;
    expect(told).toMatchObject([['succeeded', { breaker: 'payments', key: 'user-7', elapsedMs: 60, slow: true }]]);
  });

  test('S25: failed, ignored and timed-out carry the error', async () => {
    const { breaker, clock, told } = recorded({ timeoutMs: 100, failureThreshold: 9 });
    const [error, reason] = [new Error('x'), new Error('gone')];
    await fail(breaker, error);
    const controller = new AbortController();
    const aborted = hold(breaker, { signal: controller.signal, key: 'k' });
    controller.abort(reason);
    await aborted.result;
    const timedOut = hold(breaker);
    await clock.advance(100);
    expect(told).toMatchObject([
      ['failed', { error, slow: false, key: undefined }],
      ['ignored', { error: reason, key: 'k' }],
      ['timed-out', { error: { code: 'ERR_TIMEOUT' } }],
      ['failed', { error: { code: 'ERR_TIMEOUT' } }],
    ]);
    const [last] = told.slice(-1) as [EventName, BreakerEvents['failed']][];
    expect(last?.[1].error).toBe(await timedOut.result);
  });

  test('S25: rejected tells the reason, the key and when to come back', async () => {
    const { breaker, told } = recorded({ maxConcurrent: 1 });
    const busy = hold(breaker);
    await rejection(breaker.execute(() => 1, { key: 'k' }));
    busy.reject(new Error('x'));
    await busy.result;
    await rejection(succeed(breaker));
    expect(told.filter(([event]) => event === 'rejected')).toMatchObject([
      ['rejected', { breaker: 'circuit-breaker', key: 'k', reason: 'bulkhead-full', retryAfterMs: undefined }],
      ['rejected', { key: undefined, reason: 'open', retryAfterMs: 1_000 }],
    ]);
  });

  test('S25: updated tells what was changed', () => {
    const { breaker, told } = recorded();
    breaker.update({ timeoutMs: 5, failureThreshold: 3, maxConcurrent: undefined });
    expect(told).toEqual([['updated', { breaker: 'circuit-breaker', changed: ['timeoutMs', 'failureThreshold'] }]]);
  });
});

describe('order', () => {
  test('S25: listeners run after the transition: the state has moved already', async () => {
    const { breaker, clock } = setUp();
    const seen: string[] = [];
    for (const event of ['failed', 'opened', 'half-opened', 'succeeded', 'closed'] as const) {
      breaker.on(event, () => seen.push(`${event}: ${breaker.state}`));
    }
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    expect(seen).toEqual([
      'failed: open',
      'opened: open',
      'half-opened: half-open',
      'succeeded: closed',
      'closed: closed',
    ]);
  });

  test('S25: figures are up to date when they run', async () => {
    const { breaker } = setUp();
    let seen: unknown;
    breaker.on('failed', () => {
      seen = breaker.metrics();
    });
    await fail(breaker);
    expect(seen).toMatchObject({ failedRequests: 1, inFlight: 0, totalRequests: 1, state: 'open' });
  });

  test('S25: synchronously, in the order they were added', async () => {
    const { breaker } = setUp();
    const order: number[] = [];
    for (let i = 0; i < 5; i++) breaker.on('forced', () => order.push(i));
    breaker.forceOpen();
    order.push(99);
    expect(order).toEqual([0, 1, 2, 3, 4, 99]);
  });

  test.each([
    ['plain', {}],
    ['timed', { latency: true }],
    ['with a timeout', { timeoutMs: 1_000 }],
  ])('S25: before the caller’s promise settles, %s', async (_path, options) => {
    const { breaker } = setUp({ failureThreshold: 2, ...options });
    const order: string[] = [];
    for (const event of ['succeeded', 'failed', 'opened'] as const) breaker.on(event, () => order.push(event));
    await breaker.execute(() => 1).then(() => order.push('settled'));
    const twice = [0, 1].map(() =>
      breaker.execute(() => Promise.reject(new Error('x'))).catch(() => order.push('settled')),
    );
    await Promise.all(twice);
    expect(order.slice(0, 2)).toEqual(['succeeded', 'settled']);
    expect(order.indexOf('failed')).toBeLessThan(order.indexOf('settled', 2));
    expect(order.indexOf('opened')).toBeLessThan(order.lastIndexOf('settled'));
  });

  test('S25: the call’s own event first, then the transition it brought about', async () => {
    const { breaker, clock, names } = recorded({ timeoutMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    expect(names()).toEqual(['timed-out', 'failed', 'opened']);
    call.resolve();
    await clock.advance(0);
    expect(names()).toEqual(['late']);
    await clock.advance(1_000);
    await succeed(breaker);
    expect(names()).toEqual(['half-opened', 'succeeded', 'closed']);
  });

  test('S25: a transition is told once, however many calls meet it', async () => {
    const { breaker, clock, told } = recorded({ failureThreshold: 3 });
    const calls = Array.from({ length: 20 }, () => hold(breaker));
    for (const call of calls) call.reject(new Error('x'));
    await Promise.all(calls.map(({ result }) => result));
    await clock.advance(1_000);
    for (let i = 0; i < 10; i++) hold(breaker);
    const counts = Object.fromEntries(all.map((name) => [name, told.filter(([event]) => event === name).length]));
    expect(counts).toMatchObject({ opened: 1, 'half-opened': 1, failed: 20, late: 17, rejected: 9 });
  });
});

describe('listeners that misbehave', () => {
  test('S25: a throwing one changes nothing for the call, and the others are told', async () => {
    const onListenerError = vi.fn<ListenerErrorHandler>();
    const { breaker } = setUp({ onListenerError });
    const broken = new Error('listener');
    const heard: string[] = [];
    for (const event of ['succeeded', 'failed', 'opened'] as const) {
      breaker.on(event, () => {
        throw broken;
      });
      breaker.on(event, () => heard.push(event));
    }
    expect(await succeed(breaker, 'v')).toBe('v');
    const error = new Error('x');
    expect(await fail(breaker, error)).toBe(error);
    expect(heard).toEqual(['succeeded', 'failed', 'opened']);
    expect(onListenerError.mock.calls).toEqual([
      [broken, 'succeeded'],
      [broken, 'failed'],
      [broken, 'opened'],
    ]);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1, inFlight: 0 });
  });

  test('S25: by default one console.error a breaker', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const make = (name: string) =>
      circuitBreaker({
        name,
        onSucceeded: () => {
          throw new Error('listener');
        },
      });
    const [a, b] = [make('a'), make('b')];
    for (let i = 0; i < 5; i++) await Promise.all([succeed(a), succeed(b)]);
    expect(print).toHaveBeenCalledTimes(2);
    expect(String(print.mock.calls[0]?.[0])).toContain("'a'");
  });

  test('S25: … whatever its options become', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = () => {
      throw new Error('user’s');
    };
    const mine = { name: 'mine', start: () => ({ ...consecutiveFailures(9).start(0), record: broken }) };
    const { breaker } = setUp({ trip: anyOf(mine), onUpdated: broken, classify: broken });
    for (let i = 0; i < 3; i++) {
      breaker.update({ timeoutMs: 1_000 + i });
      await succeed(breaker);
    }
    breaker.update({ trip: anyOf(mine), sleepWindowMs: broken });
    await succeed(breaker);
    expect(print).toHaveBeenCalledOnce();
  });

  test('S25: … and one a registry', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const broken = () => {
      throw new Error('user’s');
    };
    const services = registry({
      name: 'services',
      defaults: { classify: broken },
      overrides: [{ match: /^a/, options: { timeoutMs: 50 } }],
      onUpdated: broken,
    });
    for (let i = 0; i < 3; i++) {
      for (const key of ['a1', 'a2', 'b1']) await services.execute(() => 1, { key }).catch(() => {});
      services.update({ defaults: { timeoutMs: 100 + i } });
    }
    expect(print).toHaveBeenCalledOnce();
    expect(String(print.mock.calls[0]?.[0])).toContain("'services'");
  });

  test('S25: an async listener that rejects is reported, not unhandled', async () => {
    const onListenerError = vi.fn<ListenerErrorHandler>();
    const broken = new Error('async listener');
    const { breaker, clock } = setUp({ onListenerError, onForced: async () => Promise.reject(broken) });
    breaker.forceOpen();
    await clock.advance(0);
    expect(onListenerError.mock.calls).toEqual([[broken, 'forced']]);
  });

  test('S25: an onListenerError that throws changes nothing either', async () => {
    const { breaker } = setUp({
      onListenerError: () => {
        throw new Error('handler');
      },
      onSucceeded: () => {
        throw new Error('listener');
      },
    });
    expect(await succeed(breaker, 'v')).toBe('v');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, inFlight: 0 });
  });

  test('S25: events that a listener causes come after the one it was told, to all, in order', () => {
    const { breaker } = setUp();
    const order: string[] = [];
    breaker.on('forced', ({ state }) => {
      order.push(`first: ${state}`);
      if (state === 'forced-open') breaker.disable();
      if (state === 'disabled') breaker.release();
    });
    breaker.on('forced', ({ state }) => order.push(`second: ${state}`));
    breaker.on('released', ({ previous }) => order.push(`released: ${previous}`));
    breaker.forceOpen();
    expect(order).toEqual([
      'first: forced-open',
      'second: forced-open',
      'first: disabled',
      'second: disabled',
      'released: disabled',
    ]);
    expect(breaker.state).toBe('closed');
  });

  test('S25: a listener may execute, force, update, reset, add and remove listeners', async () => {
    const { breaker, clock } = setUp({ successThreshold: 1 });
    let inner: Promise<unknown> | undefined;
    breaker.on('opened', () => {
      inner = rejection(breaker.execute(() => 'inner'));
      breaker.update({ sleepWindowMs: 5 });
      breaker.on('closed', () => {});
      breaker.reset({ by: 'listener' });
    });
    await fail(breaker);
    expect(await inner).toMatchObject({ reason: 'open' });
    expect(breaker.state).toBe('closed');
    await clock.advance(0);
    expect(await succeed(breaker)).toBe('ok');
  });

  test('S25: a listener that throws while others cause events does not stop them', () => {
    const onListenerError = vi.fn();
    const { breaker } = setUp({ onListenerError });
    const heard: string[] = [];
    breaker.on('forced', () => {
      breaker.release();
      throw new Error('listener');
    });
    breaker.on('forced', () => heard.push('forced'));
    breaker.on('released', () => heard.push('released'));
    breaker.forceOpen();
    breaker.forceOpen();
    expect(heard).toEqual(['forced', 'released', 'forced', 'released']);
    expect(onListenerError).toHaveBeenCalledTimes(2);
  });
});

describe('on', () => {
  test('S25: the answer takes the listener off again, once and only it', () => {
    const { breaker } = setUp();
    const heard: string[] = [];
    const listener = () => heard.push('twice added');
    const off = breaker.on('forced', listener);
    breaker.on('forced', listener);
    breaker.on('forced', () => heard.push('other'));
    off();
    off();
    breaker.forceOpen();
    expect(heard).toEqual(['twice added', 'other']);
  });

  test('S25: a listener that takes itself off leaves its neighbours theirs', () => {
    const { breaker } = setUp();
    const heard: string[] = [];
    const off = breaker.on('forced', () => {
      heard.push('once');
      off();
    });
    breaker.on('forced', () => heard.push('always'));
    breaker.forceOpen();
    breaker.forceOpen();
    expect(heard).toEqual(['once', 'always', 'always']);
  });

  test('S25: an unknown event or a listener that is no function is a TypeError', () => {
    const { breaker } = setUp();
    expect(() => breaker.on('open' as never, () => {})).toThrow(TypeError);
    expect(() => breaker.on('open' as never, () => {})).toThrow(/opened/);
    expect(() => breaker.on('opened', null as never)).toThrow(TypeError);
  });

  test('S25: any number of listeners brings no warning', () => {
    const { breaker } = setUp();
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    for (let i = 0; i < 100; i++) breaker.on('opened', () => {});
    expect(warn).not.toHaveBeenCalled();
  });

  test('S25: slow calls are told as such only where durations are taken', async () => {
    const { breaker, clock, told } = recorded();
    await slow(breaker, clock, 100);
    expect(told).toMatchObject([['succeeded', { elapsedMs: 0, slow: false }]]);
  });
});
