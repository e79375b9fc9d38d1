import { getEventListeners } from 'node:events';
import {
  type BulkheadFullError,
  bulkhead,
  type CallContext,
  circuitBreaker,
  fallback,
  lastGood,
  type Policy,
  type PolicyLike,
  pipeline,
  type RejectedError,
  type RejectionOf,
  registry,
  TimeoutError,
  timeout,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { rejection } from '../../../../test/support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

/** A policy of somebody else's that writes down who comes and goes. */
function recorder(name: string, log: string[]): PolicyLike {
  return {
    name,
    async execute(fn, options) {
      log.push(`${name} in`);
      try {
        return await fn({ signal: options?.signal ?? new AbortController().signal } as CallContext);
      } finally {
        log.push(`${name} out`);
      }
    },
  };
}

describe('the order', () => {
  test('is outermost first, pipelines inside it included', async () => {
    const log: string[] = [];
    const inner = pipeline(recorder('b', log), timeout(1_000), recorder('c', log));
    const all = pipeline(recorder('a', log), inner, recorder('d', log));
    expect(await all.execute(() => log.push('work'))).toBe(5);
    expect(log).toEqual(['a in', 'b in', 'c in', 'd in', 'work', 'd out', 'c out', 'b out', 'a out']);
    expect(all.policies.map(({ name }) => name)).toEqual(['a', 'b', 'timeout', 'c', 'd']);
  });

  test('one policy may serve in many pipelines', async () => {
    const places = bulkhead({ maxConcurrent: 1 });
    const [a, b] = [pipeline(timeout(1_000), places), pipeline(circuitBreaker(), places)];
    let end = (): void => {};
    const first = a.execute(() => new Promise<void>((resolve) => (end = resolve)));
    expect(await rejection(b.execute(() => 1))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    end();
    await first;
    expect(await b.execute(() => 1)).toBe(1);
  });
});

describe('what goes through', () => {
  test('result, error, key and context; wrap keeps this, arguments and adds the context', async () => {
    const all = pipeline(timeout(1_000), circuitBreaker(), bulkhead({ maxConcurrent: 1 }));
    const seen = await all.execute(({ key, context }) => [key, context], { key: 'k', context: { a: 1 } });
    expect(seen).toEqual(['k', { a: 1 }]);
    const error = new Error('down');
    expect(await rejection(all.execute(() => Promise.reject(error)))).toBe(error);
    const client = {
      base: 10,
      add: all.wrap(function (this: { base: number }, n: number, context?: CallContext) {
        return [this.base + n, context?.signal.aborted];
      }),
    };
    expect(await client.add(5)).toEqual([15, false]);
  });

  test('S22: an abort is faster than every policy and reaches the function, its reason kept, no listener left', async () => {
    const log: string[] = [];
    const policies = [circuitBreaker({ failureThreshold: 1 }), timeout(1_000), bulkhead({ maxConcurrent: 2 })] as const;
    for (const all of [pipeline(...policies), pipeline(timeout(500), recorder('x', log), ...policies)]) {
      const caller = new AbortController();
      let inner: AbortSignal | undefined;
      const call = all.execute(
        ({ signal }) => {
          inner = signal;
          return hang();
        },
        { signal: caller.signal },
      );
      caller.abort('enough');
      expect(await rejection(call)).toBe('enough');
      expect(inner?.reason).toBe('enough');
      expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
      expect(policies[0].state).toBe('closed');
      expect(await rejection(all.execute(() => 1, { signal: caller.signal }))).toBe('enough');
    }
  });

  test('S12: an outer timeout ends what is inside with its error, and a breaker there counts a failure', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 1 });
    const places = bulkhead({ maxConcurrent: 1, clock });
    const all = pipeline(timeout({ timeoutMs: 100, clock, name: 'outer' }), breaker, places);
    let signal: AbortSignal | undefined;
    const call = rejection(
      all.execute((context) => {
        signal = context.signal;
        return hang();
      }),
    );
    await clock.advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(await call).toMatchObject({ breaker: 'outer' });
    expect(signal?.reason).toBe(await call);
    expect(breaker.state).toBe('open');
    expect(places.metrics().inFlight).toBe(1);
  });

  test('an inner timeout never has more than what is left of the outer one', async () => {
    const clock = manualClock();
    const all = pipeline(timeout({ timeoutMs: 100, clock }), timeout({ timeoutMs: 500, clock }));
    const left: number[] = [];
    const call = rejection(
      all.execute(async (context) => {
        left.push(context.timeLeftMs);
        await new Promise<void>((resolve) => clock.setTimeout(resolve, 30));
        left.push(context.timeLeftMs);
        return hang();
      }),
    );
    await clock.advance(100);
    expect(await call).toMatchObject({ timeoutMs: 100 });
    expect(left).toEqual([100, 70]);
  });
});

describe('a breaker with a time limit and places right inside', () => {
  const build = (options: object = {}) => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 2, sleepWindowMs: 1_000, ...options });
    const limit = timeout({ timeoutMs: 100, clock, name: 'limit' });
    const places = bulkhead({ maxConcurrent: 1, clock, name: 'places' });
    return { clock, breaker, limit, places, all: pipeline(breaker, limit, places) };
  };

  test('is one call: the places’ refusal is ignored by the breaker, the timeout fails it', async () => {
    const { clock, breaker, limit, places, all } = build();
    const hung = rejection(all.execute(hang));
    expect(await rejection(all.execute(() => 1))).toMatchObject({ code: 'ERR_BULKHEAD_FULL', breaker: 'places' });
    await clock.advance(100);
    expect(await hung).toMatchObject({ code: 'ERR_TIMEOUT', breaker: 'limit' });
    expect(breaker.metrics()).toMatchObject({
      totalRequests: 2,
      failedRequests: 1,
      ignoredRequests: 1,
      timedOutRequests: 1,
    });
    expect(limit.metrics()).toMatchObject({ timedOutRequests: 1 });
    expect(places.metrics()).toMatchObject({ rejectedRequests: 1, inFlight: 1 });
    await clock.advance(60_000);
    expect(places.metrics()).toMatchObject({ inFlight: 0, abandoned: 1 });
  });

  test('S9: a probe that finds no place gives its permit back and decides nothing', async () => {
    const { clock, breaker, places, all } = build({ failureThreshold: 1 });
    await rejection(all.execute(() => Promise.reject(new Error('down'))));
    await clock.advance(1_000);
    let end = (): void => {};
    const outside = places.execute(() => new Promise<void>((resolve) => (end = resolve)));
    expect(await rejection(all.execute(() => 1))).toMatchObject({ breaker: 'places' });
    expect(breaker.state).toBe('half-open');
    end();
    await outside;
    expect(await all.execute(() => 1)).toBe(1);
  });

  test('keeps parts of its own that an update brings: then the policies stand inside as they are', async () => {
    const { clock, breaker, all } = build();
    expect(await all.execute(() => 1)).toBe(1);
    breaker.update({ timeoutMs: 50 });
    const call = rejection(all.execute(hang));
    await clock.advance(50);
    expect(await call).toMatchObject({ breaker: 'circuit-breaker', timeoutMs: 50 });
  });

  test('places of its own bound it as well as those inside', async () => {
    const { all } = build({ maxConcurrent: 2 });
    const { all: narrow } = build({ maxConcurrent: 1 });
    for (const [stack, breaker] of [
      [all, 'places'],
      [narrow, 'circuit-breaker'],
    ] as const) {
      void stack.execute(hang).catch(() => {});
      expect(await rejection(stack.execute(() => 1))).toMatchObject({ code: 'ERR_BULKHEAD_FULL', breaker });
    }
  });

  test.each([
    [1, 9],
    [9, 1],
  ])('of two limits, or two bulkheads, the tighter holds: %i, %i', async (outer, inner) => {
    const clock = manualClock();
    const limits = [outer, inner].map((n) => timeout({ timeoutMs: 50 * n, clock }));
    const call = rejection(pipeline(circuitBreaker({ clock }), ...limits).execute(hang));
    await clock.advance(50);
    expect(await call).toMatchObject({ timeoutMs: 50 });
    const places = [outer, inner].map((maxConcurrent) => bulkhead({ maxConcurrent }));
    const all = pipeline(circuitBreaker(), ...places);
    void all.execute(hang);
    expect(await rejection(all.execute(() => 1))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
  });

  test('goes on inwards: the rest of the pipeline runs inside the one call', async () => {
    const log: string[] = [];
    const { breaker, limit } = build();
    const all = pipeline(breaker, limit, recorder('x', log), bulkhead({ maxConcurrent: 5 }));
    expect(await all.execute(() => log.push('work'))).toBe(2);
    expect(log).toEqual(['x in', 'work', 'x out']);
  });

  test('a breaker’s own fallback answers for the places too', async () => {
    const { all } = build({ fallback: 'other' });
    void all.execute(hang);
    expect(await all.execute(() => 1)).toBe('other');
  });
});

describe('a time limit right outside a breaker', () => {
  const build = (options: object = {}) => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 1, ...options });
    const limit = timeout({ timeoutMs: 100, clock, name: 'limit' });
    return { clock, breaker, limit };
  };

  test('S12: is one call with it too: the breaker counts the timeout as a failure', async () => {
    const { clock, breaker, limit } = build();
    const places = bulkhead({ maxConcurrent: 1, clock });
    const call = rejection(pipeline(limit, breaker, places).execute(hang));
    await clock.advance(100);
    expect(await call).toMatchObject({ code: 'ERR_TIMEOUT', breaker: 'limit' });
    expect(breaker.metrics()).toMatchObject({ state: 'open', failedRequests: 1, timedOutRequests: 1 });
    expect([limit.metrics().timedOutRequests, places.metrics().inFlight]).toEqual([1, 1]);
  });

  test('limits the breaker’s fallback as well', async () => {
    const { clock, breaker, limit } = build({ fallback: hang });
    const call = rejection(pipeline(limit, breaker).execute(() => Promise.reject(new Error('down'))));
    await clock.advance(100);
    expect(await call).toMatchObject({ breaker: 'limit' });
  });
});

describe('places and a time limit right beside one another', () => {
  test.each([
    ['places outside', true],
    ['the limit outside', false],
  ])('S21: %s: the place of work that outlives its call stays taken', async (_which, outside) => {
    const clock = manualClock();
    const limit = timeout({ timeoutMs: 100, clock });
    const places = bulkhead({ maxConcurrent: 1, clock });
    const all = outside ? pipeline(places, limit) : pipeline(limit, places);
    let end = (): void => {};
    const call = rejection(all.execute(() => new Promise<void>((resolve) => (end = resolve))));
    expect(await rejection(all.execute(() => 1))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    await clock.advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(places.metrics()).toMatchObject({ inFlight: 1, rejectedRequests: 1 });
    end();
    await clock.advance(0);
    expect(places.metrics().inFlight).toBe(0);
    expect(limit.metrics()).toMatchObject({ timedOutRequests: 1, lateResults: 1 });
    expect(await all.execute(() => 1)).toBe(1);
  });

  test('go on inwards, and are free again when what is inside has ended', async () => {
    const log: string[] = [];
    const clock = manualClock();
    const places = bulkhead({ maxConcurrent: 1, clock });
    const all = pipeline(places, timeout({ timeoutMs: 100, clock }), recorder('x', log));
    expect(await all.execute(() => log.push('work'))).toBe(2);
    let end = (): void => {};
    const call = rejection(all.execute(() => new Promise<void>((resolve) => (end = resolve))));
    await clock.advance(100);
    expect(await call).toBeInstanceOf(TimeoutError);
    expect(await rejection(all.execute(() => 1, { signal: AbortSignal.abort('enough') }))).toBe('enough');
    expect(places.metrics().inFlight).toBe(1);
    end();
    await clock.advance(0);
    expect(places.metrics().inFlight).toBe(0);
  });
});

describe('construction', () => {
  test('S26: names what is no policy; an empty pipeline is none', () => {
    expect(() => pipeline({} as never, 5 as never)).toThrow('pipeline: policy 1 must be an object with execute, got 5');
    expect(() => pipeline(null as never)).toThrow('pipeline: policy 1 must be an object with execute, got null');
    expect(() => pipeline()).toThrow('pipeline: policies must be one or more');
    expect(() => pipeline()).toThrow(RangeError);
    expect(() => pipeline({ onWarning: true } as never, timeout(1))).toThrow('onWarning must be a function');
    expect(() => pipeline({ wat: 1 } as never, timeout(1))).toThrow('unknown option wat');
  });

  test('warns once a process of an order that hurts, unless told where to or not to', () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const chaos = Object.assign(timeout(1), { kind: 'chaos' });
    pipeline(chaos, circuitBreaker());
    pipeline(chaos, circuitBreaker());
    pipeline({ onWarning: false }, chaos, circuitBreaker());
    expect(warn.mock.calls).toEqual([[expect.stringMatching(/^recloser: chaos around circuit breaker: /)]]);
    const said: string[] = [];
    pipeline({ onWarning: (warning) => said.push(warning), name: 'x' }, chaos, circuitBreaker());
    expect(said).toHaveLength(1);
    warn.mockRestore();
  });

  test('infers results and its own rejections', () => {
    const all = pipeline(circuitBreaker(), timeout(1), bulkhead({ maxConcurrent: 1 }));
    expectTypeOf(all.execute(async () => 5)).toEqualTypeOf<Promise<number>>();
    expectTypeOf<RejectionOf<typeof all>>().toEqualTypeOf<RejectedError | TimeoutError | BulkheadFullError>();
    const answering = pipeline({} as Policy<'cached'>, timeout(1));
    expectTypeOf(answering.execute(() => 5)).toEqualTypeOf<Promise<number | 'cached'>>();
  });

  test('every policy is a `Policy`, whatever it rejects with, unless it answers by itself', () => {
    const all: Policy[] = [circuitBreaker(), timeout(1), registry(), pipeline(timeout(1))];
    expectTypeOf(all[0]?.execute(() => 5)).toEqualTypeOf<Promise<number> | undefined>();
    expectTypeOf(fallback('other')).not.toExtend<Policy>();
    expectTypeOf(timeout(1)).not.toExtend<Policy<never, BulkheadFullError>>();
  });
});

describe('a call’s own fallback', () => {
  const down = (): never => {
    throw new Error('down');
  };
  const own = { fallback: 'of the call' };
  const answering = (options = {}) => circuitBreaker({ fallback: 'of the breaker', ...options });

  test('S27: goes before that of the outermost policy, as without a pipeline', async () => {
    const limits = [timeout(1_000), bulkhead({ maxConcurrent: 1 })];
    for (const [outermost, answer] of [
      [fallback('of the policy'), 'of the policy'],
      [answering(), 'of the breaker'],
    ] as const) {
      for (const all of [
        pipeline(outermost),
        pipeline(outermost, ...limits),
        pipeline(pipeline(outermost), timeout(5)),
      ]) {
        expect(await all.execute(down)).toBe(answer);
        expect(await all.execute(down, { key: 'a' })).toBe(answer);
        expect(await all.execute(down, own)).toBe('of the call');
        expect(await all.execute(() => 1, own)).toBe(1);
      }
    }
    const hosts = registry({ defaults: { fallback: 'of the breaker' } });
    expect(await pipeline(hosts, timeout(1_000)).execute(down, { key: 'a', ...own })).toBe('of the call');
  });

  test('S27: for an outermost breaker’s counts there, and answers only what that would', async () => {
    const breaker = answering({ classify: ({ ok }: { ok: boolean }) => (ok ? 'success' : 'ignored') });
    expect(await rejection(pipeline(breaker, timeout(1_000)).execute(down, own))).toMatchObject({ message: 'down' });
    const all = pipeline(answering({ name: 'a' }), timeout(1_000), bulkhead({ maxConcurrent: 1 }));
    await all.execute(down, own);
    expect((all.policies[0] as ReturnType<typeof circuitBreaker>).metrics()).toMatchObject({ fallbackRequests: 1 });
  });

  test('S27: the policies inside the outermost run as in any call', async () => {
    for (const outermost of [fallback('of the policy'), answering()]) {
      const inner = timeout(1_000);
      expect(await pipeline(outermost, inner).execute(() => 1, own)).toBe(1);
      expect(inner.metrics().totalRequests).toBe(1);
    }
  });

  test('S27: stands around all of them where the outermost has none, and what is further in answers first', async () => {
    const breaker = circuitBreaker();
    for (const inner of [breaker, timeout(1_000), recorder('foreign', [])]) {
      expect(await pipeline(inner).execute(down, own)).toBe('of the call');
    }
    expect(breaker.metrics().fallbackRequests).toBe(0);
    expect(await pipeline(timeout(1_000), answering()).execute(down, own)).toBe('of the breaker');
    expect(await pipeline(recorder('foreign', []), answering()).execute(down, own)).toBe('of the breaker');
  });

  test('S27: in a policy of two pipelines nobody gets the good value of the other', async () => {
    const shared = timeout(1_000);
    const [a, b] = [pipeline(shared), pipeline(shared)];
    const kept = { key: 'k', fallback: lastGood() };
    await a.execute(() => 'of a', kept);
    expect(await a.execute(down, kept)).toBe('of a');
    expect(await rejection(b.execute(down, kept))).toMatchObject({ message: 'down' });
  });
});
