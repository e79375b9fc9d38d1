import { getEventListeners } from 'node:events';
import {
  type AnswerOf,
  ChaosError,
  type ChaosOptions,
  chaos,
  circuitBreaker,
  pipeline,
  RejectedError,
  timeout,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { setUp } from '../../../../../test/support/chaos.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('what is done to a call', () => {
  test('a fault: the call fails with a ChaosError, the function is not called', async () => {
    const { call, work, told } = setUp({ fault: true });
    const error = (await rejection(call('k'))) as Error;
    expect(error).toBeInstanceOf(ChaosError);
    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({ name: 'ChaosError', code: 'ERR_CHAOS', message: 'monkey: an injected fault' });
    expect(error).not.toBeInstanceOf(RejectedError);
    expect(work).not.toHaveBeenCalled();
    expect(told).toEqual([['injected', { policy: 'monkey', key: 'k', injection: 'fault' }]]);
    expect(await rejection(call())).not.toBe(error);
  });

  test('a fault of your own keeps its class, name and code, and is a ChaosError too', async () => {
    class Reset extends TypeError {
      readonly code = 'ECONNRESET';
    }
    const { call } = setUp({ fault: ({ key }) => new Reset(`read ${key}`) });
    const error = (await rejection(call('k'))) as Reset;
    expect(error).toBeInstanceOf(ChaosError);
    expect(error).toBeInstanceOf(Reset);
    expect(error).toMatchObject({ code: 'ECONNRESET', message: 'read k' });
    expect(Object.keys(error)).toEqual(['code']);
    expect(new Reset('an honest one')).not.toBeInstanceOf(ChaosError);
  });

  test.each<[string, () => Promise<Error>]>([
    ['answers', () => Promise.resolve(new TypeError('late'))],
    ['rejects with', () => Promise.reject(new TypeError('late'))],
  ])('a fault may be what a promise %s', async (_how, fault) => {
    const error = await rejection(setUp({ fault }).call());
    expect(error).toBeInstanceOf(ChaosError);
    expect(error).toBeInstanceOf(TypeError);
  });

  test.each([['text'], [undefined], [Object.freeze(new Error('frozen'))]])(
    'what can’t be marked becomes the cause of what can: %s',
    async (thrown) => {
      for (const fault of [
        () => thrown,
        () => {
          throw thrown;
        },
      ]) {
        const error = (await rejection(setUp({ fault }).call())) as Error;
        expect(error).toBeInstanceOf(ChaosError);
        expect(error.cause).toBe(thrown);
      }
    },
  );

  test('latency: the call goes on later, at its own time', async () => {
    const { call, work, clock, told } = setUp({ latencyMs: 200 });
    const late = call('k');
    await clock.advance(199);
    expect(work).not.toHaveBeenCalled();
    await clock.advance(1);
    expect(await late).toBe('real');
    expect(told).toEqual([['injected', { policy: 'monkey', key: 'k', injection: 'latency' }]]);
  });

  test.each([
    [() => 5, 5],
    [() => -5, 0],
    [() => Number.NaN, 0],
    [() => Infinity, 2 ** 31 - 1],
  ])('latency by a function is brought into range: %s', async (latencyMs, ms) => {
    const { call, clock } = setUp({ latencyMs });
    const late = call();
    if (ms > 0) {
      await clock.advance(ms - 1);
      expect(await stateOf(late)).toBe('pending');
    }
    await clock.advance(1);
    expect(await late).toBe('real');
  });

  test('an outcome: the call is answered with it, the function not called', async () => {
    const { call, work, told } = setUp<unknown>({ outcome: async ({ key }) => ({ status: 503, key }) });
    expect(await call('k')).toEqual({ status: 503, key: 'k' });
    expect(work).not.toHaveBeenCalled();
    expect(told.map(([, event]) => (event as { injection: string }).injection)).toEqual(['outcome']);
  });

  test('behaviour: it is run before the call, which waits for it; what it throws is an injected fault', async () => {
    const order: string[] = [];
    const { policy } = setUp({
      behaviour: async () => {
        await undefined;
        order.push('behaviour');
      },
    });
    await policy.execute(() => order.push('call'));
    expect(order).toEqual(['behaviour', 'call']);
    const broken = setUp({ behaviour: () => Promise.reject(new Error('pool drained')) });
    const error = await rejection(broken.call());
    expect(error).toBeInstanceOf(ChaosError);
    expect(error).toMatchObject({ message: 'pool drained' });
    expect(broken.work).not.toHaveBeenCalled();
    expect(broken.policy.metrics().injections).toMatchObject({ behaviour: 1, fault: 1 });
  });

  test('all of it to one call: behaviour, then latency, then the fault', async () => {
    const { call, clock, told, policy } = setUp({ behaviour: () => {}, latencyMs: 10, fault: true });
    const failed = rejection(call());
    await clock.advance(10);
    expect(await failed).toBeInstanceOf(ChaosError);
    expect(told.map(([, event]) => (event as { injection: string }).injection)).toEqual([
      ...['behaviour', 'latency', 'fault'],
    ]);
    expect(policy.metrics()).toEqual({
      name: 'monkey',
      enabled: true,
      totalRequests: 1,
      injectedRequests: 1,
      injections: { behaviour: 1, latency: 1, fault: 1, outcome: 0 },
    });
  });
});

describe('which calls', () => {
  test('the share that rate says, drawn from random: the same seed strikes the same calls', async () => {
    const draws = [0.1, 0.3, 0.29, 0.9];
    let next = 0;
    const { call } = setUp({ rate: 0.3, fault: true, random: () => draws[next++] ?? 1 });
    const ends = await Promise.all([call(), call(), call(), call()].map((made) => made.catch(() => 'struck')));
    expect(ends).toEqual(['struck', 'real', 'struck', 'real']);
  });

  test.each([
    [0, 0],
    [1, 100],
  ])('a rate of %d strikes %d of 100', async (rate, struck) => {
    const { call, policy } = setUp({ rate, fault: true });
    for (let i = 0; i < 100; i++) await call().catch(() => {});
    expect(policy.metrics()).toMatchObject({ totalRequests: 100, injectedRequests: struck });
  });

  test('those that when picks; where it throws none, and the throw is reported', async () => {
    const { policy, call, faults } = setUp({
      fault: true,
      when: ({ key, context }) => {
        if (key === 'broken') throw new Error('x');
        return context === 'canary';
      },
    });
    expect(await rejection(policy.execute(() => 1, { context: 'canary' }))).toBeInstanceOf(ChaosError);
    expect(await call('k')).toBe('real');
    expect(await call('broken')).toBe('real');
    expect(faults).toEqual([['x', 'when']]);
  });

  test('none where random throws, and the throw is reported', async () => {
    const { policy, faults } = setUp({
      fault: true,
      random: () => {
        throw new Error('x');
      },
    });
    expect(await policy.execute(() => 'real')).toBe('real');
    expect(faults).toEqual([['x', 'random']]);
  });
});

describe('the caller gives up', () => {
  test('S22: already aborted: nothing is done and nothing called', async () => {
    const { policy, work, told } = setUp({ fault: true });
    expect(await rejection(policy.execute(work, { signal: AbortSignal.abort('enough') }))).toBe('enough');
    expect(told).toEqual([]);
    expect(policy.metrics().totalRequests).toBe(0);
  });

  test.each<[string, Partial<ChaosOptions<never>>]>([
    ['latency', { latencyMs: 1_000, fault: true }],
    ['behaviour', { behaviour: hang, fault: true }],
    ['outcome', { outcome: hang }],
    ['the call itself', { latencyMs: 0 }],
  ])('S22: during %s: it rejects at once with the reason, unmarked, and nothing goes on', async (_what, options) => {
    const { policy, clock } = setUp(options);
    const caller = new AbortController();
    const reason = new Error('enough');
    const call = policy.execute(hang, { signal: caller.signal });
    await clock.advance(1);
    caller.abort(reason);
    const error = await rejection(call);
    expect(error).toBe(reason);
    expect(error).not.toBeInstanceOf(ChaosError);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    expect(clock.pending).toBe(0);
    expect(policy.metrics().injections.fault).toBe(0);
  });
});

describe('among other policies', () => {
  test('a fault counts against the breaker, latency against the timeout', async () => {
    const clock = manualClock();
    const monkey = chaos({ rate: 1, enabled: true, fault: true, clock });
    const breaker = circuitBreaker({ failureThreshold: 2, clock });
    const all = pipeline(breaker, timeout({ timeoutMs: 100, clock }), monkey);
    await rejection(all.execute(() => 'real'));
    monkey.update({ fault: false, latencyMs: 500 });
    const slow = rejection(all.execute(() => 'real'));
    await clock.advance(100);
    expect(await slow).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(breaker.state).toBe('open');
    expect(clock.pending).toBe(0);
  });
});

test('S25: a listener that throws changes nothing', async () => {
  const faults: unknown[] = [];
  const policy = chaos({
    rate: 1,
    enabled: true,
    fault: true,
    onInjected: () => {
      throw new Error('listener');
    },
    onListenerError: (_fault, event) => faults.push(event),
  });
  expect(await rejection(policy.execute(() => 1))).toBeInstanceOf(ChaosError);
  expect(faults).toEqual(['injected']);
});

test('S26: all faults at once', () => {
  expect(() => chaos({ rate: 1.5, latencyMs: -1, when: 1, fault: 'yes', enabled: 1, seed: 5 } as never)).toThrow(
    /rate must be a number from 0 to 1.*when must be a function.*fault must be a boolean.*latencyMs must be a number from 0 .*enabled must be a boolean.*unknown option seed/,
  );
  expect(() => chaos({ rate: 1 })).toThrow(RangeError);
  expect(() => chaos({ rate: 1 })).toThrow(/fault must be given, or latencyMs, outcome or behaviour/);
  expect(() => chaos({ rate: 1, fault: true, outcome: () => 1 })).toThrow(/outcome must be left out beside fault/);
  expect(() => chaos(undefined as never)).toThrow(TypeError);
  const policy = chaos({ rate: 1, fault: true });
  expect(() => policy.enable({ expiresInMs: 0 })).toThrow(RangeError);
  for (const change of ['enable', 'disable', 'update'] as const) {
    expect(() => policy[change](600_000 as never)).toThrow(`${change}: options must be an object, got 600000`);
  }
  expect(() => policy.disable({ expiresInMs: 5 } as never)).toThrow(TypeError);
  expect(policy.enabled).toBe(false);
});

test('types: an outcome stands beside the function’s own result', () => {
  const policy = chaos({ rate: 1, outcome: async () => 503 });
  expectTypeOf<AnswerOf<typeof policy>>().toEqualTypeOf<number>();
  expectTypeOf(policy.execute(() => 'text')).toEqualTypeOf<Promise<string | number>>();
  expectTypeOf(chaos({ rate: 1, fault: true }).execute(() => 'text')).toEqualTypeOf<Promise<string>>();
});
