import { runInNewContext } from 'node:vm';
import {
  bulkhead,
  type CallContext,
  CircuitOpenError,
  circuitBreaker,
  lastGood,
  type RejectedError,
  TimeoutError,
} from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, setUp, succeed } from '../support/calls.ts';

const down = (): Promise<never> => Promise.reject(new Error('down'));
const says =
  (message: string): (() => never) =>
  () => {
    throw new Error(message);
  };

describe('when it runs', () => {
  test('S27: on failures: rejections, throws and timeouts', async () => {
    const { breaker, clock } = setUp({ fallback: 'other', timeoutMs: 100, failureThreshold: 9 });
    expect(await breaker.execute(down)).toBe('other');
    expect(await breaker.execute(says('sync'))).toBe('other');
    const call = hold(breaker);
    await clock.advance(100);
    expect(await call.promise).toBe('other');
    expect(breaker.metrics()).toMatchObject({ failedRequests: 3, fallbackRequests: 3, successfulRequests: 0 });
  });

  test('S27: on any RejectedError of its own: open, half-open, bulkhead, forced, recovery, disposed', async () => {
    const reasons: unknown[] = [];
    const fallback = (error: unknown) => {
      reasons.push((error as RejectedError).reason);
      return 'other';
    };
    const { breaker, clock } = setUp({ fallback, maxConcurrent: 1, recovery: { rampMs: 1_000 } });
    const busy = hold(breaker);
    await succeed(breaker);
    busy.reject(new Error('x'));
    await busy.result;
    reasons.pop();
    await succeed(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    await succeed(breaker);
    probe.resolve();
    await probe.result;
    await succeed(breaker);
    await succeed(breaker);
    breaker.forceOpen();
    await succeed(breaker);
    breaker.release();
    breaker.dispose();
    expect(await succeed(breaker)).toBe('other');
    expect(new Set(reasons)).toEqual(
      new Set(['bulkhead-full', 'open', 'half-open', 'recovery', 'forced-open', 'disposed']),
    );
  });

  test('S27: on the RejectedError of an inner policy', async () => {
    const inner = circuitBreaker();
    inner.forceOpen();
    const { breaker } = setUp({ fallback: 'other' });
    expect(await breaker.execute(() => inner.execute(() => 1))).toBe('other');
    expect(breaker.metrics()).toMatchObject({ ignoredRequests: 1, fallbackRequests: 1 });
  });

  test('S27: never on the caller’s abort', async () => {
    const fallback = vi.fn();
    const { breaker } = setUp({ fallback });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort('gone');
    expect(await call.result).toBe('gone');
    expect(await hold(breaker, { signal: AbortSignal.abort('before') }).result).toBe('before');
    expect(fallback).not.toHaveBeenCalled();
  });

  test('S27: nor where he gave up because somebody else refused him', async () => {
    const { breaker: users } = setUp();
    users.forceOpen();
    const { breaker } = setUp({ fallback: 'other' });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    const refused = await rejection(succeed(users));
    controller.abort(refused);
    expect(await call.result).toBe(refused);
    expect(breaker.metrics()).toMatchObject({ ignoredRequests: 1, fallbackRequests: 0 });
  });

  test('S27: but on a deadline, which is a failure', async () => {
    const { breaker } = setUp({ fallback: 'other' });
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort(new DOMException('late', 'TimeoutError'));
    expect(await call.promise).toBe('other');
  });

  test('S27: the same for the fallback that a call brings to any other policy', async () => {
    const places = bulkhead({ maxConcurrent: 2 });
    const answered = (reason: unknown): Promise<unknown> => {
      const controller = new AbortController();
      const call = places.execute(() => new Promise(() => {}), { signal: controller.signal, fallback: 'other' });
      controller.abort(reason);
      return call.catch((error: unknown) => error);
    };
    expect(await answered(new DOMException('late', 'TimeoutError'))).toBe('other');
    expect(await answered('gone')).toBe('gone');
  });

  test('S27: never on what else was ignored', async () => {
    const { breaker } = setUp({ fallback: 'other', classify: () => 'ignored' });
    const error = new Error('not found');
    expect(await fail(breaker, error)).toBe(error);
  });

  test('S27: never on errors that were classified as success', async () => {
    const { breaker } = setUp({ fallback: 'other', classify: () => 'success' });
    const error = new Error('fine');
    expect(await fail(breaker, error)).toBe(error);
  });

  test('S27: never on returned values, whatever the classifier says of them', async () => {
    const { breaker } = setUp({ fallback: 'other', classify: () => 'failure' });
    expect(await succeed(breaker, 'bad value')).toBe('bad value');
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, fallbackRequests: 0 });
  });

  test('S27: never for permits', async () => {
    const fallback = vi.fn();
    const { breaker } = setUp({ fallback });
    breaker.acquire()?.failure(new Error('x'));
    breaker.acquire();
    expect(fallback).not.toHaveBeenCalled();
  });
});

describe('what it gets', () => {
  test('S27: the error and the context of the call', async () => {
    const seen: [unknown, CallContext][] = [];
    const { breaker } = setUp({
      fallback: (error: unknown, context: CallContext) => {
        seen.push([error, context]);
        return 'other';
      },
    });
    const error = new Error('x');
    const { signal } = new AbortController();
    await breaker.execute(() => Promise.reject(error), { key: 'k', context: { a: 1 }, signal });
    expect(seen[0]?.[0]).toBe(error);
    expect(seen[0]?.[1]).toMatchObject({ key: 'k', context: { a: 1 } });
    expect(seen[0]?.[1].signal.aborted).toBe(false);
    await breaker.execute(() => 1, { key: 'refused' });
    expect(seen[1]?.[0]).toBeInstanceOf(CircuitOpenError);
    expect(seen[1]?.[1].key).toBe('refused');
    expect(seen[1]?.[1].signal.aborted).toBe(false);
  });

  test('S27: a call’s own fallback goes before the breaker’s', async () => {
    const { breaker } = setUp({ fallback: 'of the breaker', failureThreshold: 9 });
    expect(await breaker.execute(down, { fallback: 'of the call' })).toBe('of the call');
    expect(await breaker.execute(down)).toBe('of the breaker');
    const { breaker: plain } = setUp();
    expect(await plain.execute(down, { fallback: 'of the call' })).toBe('of the call');
    expect(await plain.execute(down, { fallback: 'while open' })).toBe('while open');
  });

  test('S27: the fallback in force when the call began counts', async () => {
    const { breaker } = setUp({ timeoutMs: 1_000, fallback: 'old' });
    const call = hold(breaker);
    breaker.update({ fallback: 'new' });
    call.reject(new Error('x'));
    expect(await call.promise).toBe('old');
  });
});

describe('what it may be', () => {
  test.each([
    ['a text', 'text'],
    ['null', null],
    ['zero', 0],
    ['false', false],
    ['an object', { empty: true }],
    ['an empty list', []],
    ['a list of values', [1, 2, 3]],
  ])('S27: a value: %s', async (_what, fallback) => {
    const { breaker } = setUp({ fallback });
    expect(await breaker.execute(down)).toBe(fallback);
  });

  test('S27: a function, sync or async, of a value or a promise', async () => {
    for (const fallback of [() => 'other', async () => 'other', () => Promise.resolve('other')]) {
      const { breaker } = setUp({ fallback });
      expect(await breaker.execute(down)).toBe('other');
    }
  });

  test('S27: a function that answers undefined has answered', async () => {
    const { breaker } = setUp({ fallback: () => undefined });
    expect(await breaker.execute(down)).toBeUndefined();
  });

  test('S27: a chain of alternatives, tried in order until one answers', async () => {
    const tried: string[] = [];
    const { breaker } = setUp({
      fallback: [
        () => {
          tried.push('first');
          throw new Error('first');
        },
        async () => {
          tried.push('second');
          return 'second';
        },
        () => tried.push('third'),
      ],
    });
    expect(await breaker.execute(down)).toBe('second');
    expect(tried).toEqual(['first', 'second']);
  });

  test('S27: a chain may end in a value', async () => {
    const { breaker } = setUp({ fallback: [lastGood(), says('first'), 'the end'] });
    expect(await breaker.execute(down, { key: 'k' })).toBe('the end');
    expect(breaker.metrics().fallbackRequests).toBe(1);
  });

  test('S27: each alternative gets the error of the one before', async () => {
    const seen: string[] = [];
    const { breaker } = setUp({
      fallback: [
        (error: unknown) => {
          seen.push((error as Error).message);
          throw new Error('one');
        },
        (error: unknown) => {
          seen.push((error as Error).message);
          return 'two';
        },
      ],
    });
    expect(await breaker.execute(down)).toBe('two');
    expect(seen).toEqual(['down', 'one']);
  });
});

describe('a failing fallback', () => {
  test('S27: it rejects with its own error, which gets the first as cause', async () => {
    const { breaker } = setUp({ fallback: says('of the fallback') });
    const first = new Error('first');
    const error = (await fail(breaker, first)) as Error;
    expect(error.message).toBe('of the fallback');
    expect(error.cause).toBe(first);
    const refused = (await rejection(succeed(breaker))) as Error;
    expect(refused.cause).toBeInstanceOf(CircuitOpenError);
  });

  test('S27: an error of another realm, as Jest’s contexts make them, gets the first as cause too', async () => {
    const { breaker } = setUp({
      fallback: () => {
        throw runInNewContext('new TypeError("of the fallback")');
      },
    });
    const first = new Error('first');
    const error = await fail(breaker, first);
    expect(error).not.toBeInstanceOf(Error);
    expect((error as Error).cause).toBe(first);
  });

  test('S27: the causes of a chain lead back to the first', async () => {
    const { breaker } = setUp({ fallback: [says('one'), says('two')] });
    const error = (await fail(breaker, new Error('first'))) as Error;
    const messages = [];
    for (let e: Error | undefined = error; e !== undefined; e = e.cause as Error | undefined) messages.push(e.message);
    expect(messages).toEqual(['two', 'one', 'first']);
  });

  test('S27: the same error thrown on is left as it is', async () => {
    const { breaker } = setUp({
      fallback: (error: unknown) => {
        throw error;
      },
    });
    const first = new Error('first');
    const error = (await fail(breaker, first)) as Error;
    expect(error).toBe(first);
    expect('cause' in error).toBe(false);
  });

  test('S27: an error that has a cause keeps it, even an undefined one', async () => {
    for (const cause of ['its own', undefined]) {
      const { breaker } = setUp({
        fallback: () => {
          throw new Error('of the fallback', { cause });
        },
      });
      expect(await fail(breaker)).toMatchObject({ cause });
    }
  });

  test('S27: what is frozen, or no error, is left as it is', async () => {
    for (const thrown of [Object.freeze(new Error('frozen')), 'text', undefined, null, { plain: true }]) {
      const { breaker } = setUp({
        fallback: () => {
          throw thrown;
        },
      });
      expect(await fail(breaker)).toBe(thrown);
    }
  });

  test('S27: the cause is not shown among the error’s own fields', async () => {
    const { breaker } = setUp({ fallback: says('of the fallback') });
    const error = await fail(breaker);
    expect(Object.keys(error as object)).not.toContain('cause');
  });

  test('S27: a rejecting fallback is not unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const { breaker } = setUp({ fallback: () => Promise.reject(new Error('of the fallback')) });
    await fail(breaker);
    await fail(breaker);
    await new Promise((resolve) => setImmediate(resolve));
    process.off('unhandledRejection', note);
    expect(unhandled).toEqual([]);
  });

  test('S27: … but where nobody waits for the call it is, whether that failed or was refused', async () => {
    const ofTheRunner = process.rawListeners('unhandledRejection') as ((error: unknown) => void)[];
    const unhandled: unknown[] = [];
    process.removeAllListeners('unhandledRejection').on('unhandledRejection', (error) => unhandled.push(error));
    const { breaker } = setUp({ fallback: says('of the fallback') });
    for (let i = 0; i < 2; i++) {
      void breaker.execute(down);
      await new Promise((resolve) => setImmediate(resolve));
    }
    process.removeAllListeners('unhandledRejection');
    for (const listener of ofTheRunner) process.on('unhandledRejection', listener);
    expect(breaker.metrics().rejectedRequests).toBe(1);
    expect(unhandled).toMatchObject(Array(2).fill({ message: 'of the fallback' }));
  });
});

describe('what it counts as', () => {
  test('S27: never the dependency’s success', async () => {
    const { breaker, clock } = setUp({ fallback: 'other', failureThreshold: 3 });
    for (let i = 0; i < 3; i++) expect(await breaker.execute(down)).toBe('other');
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    expect(await breaker.execute(down)).toBe('other');
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 0, failedRequests: 4, fallbackRequests: 4 });
  });

  test('S27: nor its failure: a failing fallback counts no second time', async () => {
    const { breaker } = setUp({ fallback: says('x'), failureThreshold: 2 });
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().failedRequests).toBe(1);
  });

  test('S27: the call is not in flight while its fallback is at work', async () => {
    const { breaker } = setUp({ fallback: () => new Promise(() => {}), maxConcurrent: 1, failureThreshold: 9 });
    breaker.execute(down).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(breaker.metrics()).toMatchObject({ inFlight: 0, failedRequests: 1 });
    expect(breaker.available).toBe(true);
  });

  test('S27: a timeout does not end the fallback', async () => {
    const { breaker, clock } = setUp({
      timeoutMs: 100,
      fallback: (error: unknown) => {
        expect(error).toBeInstanceOf(TimeoutError);
        return new Promise((resolve) => clock.setTimeout(() => resolve('slow but there'), 5_000));
      },
    });
    const call = hold(breaker);
    await clock.advance(6_000);
    expect(await call.promise).toBe('slow but there');
  });
});

test('S27: a fallback may hand its context on to another policy, and is not that one’s fallback too', async () => {
  const mirror = circuitBreaker();
  let runs = 0;
  const call = circuitBreaker().execute(() => Promise.reject(new Error('down')), {
    key: 'k',
    fallback: (_error: unknown, context: CallContext) => {
      runs++;
      return mirror.execute(() => Promise.reject(new Error(`mirror of ${context.key}`)), context);
    },
  });
  await expect(call).rejects.toThrow('mirror of k');
  expect(runs).toBe(1);
});
