import fc from 'fast-check';
import { type CircuitBreakerOptions, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';
import { holdsInTime } from '../support/properties.ts';

/** Both paths: the one that keeps no record of a call, and the one that does. */
const paths: [string, CircuitBreakerOptions][] = [
  ['plain', {}],
  ['timed', { latency: true }],
  ['with a timeout', { timeoutMs: 1_000 }],
  ['with a bulkhead', { maxConcurrent: 10 }],
];

describe.each(paths)('settling, %s', (_path, options) => {
  test('S13: a synchronous throw is a rejection', async () => {
    const { breaker } = setUp(options);
    const error = new Error('sync');
    const call = breaker.execute(() => {
      throw error;
    });
    expect(await rejection(call)).toBe(error);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
  });

  test('S13: a thenable is awaited', async () => {
    const { breaker } = setUp(options);
    // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
    const thenable = { then: (resolve: (value: string) => void) => resolve('thenable') };
    expect(await breaker.execute(() => thenable)).toBe('thenable');
    expect(breaker.metrics().successfulRequests).toBe(1);
  });

  test('S13: a thenable that settles twice settles the call once', async () => {
    const { breaker } = setUp(options);
    const thenable = {
      // biome-ignore lint/suspicious/noThenProperty: a thenable is what is tested
      then(resolve: (value: string) => void, reject: (error: Error) => void) {
        resolve('first');
        reject(new Error('second'));
        resolve('third');
        throw new Error('fourth');
      },
    };
    expect(await breaker.execute(() => thenable)).toBe('first');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0, inFlight: 0 });
  });

  test('S13: a thenable whose `then` throws when read is a rejection', async () => {
    const { breaker } = setUp(options);
    const error = new Error('getter');
    const hostile = Object.defineProperty({}, 'then', {
      get() {
        throw error;
      },
    });
    expect(await rejection(breaker.execute(() => hostile))).toBe(error);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, inFlight: 0 });
  });

  test.each([
    [
      'a getter that throws',
      {
        get: () => {
          throw new Error('getter');
        },
      },
      'getter',
    ],
    [
      'a function that throws',
      {
        value: () => {
          throw new Error('called');
        },
      },
      'called',
    ],
    [
      'a function that rejects',
      { value: (_: unknown, reject: (error: Error) => void) => reject(new Error('no')) },
      'no',
    ],
  ] as const)(
    'S13: a promise whose own `then` is %s is a rejection, and leaves no place taken',
    async (_what, then, message) => {
      for (const options of [{}, { latency: true }, { timeoutMs: 100, maxConcurrent: 2 }]) {
        const { breaker } = setUp({ ...options, failureThreshold: 100 });
        for (let i = 0; i < 3; i++) {
          const promise = Object.defineProperty(Promise.resolve(1), 'then', then);
          expect(await rejection(breaker.execute(() => promise))).toMatchObject({ message });
        }
        expect(breaker.metrics()).toMatchObject({ failedRequests: 3, inFlight: 0 });
        expect(breaker.places?.taken ?? 0).toBe(0);
      }
    },
  );

  test('S13: undefined is a value like any other', async () => {
    const { breaker } = setUp(options);
    expect(await breaker.execute(() => undefined)).toBeUndefined();
    expect(await breaker.execute(async () => undefined)).toBeUndefined();
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, failedRequests: 0 });
  });

  test('S13: a re-entrant call is a call of its own', async () => {
    const { breaker } = setUp({ failureThreshold: 2, ...options });
    const inner: Promise<unknown>[] = [];
    const outer = breaker.execute(() => {
      inner.push(breaker.execute(() => 'inner'));
      return inner[0];
    });
    expect(await outer).toBe('inner');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, inFlight: 0, totalRequests: 2 });
  });

  test('S13: re-entrant calls that open the circuit from within leave the outer one its own result', async () => {
    const { breaker } = setUp(options);
    const outer = breaker.execute(async () => {
      await fail(breaker);
      expect(breaker.state).toBe('open');
      return 'outer';
    });
    expect(await outer).toBe('outer');
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1, lateResults: 1 });
  });

  test('S13: the caller gets the very value and the very error', async () => {
    const { breaker } = setUp(options);
    const value = Object.freeze({});
    const error = Object.freeze(new Error('frozen'));
    expect(await succeed(breaker, value)).toBe(value);
    expect(await fail(breaker, error)).toBe(error);
  });
});

describe('late results', () => {
  test('S13: a result after its timeout is late, and is counted once', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, failureThreshold: 9 });
    const late: unknown[] = [];
    breaker.on('late', (event) => late.push(event));
    const [good, bad] = [hold(breaker), hold(breaker)];
    await clock.advance(100);
    good.resolve('late');
    bad.reject(new Error('late'));
    await clock.advance(0);
    expect(await good.result).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(breaker.metrics()).toMatchObject({
      successfulRequests: 0,
      failedRequests: 2,
      timedOutRequests: 2,
      lateResults: 2,
      inFlight: 0,
      totalRequests: 2,
    });
    expect(breaker.metrics().window.failures).toBe(2);
    expect(late).toEqual([
      { breaker: 'circuit-breaker', cause: 'timed-out', ok: true },
      { breaker: 'circuit-breaker', cause: 'timed-out', ok: false },
    ]);
  });

  test('S13: a result after its caller’s abort is not counted again', async () => {
    const { breaker } = setUp();
    const controller = new AbortController();
    const call = hold(breaker, { signal: controller.signal });
    controller.abort();
    await call.result;
    call.reject(new Error('late'));
    await call.promise.catch(() => {});
    expect(breaker.metrics()).toMatchObject({
      ignoredRequests: 1,
      failedRequests: 0,
      lateResults: 0,
      totalRequests: 1,
    });
    expect(breaker.state).toBe('closed');
  });

  test('S13: whoever is first wins: a result at the very time of the timeout', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const call = breaker.execute(() => new Promise((resolve) => clock.setTimeout(() => resolve('in time'), 99)));
    await clock.advance(99);
    expect(await call).toBe('in time');
    await clock.advance(1);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, timedOutRequests: 0 });
  });
});

describe('samples', () => {
  const rate = () => failureRate({ threshold: 0.5, windowCalls: 100, minimumCalls: 4 });

  test('S14: one call is one sample', async () => {
    const { breaker } = setUp({ trip: rate() });
    await fail(breaker);
    await succeed(breaker);
    expect(breaker.metrics().window).toMatchObject({ calls: 2, failures: 1, value: 0.5 });
  });

  test('S14: a timed-out call is one sample, its late result none', async () => {
    const { breaker, clock } = setUp({ trip: rate(), timeoutMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    call.resolve();
    await clock.advance(0);
    expect(breaker.metrics().window).toMatchObject({ calls: 1, failures: 1 });
  });

  test('S14: refused calls are no samples', async () => {
    const { breaker } = setUp({ trip: rate(), maxConcurrent: 1 });
    const busy = hold(breaker);
    for (let i = 0; i < 10; i++) await rejection(succeed(breaker));
    breaker.forceOpen();
    for (let i = 0; i < 10; i++) await rejection(succeed(breaker));
    breaker.release();
    busy.resolve();
    await busy.result;
    expect(breaker.metrics().window.calls).toBe(1);
  });

  test('S14: calls still in flight are no samples', () => {
    const { breaker } = setUp({ trip: rate() });
    stampede(breaker, 10);
    expect(breaker.metrics().window.calls).toBe(0);
  });

  test('S14: ignored calls are no samples', async () => {
    const { breaker } = setUp({ trip: rate() });
    for (let i = 0; i < 10; i++) breaker.acquire()?.ignore();
    for (let i = 0; i < 3; i++) await fail(breaker);
    expect(breaker.metrics().window.calls).toBe(3);
    expect(breaker.state).toBe('closed');
  });

  test('S14: calls while disabled are no samples', async () => {
    const { breaker } = setUp({ trip: rate() });
    breaker.disable();
    for (let i = 0; i < 10; i++) await fail(breaker);
    breaker.release();
    expect(breaker.metrics()).toMatchObject({ totalRequests: 0, window: { calls: 0 } });
  });

  test('S14: rate = failures / (failures + successes), refusals beside', async () => {
    const { breaker } = setUp({ trip: rate(), maxConcurrent: 1 });
    for (const end of ['success', 'failure', 'success'] as const) {
      const busy = breaker.acquire();
      for (let i = 0; i < 50; i++) breaker.acquire();
      if (end === 'success') busy?.success();
      else busy?.failure(new Error('x'));
    }
    expect(breaker.metrics().window).toMatchObject({ calls: 3, failures: 1, value: 1 / 3 });
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S14: metrics are those of the whole life, closing and reset change no figure', async () => {
    const { breaker, clock } = setUp();
    await succeed(breaker);
    await fail(breaker);
    await rejection(succeed(breaker));
    await clock.advance(1_000);
    await succeed(breaker);
    breaker.reset();
    expect(breaker.metrics()).toMatchObject({
      totalRequests: 4,
      successfulRequests: 2,
      failedRequests: 1,
      rejectedRequests: 1,
      ignoredRequests: 0,
      circuitOpenTimeMs: 1_000,
    });
  });

  test('S14: circuitOpenTimeMs grows while open and stops in half-open', async () => {
    const { breaker, clock } = setUp();
    await clock.advance(5_000);
    await fail(breaker);
    await clock.advance(400);
    expect(breaker.metrics().circuitOpenTimeMs).toBe(400);
    await clock.advance(2_000);
    expect(breaker.metrics().circuitOpenTimeMs).toBe(2_400);
    hold(breaker);
    await clock.advance(700);
    expect(breaker.metrics().circuitOpenTimeMs).toBe(2_400);
  });

  test('S2: what ends late without having been counted, or is late already, is not late once more', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    breaker.disable();
    const uncounted = hold(breaker);
    breaker.release();
    const old = hold(breaker);
    breaker.reset();
    await clock.advance(100);
    expect(breaker.metrics()).toMatchObject({ totalRequests: 1, lateResults: 1 });
    for (const call of [uncounted, old]) call.resolve();
    await Promise.all([uncounted.promise, old.promise].map(rejection));
    expect(breaker.metrics()).toMatchObject({ totalRequests: 1, lateResults: 1 });
  });

  test('S14: lastFailureTime is that of the last failure, for display', async () => {
    const { breaker } = setUp();
    expect(breaker.metrics().lastFailureTime).toBeUndefined();
    const before = Date.now();
    await fail(breaker);
    const { lastFailureTime } = breaker.metrics();
    expect(lastFailureTime).toBeGreaterThanOrEqual(before);
    expect(lastFailureTime).toBeLessThanOrEqual(Date.now());
  });

  test('S14: percentiles cover the last one to two minutes', async () => {
    const { breaker, clock } = setUp({ latency: true });
    const slow = async (ms: number) => {
      const call = hold(breaker);
      await clock.advance(ms);
      call.resolve();
      await call.result;
    };
    expect(breaker.metrics().latency).toBeUndefined();
    await slow(1_000);
    expect(breaker.metrics().latency).toMatchObject({ count: 1, max: 1_000, p50: 1_000 });
    await clock.advance(59_000);
    expect(breaker.metrics().latency?.count).toBe(1);
    await slow(10);
    expect(breaker.metrics().latency).toMatchObject({ count: 2, max: 1_000 });
    await clock.advance(120_000);
    expect(breaker.metrics().latency).toBeUndefined();
    expect(breaker.metrics().successfulRequests).toBe(2);
  });

  test('S14: totalRequests = successful + failed + ignored + rejected + in flight, whatever happens', async () => {
    const event = fc.oneof(
      fc.constantFrom('start', 'start', 'permit', 'aborted', 'force', 'release', 'reset', 'observe', 'forceClosed'),
      fc.record({ settle: fc.nat(20), as: fc.constantFrom('resolve', 'reject', 'abort') }),
      fc.record({ advance: fc.nat(600) }),
    );
    const scene = fc.record({
      timeoutMs: fc.option(fc.integer({ min: 50, max: 500 }), { nil: undefined }),
      maxConcurrent: fc.option(fc.integer({ min: 1, max: 4 }), { nil: undefined }),
      probeTimeoutMs: fc.option(fc.integer({ min: 50, max: 500 }), { nil: undefined }),
      rampMs: fc.option(fc.constant(500), { nil: undefined }),
      events: fc.array(event, { maxLength: 60 }),
    });
    await holdsInTime(
      fc.asyncProperty(scene, async ({ timeoutMs, maxConcurrent, probeTimeoutMs, rampMs, events }) => {
        const { breaker, clock } = setUp({
          ...{ timeoutMs, maxConcurrent, failureThreshold: 2, sleepWindowMs: 200, successThreshold: 2 },
          halfOpen: { maxConcurrent: 2, probeTimeoutMs },
          recovery: rampMs === undefined ? undefined : { rampMs },
        });
        let made = 0;
        const out: { end(as: 'resolve' | 'reject' | 'abort'): void }[] = [];
        for (const happens of events) {
          if (happens === 'start') {
            made++;
            const controller = new AbortController();
            const call = hold(breaker, { signal: controller.signal });
            out.push({ end: (as) => (as === 'abort' ? controller.abort() : call[as](new Error('x'))) });
          } else if (happens === 'permit') {
            made++;
            const permit = breaker.acquire();
            out.push({
              end: (as) =>
                as === 'abort' ? permit?.ignore() : as === 'resolve' ? permit?.success() : permit?.failure(),
            });
          } else if (happens === 'aborted') {
            made++;
            hold(breaker, { signal: AbortSignal.abort() });
          } else if (happens === 'force') breaker.forceOpen({ expiresInMs: 100 });
          else if (happens === 'forceClosed') breaker.forceClosed();
          else if (happens === 'observe') breaker.observeOnly();
          else if (happens === 'release') breaker.release();
          else if (happens === 'reset') breaker.reset();
          else if ('advance' in happens) await clock.advance(happens.advance);
          else out[happens.settle % Math.max(1, out.length)]?.end(happens.as);
          await clock.advance(0);
          const m = breaker.metrics();
          expect(m.totalRequests).toBe(made);
          const sum = m.successfulRequests + m.failedRequests + m.ignoredRequests + m.rejectedRequests + m.inFlight;
          expect(sum).toBe(made);
          expect(m.inFlight).toBeGreaterThanOrEqual(0);
          expect(m.timedOutRequests).toBeLessThanOrEqual(m.failedRequests);
        }
      }),
      100,
    );
  });
});
