import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import {
  type AnswerOf,
  type CallContext,
  type CallOptions,
  circuitBreaker,
  type Fallback,
  type FallbackEvents,
  type FallbackLike,
  type FallbackOptions,
  fallback,
  lastGood,
  pipeline,
  RejectedError,
  timeout,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { rejection } from '../../../../../test/support/calls.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

const error = new Error('down');
const down = (): Promise<never> => Promise.reject(error);
const hang = (): Promise<never> => new Promise(() => {});
const throws = (message: string) => (): never => {
  throw new Error(message);
};

function setUp(answer: FallbackLike, options: FallbackOptions = {}) {
  const clock = manualClock();
  const told: [keyof FallbackEvents, unknown][] = [];
  const policy = fallback(answer, {
    clock,
    onFellBack: (event) => told.push(['fell-back', event]),
    onFallbackFailed: (event) => told.push(['fallback-failed', event]),
    ...options,
  });
  return { clock, policy, told };
}

describe('what it answers', () => {
  test('S27: a rejection, a throw and a refusal, never a result', async () => {
    const { policy } = setUp('other');
    expect(await policy.execute(down)).toBe('other');
    expect(await policy.execute(throws('sync'))).toBe('other');
    const open = circuitBreaker();
    open.forceOpen();
    expect(await policy.execute(() => open.execute(() => 1))).toBe('other');
    expect(await policy.execute(() => new Error('returned'))).toEqual(new Error('returned'));
    expect(await policy.execute(() => undefined)).toBe(undefined);
    expect(policy.metrics()).toEqual({ name: 'fallback', totalRequests: 5, fallbackRequests: 3, failedFallbacks: 0 });
  });

  test.each([null, 0, '', false, [], [1, 2], { a: 1 }])('S27: with a value as it is: %j', async (value) => {
    const { policy } = setUp(value);
    expect(await policy.execute(down)).toEqual(value);
  });

  test('S27: with what a function answers, which gets the error and the context of the call', async () => {
    const seen: unknown[] = [];
    const { policy } = setUp(async (given: unknown, { key, context, signal }: CallContext) => {
      seen.push(given, key, context, signal.aborted);
      return undefined;
    });
    expect(await policy.execute(down, { key: 'k', context: { a: 1 } })).toBe(undefined);
    expect(seen).toEqual([error, 'k', { a: 1 }, false]);
  });

  test('S27: with the first alternative of a chain that has an answer, each under policies of its own', async () => {
    const tried: unknown[] = [];
    const mirror = circuitBreaker({ name: 'mirror' });
    const link = mirror.wrap(async (cause: unknown) => {
      tried.push(cause);
      throw new Error('mirror down');
    });
    const { policy } = setUp([link, (cause: unknown) => void tried.push((cause as Error).message), 'not reached']);
    expect(await policy.execute(down)).toBe(undefined);
    expect(tried).toEqual([error, 'mirror down']);
    expect(mirror.metrics().failedRequests).toBe(1);
  });

  test('S27: with the last good value of the same key', async () => {
    const { policy, clock } = setUp(lastGood({ maxAgeMs: 1_000 }));
    await policy.execute(() => 'good', { key: 'a' });
    expect(await policy.execute(down, { key: 'a' })).toBe('good');
    expect(await rejection(policy.execute(down, { key: 'b' }))).toBe(error);
    expect(await rejection(policy.execute(down))).toBe(error);
    await clock.advance(1_001);
    expect(await rejection(policy.execute(down, { key: 'a' }))).toBe(error);
  });

  test('S27: an answer is never kept as a good value', async () => {
    const { policy } = setUp([lastGood(), 'end']);
    expect(await policy.execute(down, { key: 'a' })).toBe('end');
    await policy.execute(() => 'good', { key: 'a' });
    expect(await policy.execute(down, { key: 'a' })).toBe('good');
  });

  test('the list it was given may change later: it keeps its own', async () => {
    const chain: FallbackLike[] = [() => 'first', 'second'];
    const { policy } = setUp(chain);
    chain[0] = () => 'changed';
    expect(await policy.execute(down)).toBe('first');
  });

  test('a call’s own fallback goes before it, null too', async () => {
    const { policy } = setUp('of the policy');
    expect(await policy.execute(down, { fallback: 'of the call' })).toBe('of the call');
    expect(await policy.execute(down, { fallback: null })).toBe(null);
    expect(await policy.execute(down, { key: 'k' })).toBe('of the policy');
    expect(policy.metrics()).toMatchObject({ totalRequests: 3, fallbackRequests: 3 });
  });

  test('S27: a failing fallback rejects with its own error, caused by the first', async () => {
    const { policy, told } = setUp(throws('no answer'));
    const failure = (await rejection(policy.execute(down, { key: 'k' }))) as Error;
    expect(failure.message).toBe('no answer');
    expect(failure.cause).toBe(error);
    expect(policy.metrics()).toMatchObject({ fallbackRequests: 1, failedFallbacks: 1 });
    expect(told).toEqual([['fallback-failed', { policy: 'fallback', key: 'k', error, failure }]]);
  });
});

describe('when', () => {
  test('errors it does not want are the caller’s, and count as no fallback', async () => {
    const { policy } = setUp('other', { when: (given) => given instanceof RejectedError });
    expect(await rejection(policy.execute(down))).toBe(error);
    const open = circuitBreaker();
    open.forceOpen();
    expect(await policy.execute(() => open.execute(() => 1))).toBe('other');
    expect(policy.metrics()).toMatchObject({ totalRequests: 2, fallbackRequests: 1, failedFallbacks: 0 });
  });

  test('it sees whose call it is', async () => {
    const { policy } = setUp('other', { when: (_error, { key, context }) => key === 'k' && context === 5 });
    expect(await policy.execute(down, { key: 'k', context: 5 })).toBe('other');
    expect(await rejection(policy.execute(down, { key: 'k' }))).toBe(error);
  });

  test('where it throws the error is answered, and the throw reported', async () => {
    const faults: unknown[] = [];
    const { policy } = setUp('other', {
      when: throws('broken'),
      onListenerError: (fault, event) => faults.push([(fault as Error).message, event]),
    });
    expect(await policy.execute(down)).toBe('other');
    expect(faults).toEqual([['broken', 'when']]);
  });
});

describe('the caller gives up', () => {
  test('S22: already aborted: neither function nor fallback is called', async () => {
    const { policy } = setUp(throws('called'));
    const work = vi.fn();
    expect(await rejection(policy.execute(work, { signal: AbortSignal.abort('enough') }))).toBe('enough');
    expect(work).not.toHaveBeenCalled();
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test('S22: during the call: it rejects at once with the reason, and no fallback runs', async () => {
    const { policy, told } = setUp('other');
    const caller = new AbortController();
    const call = policy.execute(hang, { signal: caller.signal });
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    expect(policy.metrics().fallbackRequests).toBe(0);
    expect(told).toEqual([]);
  });

  test('S22: during the fallback: it rejects at once, no further alternative is tried, nothing counts as failed', async () => {
    const second = vi.fn();
    const caller = new AbortController();
    const { policy, told } = setUp([(_error: unknown, { signal }: CallContext) => rejected(signal), second]);
    const call = policy.execute(down, { signal: caller.signal });
    await new Promise((resolve) => setImmediate(resolve));
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    await new Promise((resolve) => setImmediate(resolve));
    expect(second).not.toHaveBeenCalled();
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    expect(policy.metrics()).toMatchObject({ fallbackRequests: 1, failedFallbacks: 0 });
    expect(told).toEqual([]);
  });

  test('S27: a caller’s deadline that passes is a failure, and answered', async () => {
    const { policy } = setUp('other');
    const caller = new AbortController();
    const call = policy.execute(hang, { signal: caller.signal });
    caller.abort(new DOMException('too late', 'TimeoutError'));
    expect(await call).toBe('other');
  });

  test('S27: … and told of where the fallback fails too', async () => {
    const failure = new Error('no answer');
    const { policy, told } = setUp(throws('no answer'));
    const caller = new AbortController();
    const call = rejection(policy.execute(hang, { signal: caller.signal }));
    caller.abort(new DOMException('too late', 'TimeoutError'));
    expect(await call).toMatchObject({ message: 'no answer' });
    expect(told).toMatchObject([['fallback-failed', { failure }]]);
    expect(policy.metrics().failedFallbacks).toBe(1);
  });

  test('S27: a fallback that rejects with nothing has failed like any other', async () => {
    const { policy, told } = setUp(() => Promise.reject());
    expect(await rejection(policy.execute(down))).toBeUndefined();
    expect(told).toMatchObject([['fallback-failed', { error }]]);
  });

  test('what is around it ended: there is nobody to answer', async () => {
    const clock = manualClock();
    const inner = fallback(throws('called'), { clock });
    const calls = pipeline(timeout({ timeoutMs: 100, clock }), inner);
    const call = rejection(calls.execute(hang));
    await clock.advance(100);
    expect(await call).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(inner.metrics().fallbackRequests).toBe(0);
  });
});

describe('around a breaker', () => {
  test('S27: the breaker sees the failures, the caller the answers', async () => {
    const breaker = circuitBreaker({ failureThreshold: 2 });
    const calls = pipeline(fallback('other'), breaker);
    for (let i = 0; i < 3; i++) expect(await calls.execute(down)).toBe('other');
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ failedRequests: 2, rejectedRequests: 1 });
  });
});

test('S25: listeners hear before the caller does; one that throws changes nothing', async () => {
  const order: string[] = [];
  const faults: unknown[] = [];
  const { policy } = setUp('other', {
    onFellBack: () => {
      order.push('listener');
      throw new Error('listener');
    },
    onListenerError: (_fault, event) => faults.push(event),
  });
  await policy.execute(down).then(() => order.push('caller'));
  expect(order).toEqual(['listener', 'caller']);
  expect(faults).toEqual(['fell-back']);
});

test('S26: all faults at once', () => {
  expect(() => fallback(undefined as never, { when: 1, nmae: 'x', onFellBack: 2 } as never)).toThrow(
    /the answer must be a value, .*when must be a function.*onFellBack must be a function.*unknown option nmae/,
  );
  expect(() => fallback('x', null as never)).toThrow(TypeError);
});

test('types: its answer stands beside the function’s own result', () => {
  const one = fallback(() => Promise.resolve(5));
  expectTypeOf<AnswerOf<typeof one>>().toEqualTypeOf<number>();
  expectTypeOf(one.execute(() => 'text')).toEqualTypeOf<Promise<string | number>>();
  expectTypeOf(fallback(lastGood()).execute(async () => 'text')).toEqualTypeOf<Promise<string>>();
  expectTypeOf(fallback([lastGood(), () => 5, null]).execute(() => 'text')).toEqualTypeOf<
    Promise<string | number | null>
  >();
  const list = fallback([1, 2]);
  expectTypeOf<AnswerOf<typeof list>>().toEqualTypeOf<number[]>();
  const literal = fallback('none');
  expectTypeOf<AnswerOf<typeof literal>>().toEqualTypeOf<'none'>();
  const parameters = fallback((given, { key }) => [given, key]);
  expectTypeOf<AnswerOf<typeof parameters>>().toEqualTypeOf<unknown[]>();
  const inside = pipeline(fallback(null), circuitBreaker());
  expectTypeOf(inside.execute(() => 5)).toEqualTypeOf<Promise<number | null>>();
  expectTypeOf(one.wrap(async (id: string) => id)).toEqualTypeOf<(id: string) => Promise<string | number>>();
});

test('types: a function given as an option, of a breaker or of a call, has parameters of known types, in a chain too', async () => {
  const breaker = circuitBreaker({ fallback: (given, { key }) => [given, key] });
  expect(await breaker.execute(down, { key: 'k' })).toEqual([error, 'k']);
  expect(await breaker.execute(down, { fallback: [(_given, { key }) => key, 'end'], key: 'k' })).toBe('k');
});

test('types: what the fallback of a call may answer with is part of its result, if anything is known of it', () => {
  const breaker = circuitBreaker();
  const one = () => breaker.execute(() => 5, { fallback: 'none' });
  expectTypeOf(one).returns.toEqualTypeOf<Promise<number | 'none'>>();
  const made = () => breaker.execute(async () => 5, { fallback: async (_error, { key }) => key });
  expectTypeOf(made).returns.toEqualTypeOf<Promise<number | string | undefined>>();
  const chain = () => breaker.execute(() => 5, { fallback: [lastGood({ shared: true }), (error) => [error], null] });
  expectTypeOf(chain).returns.toEqualTypeOf<Promise<number | unknown[] | null>>();
  const last = () => breaker.execute(() => 5, { fallback: lastGood(), key: 'k' });
  expectTypeOf(last).returns.toEqualTypeOf<Promise<number>>();
  const options: CallOptions<Fallback> = {};
  const loose = () => breaker.execute(() => 5, options);
  expectTypeOf(loose).returns.toEqualTypeOf<Promise<number>>();
  const looseWithKey = () => breaker.execute(() => 5, { ...options, key: 'k' });
  expectTypeOf(looseWithKey).returns.toEqualTypeOf<Promise<number>>();
  const anyones = <T>(value: T) => breaker.execute(() => 5, { fallback: value });
  expectTypeOf(anyones).returns.toEqualTypeOf<Promise<number>>();
  const outermost = () => pipeline(circuitBreaker(), fallback(null)).execute(() => 5, { fallback: true });
  expectTypeOf(outermost).returns.toEqualTypeOf<Promise<number | true | null>>();
});

/** As `fetch` does. */
const rejected = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

test('every call ends as exactly what it was, and leaves no listener, whatever happens', async () => {
  const end = fc.constantFrom('ok', 'fail', 'refused', 'aborted', 'deadline', 'unwanted');
  const answer = fc.constantFrom('answer', 'fail', 'slow', 'aborted');
  await holdsInTime(
    fc.asyncProperty(fc.array(fc.tuple(end, answer), { maxLength: 30 }), async (calls) => {
      const expected = { ok: 0, fellBack: 0, failed: 0, given: 0 };
      const refusal = new RejectedError('no', { breaker: 'x', reason: 'open' });
      const clock = manualClock();
      const { policy, told } = setUp(
        (_error: unknown, { context }: CallContext) => {
          const { then, caller } = context as { then: string; caller: AbortController };
          if (then === 'fail') throw new Error('no answer');
          if (then === 'slow') return new Promise((resolve) => clock.setTimeout(() => resolve('answer'), 10));
          if (then === 'aborted') caller.abort('enough');
          return 'answer';
        },
        { when: (given) => given !== 'unwanted' },
      );
      for (const [how, then] of calls) {
        const caller = new AbortController();
        const call = policy
          .execute(
            () => {
              if (how === 'ok') return 'ok';
              if (how === 'aborted') caller.abort('enough');
              if (how === 'deadline') caller.abort(new DOMException('late', 'TimeoutError'));
              if (how === 'aborted' || how === 'deadline') return hang();
              throw how === 'refused' ? refusal : how === 'unwanted' ? how : error;
            },
            { signal: caller.signal, context: { then, caller } },
          )
          .catch((reason: unknown) => reason);
        await clock.advance(10);
        const result = await call;
        const falls = how === 'fail' || how === 'refused' || how === 'deadline';
        if (how === 'ok') expected.ok++;
        if (!falls) expect(result).toBe(how === 'ok' ? 'ok' : how === 'aborted' ? 'enough' : 'unwanted');
        else if (then === 'fail') expected.failed++;
        else if (then === 'aborted' && how !== 'deadline') expected.given++;
        else expected.fellBack++;
        if (falls && then !== 'fail')
          expect(result).toBe(then === 'aborted' && how !== 'deadline' ? 'enough' : 'answer');
        expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
      }
      const { fellBack, failed, given } = expected;
      expect(policy.metrics()).toEqual({
        name: 'fallback',
        totalRequests: calls.length,
        fallbackRequests: fellBack + failed + given,
        failedFallbacks: failed,
      });
      expect(told.filter(([event]) => event === 'fell-back')).toHaveLength(fellBack);
      expect(told.filter(([event]) => event === 'fallback-failed')).toHaveLength(failed);
    }),
  );
});
