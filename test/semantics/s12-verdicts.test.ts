import { type Classifier, circuitBreaker, type Outcome, RejectedError, TimeoutError, type Verdict } from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, setUp, sleepLeftMs, succeed } from '../support/calls.ts';

const unreadable = (): never => {
  throw new Error('unreadable');
};

/** How the only call of a breaker was counted. */
function verdictOf(breaker: ReturnType<typeof setUp>['breaker']): Verdict | 'none' {
  const { successfulRequests, failedRequests, ignoredRequests, inFlight } = breaker.metrics();
  expect(successfulRequests + failedRequests + ignoredRequests + inFlight).toBe(1);
  return successfulRequests ? 'success' : failedRequests ? 'failure' : ignoredRequests ? 'ignored' : 'none';
}

describe('the default verdict', () => {
  test('S12: a value is a success', async () => {
    const { breaker } = setUp();
    await succeed(breaker, undefined);
    expect(verdictOf(breaker)).toBe('success');
  });

  test('S12: an error that is returned, not thrown, is a value', async () => {
    const { breaker } = setUp();
    const error = new Error('as a value');
    expect(await succeed(breaker, error)).toBe(error);
    expect(verdictOf(breaker)).toBe('success');
  });

  test.each([
    ['an error', new Error('x')],
    ['undefined', undefined],
    ['null', null],
    ['a string', 'down'],
    ['zero', 0],
    ['an AbortError of the dependency’s own', new DOMException('gone', 'AbortError')],
    ['an object whose getters throw', Object.defineProperty({}, 'name', { get: () => Promise.reject })],
  ])('S12: any rejection is a failure: %s', async (_what, thrown) => {
    const { breaker } = setUp();
    expect(await fail(breaker, thrown)).toBe(thrown);
    expect(verdictOf(breaker)).toBe('failure');
    expect(breaker.state).toBe('open');
  });

  test('S12: any throw is a failure', async () => {
    const { breaker } = setUp();
    const call = breaker.execute(() => {
      throw 'sync';
    });
    expect(await rejection(call)).toBe('sync');
    expect(verdictOf(breaker)).toBe('failure');
  });

  test('S12: an abort by the caller is ignored', async () => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort(new Error('changed my mind'));
    await call.result;
    expect(verdictOf(breaker)).toBe('ignored');
  });

  test.each([
    ['undefined, so an AbortError', undefined],
    ['null', null],
    ['a string', 'TimeoutError'],
    ['an error with another name', new RangeError('x')],
    ['one whose name can’t be read', Object.defineProperty({}, 'name', { get: unreadable })],
  ])('S12: … whatever its reason: %s', async (_what, reason) => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort(reason);
    await call.result;
    expect(verdictOf(breaker)).toBe('ignored');
  });

  test.each([
    ['of the platform', new DOMException('too late', 'TimeoutError')],
    ['of another library', Object.assign(new Error('too late'), { name: 'TimeoutError' })],
    ['of an outer breaker of ours', new TimeoutError('too late', { breaker: 'outer', timeoutMs: 5 })],
  ])('S12: … unless its reason is named TimeoutError: a deadline is a failure: %s', async (_what, reason) => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort(reason);
    expect(await call.result).toBe(reason);
    expect(verdictOf(breaker)).toBe('failure');
  });

  test('S12: a RejectedError of an inner policy is ignored', async () => {
    const { breaker } = setUp();
    const inner = circuitBreaker({ name: 'inner' });
    inner.forceOpen();
    const error = await rejection(breaker.execute(() => inner.execute(() => 1)));
    expect(error).toBeInstanceOf(RejectedError);
    expect((error as RejectedError).breaker).toBe('inner');
    expect(verdictOf(breaker)).toBe('ignored');
  });

  test('S12: our own timeout is a failure', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await call.result).toBeInstanceOf(TimeoutError);
    expect(verdictOf(breaker)).toBe('failure');
  });

  test('S12: the timeout of an inner breaker is a failure of the outer one as well', async () => {
    const { breaker, clock } = setUp();
    const inner = circuitBreaker({ clock, timeoutMs: 100 });
    const call = rejection(breaker.execute(() => inner.execute(() => new Promise(() => {}))));
    await clock.advance(100);
    await call;
    expect(verdictOf(breaker)).toBe('failure');
  });
});

describe('the classifier', () => {
  test.each(['success', 'failure', 'ignored'] as const)('S12: it can say %s of a value', async (verdict) => {
    const { breaker } = setUp({ classify: () => verdict });
    expect(await succeed(breaker, 'v')).toBe('v');
    expect(verdictOf(breaker)).toBe(verdict);
  });

  test.each(['success', 'failure', 'ignored'] as const)(
    'S12: it can say %s of an error; the caller gets the error',
    async (verdict) => {
      const { breaker } = setUp({ classify: () => ({ verdict }) });
      const error = new Error('x');
      expect(await fail(breaker, error)).toBe(error);
      expect(verdictOf(breaker)).toBe(verdict);
    },
  );

  test('S12: it sees error, elapsed time, key and context of what was thrown', async () => {
    const seen: Outcome[] = [];
    const { breaker, clock } = setUp({ classify: (outcome) => void seen.push(outcome) as undefined });
    const call = hold(breaker, { key: 'k', context: { tenant: 7 } });
    await clock.advance(30);
    const error = new Error('x');
    call.reject(error);
    await call.result;
    expect(seen).toEqual([
      { ok: false, value: undefined, error, elapsedMs: 30, key: 'k', context: { tenant: 7 }, aborted: false },
    ]);
  });

  test('S12: it sees the value of what was returned', async () => {
    const seen: Outcome[] = [];
    const { breaker } = setUp({ classify: (outcome) => void seen.push(outcome) as undefined });
    await succeed(breaker, 'v');
    expect(seen).toEqual([
      { ok: true, value: 'v', error: undefined, elapsedMs: 0, key: undefined, context: undefined, aborted: false },
    ]);
  });

  test('S12: it sees timeouts and aborts as what they are', async () => {
    const seen: [string, boolean, number][] = [];
    const classify: Classifier = ({ error, aborted, elapsedMs }) => {
      seen.push([(error as Error).name, aborted, elapsedMs]);
      return 'success';
    };
    const { breaker, clock } = setUp({ classify, timeoutMs: 100 });
    const timedOut = hold(breaker);
    const controller = new AbortController();
    const aborted = hold(breaker, { signal: controller.signal });
    await clock.advance(40);
    controller.abort();
    await clock.advance(60);
    expect(seen).toEqual([
      ['AbortError', true, 40],
      ['TimeoutError', false, 100],
    ]);
    expect(await timedOut.result).toBeInstanceOf(TimeoutError);
    expect(await aborted.result).toMatchObject({ name: 'AbortError' });
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, timedOutRequests: 1 });
  });

  test('S12: undefined leaves the call to the default', async () => {
    const { breaker } = setUp({ classify: () => undefined });
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1 });
  });

  test('S12: its retryAfterMs lengthens the sleep window', async () => {
    const { breaker } = setUp({ classify: ({ ok }) => (ok ? undefined : { verdict: 'failure', retryAfterMs: 5_000 }) });
    await fail(breaker);
    expect(await sleepLeftMs(breaker)).toBe(5_000);
  });

  test('S12: retryAfterMs of anything but a failure means nothing', async () => {
    const { breaker } = setUp({
      failureThreshold: 1,
      classify: ({ ok }) => (ok ? { verdict: 'success', retryAfterMs: 5_000 } : undefined),
    });
    await succeed(breaker);
    await fail(breaker);
    expect(await sleepLeftMs(breaker)).toBe(1_000);
  });

  test('S12: one that throws counts as failure and is reported', async () => {
    const faults: unknown[] = [];
    const broken = new Error('classifier');
    const { breaker } = setUp({
      classify: () => {
        throw broken;
      },
      onListenerError: (error, event) => faults.push([error, event]),
    });
    expect(await succeed(breaker, 'v')).toBe('v');
    expect(verdictOf(breaker)).toBe('failure');
    expect(faults).toEqual([[broken, 'classify']]);
  });

  test('S12: … on every path: with timeout, signal, permit of a probe', async () => {
    const onListenerError = vi.fn();
    const classify = (): never => {
      throw new Error('classifier');
    };
    const { breaker, clock } = setUp({ classify, onListenerError, timeoutMs: 100, maxConcurrent: 1 });
    const call = hold(breaker, { signal: new AbortController().signal });
    await clock.advance(100);
    expect(await call.result).toBeInstanceOf(TimeoutError);
    expect(breaker.state).toBe('open');
    call.resolve();
    await clock.advance(1_000);
    expect(await succeed(breaker, 'probe')).toBe('probe');
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ inFlight: 0, failedRequests: 2 });
    expect(onListenerError).toHaveBeenCalledTimes(2);
  });

  test.each([
    ['an unknown word', 'maybe'],
    ['a boolean', true],
    ['a number', 1],
    ['an object without a verdict', {}],
    ['an inherited word', 'toString'],
    ['a list', ['success']],
  ])('S12: nonsense counts as failure and is reported: %s', async (_what, answer) => {
    const onListenerError = vi.fn();
    const { breaker } = setUp({ classify: () => answer as never, onListenerError });
    expect(await succeed(breaker, 'v')).toBe('v');
    expect(verdictOf(breaker)).toBe('failure');
    expect(onListenerError).toHaveBeenCalledOnce();
  });

  test('S12: an async classifier is nonsense, and its promise is not awaited', async () => {
    const onListenerError = vi.fn();
    const { breaker } = setUp({ classify: (async () => 'success') as never, onListenerError });
    await succeed(breaker);
    expect(verdictOf(breaker)).toBe('failure');
    expect(onListenerError).toHaveBeenCalledOnce();
  });

  test('S12: … and where it rejects that is reported, too, and no unhandled rejection', async () => {
    const told: unknown[] = [];
    const broken = new Error('classifier');
    const { breaker, clock } = setUp({
      classify: (async () => Promise.reject(broken)) as never,
      onListenerError: (error) => told.push(error),
    });
    await succeed(breaker);
    await clock.advance(0);
    expect(told).toContain(broken);
  });

  test.each([-1, Number.NaN, '5', null])(
    'S12: a nonsense retryAfterMs means nothing, the verdict stands: %s',
    async (ms) => {
      const { breaker } = setUp({ classify: () => ({ verdict: 'failure', retryAfterMs: ms as number }) });
      await fail(breaker);
      expect(breaker.state).toBe('open');
      expect(await sleepLeftMs(breaker)).toBe(1_000);
    },
  );

  test('S12: it never changes what the caller gets, not even with an inner refusal', async () => {
    const { breaker } = setUp({ classify: () => 'failure' });
    const inner = circuitBreaker();
    inner.forceOpen();
    expect(await rejection(breaker.execute(() => inner.execute(() => 1)))).toBeInstanceOf(RejectedError);
    expect(verdictOf(breaker)).toBe('failure');
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

test.each([
  ['plain', {}],
  ['with a timeout', { timeoutMs: 100 }],
])('S12: a throwing classifier loses no call, even if onListenerError throws as well, %s', async (_path, options) => {
  const { breaker } = setUp({ ...options, ...loud, classify: broken });
  expect(await succeed(breaker, 'v')).toBe('v');
  expect(breaker.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
});

const refuse = (): never => {
  throw new Error('do not touch');
};
/** Nothing can be asked of it. */
const hostile = (): object => new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse });

test.each([
  ['plain', {}],
  ['timed', { latency: true }],
  ['with a timeout', { timeoutMs: 100 }],
  ['with a fallback that throws', { fallback: refuse }],
])('S12: an error whose properties throw when read is a failure like any other, %s', async (what, options) => {
  const { breaker } = setUp(options);
  const thrown = hostile();
  let got: unknown;
  await breaker
    .execute(() => {
      throw thrown;
    })
    .catch((error: unknown) => {
      got = [error];
    });
  if (!what.includes('fallback')) expect((got as unknown[])[0] === thrown).toBe(true);
  expect(breaker.state).toBe('open');
  expect(breaker.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
});
