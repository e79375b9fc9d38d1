import {
  adaptive,
  anyOf,
  type CircuitBreakerOptions,
  circuitBreaker,
  consecutiveFailures,
  constant,
  exponential,
  failureCount,
  failureRate,
  lastGood,
  linear,
} from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, rejection, setUp, stampede, succeed } from '../support/calls.ts';

const made = (options: unknown) => () => circuitBreaker(options as CircuitBreakerOptions);

const systemTimers = { setTimeout, clearTimeout };

/** What is wrong with the options, as the breaker says it. */
function faultOf(options: unknown): Error {
  try {
    circuitBreaker(options as CircuitBreakerOptions);
  } catch (error) {
    return error as Error;
  }
  throw new Error('no fault was found');
}

describe('validation', () => {
  test.each([
    [{ failureThreshold: 0 }, 'failureThreshold', '1 to 2147483647, got 0'],
    [{ failureThreshold: 1.5 }, 'failureThreshold', 'an integer from 1 to 2147483647, got 1.5'],
    [{ successThreshold: -1 }, 'successThreshold', 'got -1'],
    [{ timeoutMs: 0 }, 'timeoutMs', '1 to 2147483647, got 0'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs', 'got NaN'],
    [{ timeoutMs: Number.POSITIVE_INFINITY }, 'timeoutMs', 'got Infinity'],
    [{ sleepWindowMs: -1 }, 'sleepWindowMs', '0 to 2147483647, got -1'],
    [{ maxSleepWindowMs: 0 }, 'maxSleepWindowMs', 'got 0'],
    [{ maxConcurrent: 0 }, 'maxConcurrent', '1 to 2147483647, got 0'],
    [{ maxConcurrent: 2.5 }, 'maxConcurrent', 'an integer'],
    [{ abandonAfterMs: 0 }, 'abandonAfterMs', 'got 0'],
    [{ slowCallMs: 0 }, 'slowCallMs', 'got 0'],
    [{ halfOpen: { maxConcurrent: 0 } }, 'halfOpen.maxConcurrent', 'got 0'],
    [{ halfOpen: { probeTimeoutMs: 0 } }, 'halfOpen.probeTimeoutMs', 'got 0'],
    [{ halfOpen: { sample: { calls: 0, failureRate: 0.5 } } }, 'halfOpen.sample.calls', 'got 0'],
    [{ halfOpen: { sample: { calls: 1, failureRate: 0 } } }, 'halfOpen.sample.failureRate', 'got 0'],
    [{ halfOpen: { sample: { calls: 1, failureRate: 1.1 } } }, 'halfOpen.sample.failureRate', 'to 1, got 1.1'],
    [{ recovery: { rampMs: 0 } }, 'recovery.rampMs', 'got 0'],
    [{ recovery: { rampMs: 5, initialShare: 0 } }, 'recovery.initialShare', 'to 1, got 0'],
  ])('S26: a value out of range is a RangeError with option, range and received value: %o', (options, option, text) => {
    const error = faultOf(options);
    expect(error).toBeInstanceOf(RangeError);
    expect(error.message).toContain(`${option} must be`);
    expect(error.message).toContain(text);
  });

  test.each([
    [{ name: 5 }, 'name', 'a string, got 5'],
    [{ failureThreshold: '5' }, 'failureThreshold', "got '5'"],
    [{ timeoutMs: null }, 'timeoutMs', 'got null'],
    [{ timeoutMs: 5n }, 'timeoutMs', 'got 5'],
    [{ sleepWindowMs: '30s' }, 'sleepWindowMs', "got '30s'"],
    [{ release: 'now' }, 'release', "'on-settle', 'on-timeout', got 'now'"],
    [{ release: true }, 'release', 'got true'],
    [{ clock: { now: () => 0 } }, 'clock', 'setTimeout,clearTimeout, got an object'],
    [{ clock: { ...systemTimers, now: () => Number.NaN } }, 'clock.now()', 'milliseconds, got NaN'],
    [{ clock: { ...systemTimers, now: () => '5' } }, 'clock.now()', "got '5'"],
    [{ start: 'open' }, 'start', "got 'open'"],
    [{ latency: 1 }, 'latency', 'a boolean, got 1'],
    [{ captureStacks: 'yes' }, 'captureStacks', 'a boolean'],
    [{ classify: {} }, 'classify', 'a function, got an object'],
    [{ random: 5 }, 'random', 'a function'],
    [{ clock: {} }, 'clock', 'got an object'],
    [{ clock: null }, 'clock', 'got null'],
    [{ onOpened: 'log' }, 'onOpened', 'a function'],
    [{ onListenerError: 5 }, 'onListenerError', 'a function'],
    [{ trip: {} }, 'trip', 'a trip rule'],
    [{ trip: null }, 'trip', 'got null'],
    [{ halfOpen: 5 }, 'halfOpen', 'an object, got 5'],
    [{ halfOpen: [] }, 'halfOpen', 'an object, got an array'],
    [{ halfOpen: { sample: 5 } }, 'halfOpen.sample', 'an object'],
    [{ halfOpen: { sample: {} } }, 'halfOpen.sample.calls', 'got undefined'],
    [{ recovery: {} }, 'recovery.rampMs', 'got undefined'],
    [{ recovery: null }, 'recovery', 'got null'],
    [null, 'options', 'an object, got null'],
    ['text', 'options', "an object, got 'text'"],
    [[], 'options', 'an object, got an array'],
  ])(
    'S26: a value of the wrong type, or an unknown word, is a fault with option and received value: %o',
    (options, option, text) => {
      const error = faultOf(options);
      expect(error.constructor === TypeError || error.constructor === RangeError).toBe(true);
      expect(error.message).toContain(`${option} must be`);
      expect(error.message).toContain(text);
    },
  );

  test('S26: all faults in one error', () => {
    const error = faultOf({
      failureThreshold: 0,
      timeoutMs: 'soon',
      maxConcurrent: -1,
      halfOpen: { maxConcurrent: 0, sample: { calls: 0, failureRate: 2 } },
      recovery: { rampMs: -5, initialShare: 5 },
      onOpened: 1,
      colour: 'red',
    });
    expect(error).toBeInstanceOf(TypeError);
    for (const option of [
      'failureThreshold',
      'timeoutMs',
      'maxConcurrent',
      'halfOpen.maxConcurrent',
      'halfOpen.sample.calls',
      'halfOpen.sample.failureRate',
      'recovery.rampMs',
      'recovery.initialShare',
      'onOpened',
      'colour',
    ]) {
      expect(error.message).toContain(option);
    }
    expect(error.message.startsWith('circuitBreaker: ')).toBe(true);
  });

  test('S26: … those of a snapshot too', () => {
    const error = faultOf({ restore: { version: 1, state: 'ajar', generation: 0 }, timeoutMs: 0, colour: 'red' });
    for (const option of ['restore.state', 'restore.generation', 'timeoutMs', 'unknown option colour']) {
      expect(error.message).toContain(option);
    }
    expect(faultOf({ restore: { ...circuitBreaker().toJSON(), generation: 0 } })).toBeInstanceOf(TypeError);
  });

  test('S26: an option is read once: a getter can’t answer one thing to the check and another to the breaker', () => {
    let reads = 0;
    const options = {
      get failureThreshold() {
        return ++reads;
      },
    };
    expect(circuitBreaker(options).metrics().window.threshold).toBe(1);
    expect(reads).toBe(1);
  });

  test('S26: only ranges violated: a RangeError; any wrong type among them: a TypeError', () => {
    expect(faultOf({ timeoutMs: 0, failureThreshold: 0 })).toBeInstanceOf(RangeError);
    expect(faultOf({ timeoutMs: 0, failureThreshold: '0' })).toBeInstanceOf(TypeError);
  });

  test('S26: undefined is absent, everywhere', () => {
    const options = Object.fromEntries(
      [
        ...['name', 'failureThreshold', 'trip', 'successThreshold', 'timeoutMs', 'sleepWindowMs', 'maxSleepWindowMs'],
        ...['maxConcurrent', 'release', 'abandonAfterMs', 'halfOpen', 'recovery', 'classify', 'slowCallMs', 'latency'],
        ...['fallback', 'start', 'restore', 'captureStacks', 'clock', 'random', 'onListenerError', 'onOpened'],
      ].map((key) => [key, undefined]),
    );
    expect(circuitBreaker(options).name).toBe('circuit-breaker');
    expect(circuitBreaker(undefined).state).toBe('closed');
    expect(
      circuitBreaker({ halfOpen: { maxConcurrent: undefined, probeTimeoutMs: undefined, sample: undefined } }).state,
    ).toBe('closed');
    expect(circuitBreaker({ unknown: undefined } as CircuitBreakerOptions).state).toBe('closed');
  });

  test('S26: … also to the compiler (exactOptionalPropertyTypes), of trip rules, back-offs and what people do', () => {
    const none = undefined as number | undefined;
    const trip = anyOf(
      failureRate({
        threshold: 1,
        windowMs: none,
        windowCalls: 5,
        buckets: none,
        minimumCalls: none,
        confidence: none,
      }),
      adaptive({ falseOpensPerDay: none, excess: none }),
    );
    const sleepWindowMs = exponential({ initialMs: 5, maxMs: 5, factor: none, jitter: none });
    const fallback = lastGood({ maxAgeMs: none, maxEntries: none, shared: undefined });
    const breaker = circuitBreaker({ trip, sleepWindowMs, fallback });
    breaker.forceOpen({ reason: undefined, by: undefined, expiresInMs: none });
    expect(breaker.explain()).toContain('forced-open until released');
    expect(constant(5, { jitter: none })(1)).toBe(5);
    expect(linear({ initialMs: 5, maxMs: 5, stepMs: none, jitter: 0 })(2)).toBe(5);
  });

  test.each([
    [{ treshold: 5 }, 'treshold'],
    [{ halfOpen: { maxProbes: 5 } }, 'halfOpen.maxProbes'],
    [{ halfOpen: { sample: { calls: 1, failureRate: 1, size: 5 } } }, 'halfOpen.sample.size'],
    [{ recovery: { rampMs: 5, share: 5 } }, 'recovery.share'],
    [{ timeout: 5_000 }, 'timeout'],
  ])('S26: unknown options are faults: %o', (options, option) => {
    expect(made(options)).toThrow(TypeError);
    expect(made(options)).toThrow(option);
  });

  test('S26: … and the error names the known ones', () => {
    expect(made({ timeout: 5_000 })).toThrow('timeoutMs');
  });

  test('S26: trip beside failureThreshold is a fault', () => {
    expect(made({ trip: consecutiveFailures(5), failureThreshold: 5 })).toThrow(TypeError);
    expect(made({ trip: consecutiveFailures(5), failureThreshold: 5 })).toThrow('absent beside failureThreshold');
  });

  test('S26: … told with all others, as is what may not stand together elsewhere', () => {
    const both = { trip: consecutiveFailures(5), failureThreshold: 0, timeoutMs: -1, colour: 'red' };
    for (const look of [made(both), () => circuitBreaker().update(both as never)]) {
      for (const fault of ['trip must be absent', 'failureThreshold must be', 'timeoutMs', 'colour']) {
        expect(look).toThrow(fault);
      }
    }
    const windows = { threshold: 2, windowMs: 0, windowCalls: 5 };
    for (const fault of ['one of the two', 'threshold', 'windowMs must be a number']) {
      expect(() => failureRate(windows)).toThrow(fault);
    }
  });

  test.each([
    [{ threshold: 0.5 }, 'windowMs or windowCalls must be given, one of the two, got undefined'],
    [
      { threshold: 0.5, windowMs: 5, windowCalls: 5 },
      "windowMs or windowCalls must be given, one of the two, got 'both'",
    ],
    [{ threshold: 0, windowCalls: 5 }, 'threshold'],
    [{ threshold: 1.01, windowCalls: 5 }, 'threshold'],
    [{ threshold: 50, windowCalls: 5 }, 'threshold'],
    [{ windowCalls: 5 }, 'threshold'],
    [{ threshold: 1, windowCalls: 1_000_001 }, 'windowCalls'],
    [{ threshold: 1, windowCalls: 5, minimumCalls: 0 }, 'minimumCalls'],
    [{ threshold: 1, windowMs: 5, buckets: 1_001 }, 'buckets'],
    [{ threshold: 1, windowMs: 5, confidence: 0.4 }, 'confidence'],
    [{ threshold: 1, windowMs: 5, confidence: 1 }, 'confidence'],
    [{ threshold: 1, windowMs: 5, slowCallMs: 5 }, 'slowCallMs'],
    [{ threshold: 1, windowMs: 5, confidence: 0.5 }, 'threshold must be at most 0.999'],
    [
      { threshold: 0.9, windowCalls: 20, confidence: 0.95 },
      'threshold must be at most 0.838 (with confidence 0.95 its window never shows more), got 0.9',
    ],
    [undefined, 'options'],
  ])('S26: the options of trip rules are checked as well: %o', (options, fault) => {
    expect(() => failureRate(options as never)).toThrow(fault);
  });

  test('S26: a threshold that confidence leaves within reach is taken, and reached', () => {
    for (const [threshold, windowCalls, confidence] of [
      [0.83, 20, 0.95],
      [0.5, 4, 0.95],
      [0.999, 1_000_000, 0.9999],
    ] as const) {
      const counter = failureRate({ threshold, windowCalls, confidence }).start(0);
      let opens = false;
      for (let i = 0; i < windowCalls && !opens; i++) opens = counter.record(true, 0, 0);
      expect(opens).toBe(true);
    }
    expect(() => failureRate({ threshold: 0.5, windowCalls: 3, confidence: 0.95 })).toThrow(RangeError);
    expect(() => failureRate({ threshold: 0.999, windowMs: 5, confidence: 0.9999 })).not.toThrow();
    expect(() => failureRate({ threshold: 1, windowCalls: 1 })).not.toThrow();
  });

  test('S26: failureCount has no confidence, and no more failures than calls', () => {
    expect(() => failureCount({ threshold: 2, windowCalls: 5, confidence: 0.9 } as never)).toThrow('confidence');
    expect(() => failureCount({ threshold: 6, windowCalls: 5 })).toThrow(RangeError);
    expect(() => failureCount({ threshold: 6, windowCalls: 5 })).toThrow(
      'threshold must be at most windowCalls (5), got 6',
    );
    expect(() => failureCount({ threshold: 0.5, windowCalls: 5 })).toThrow('an integer');
    expect(() => consecutiveFailures(0)).toThrow(RangeError);
    expect(() => consecutiveFailures(1.5)).toThrow(RangeError);
  });
});

describe('the caller’s object', () => {
  test('S26: it is never mutated: a deeply frozen one is fine', async () => {
    const options = Object.freeze({
      name: 'frozen',
      failureThreshold: 1,
      sleepWindowMs: 0,
      halfOpen: Object.freeze({ sample: Object.freeze({ calls: 1, failureRate: 1 }) }),
      recovery: Object.freeze({ rampMs: 5 }),
    });
    const before = JSON.stringify(options);
    const breaker = circuitBreaker(options);
    await fail(breaker);
    await succeed(breaker);
    breaker.update({ timeoutMs: 5 });
    expect(JSON.stringify(options)).toBe(before);
  });

  test('S26: what the caller does to it later reaches no breaker', async () => {
    const options = { failureThreshold: 1, sleepWindowMs: 1_000, maxConcurrent: 100 };
    const { clock } = setUp();
    const breaker = circuitBreaker(Object.assign(options, { clock }));
    options.failureThreshold = 50;
    options.maxConcurrent = 1;
    breaker.update({ successThreshold: 1 });
    expect(stampede(breaker, 10)).toBe(10);
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S26: … nested ones too', async () => {
    const halfOpen = { maxConcurrent: 1, sample: { calls: 3, failureRate: 0.5 } };
    const recovery = { rampMs: 10, initialShare: 0.5 };
    const { breaker, clock } = setUp({ halfOpen, recovery });
    Object.assign(halfOpen, { maxConcurrent: 50 });
    Object.assign(halfOpen.sample, { calls: 50 });
    Object.assign(recovery, { rampMs: 1_000_000 });
    breaker.update({ successThreshold: 3 });
    await fail(breaker);
    await clock.advance(1_000);
    expect(stampede(breaker, 100)).toBe(1);
  });

  test('S26: … a chain of fallbacks too', async () => {
    const chain: unknown[] = [() => Promise.reject(new Error('no plan A')), 'plan B'];
    const breaker = circuitBreaker({ fallback: chain });
    chain.length = 0;
    expect(await breaker.execute(() => Promise.reject(new Error('down')))).toBe('plan B');
  });

  test('S26: two breakers sharing it share nothing else', async () => {
    const options: CircuitBreakerOptions = {
      trip: failureRate({ threshold: 0.5, windowCalls: 10, minimumCalls: 2 }),
      maxConcurrent: 1,
      timeoutMs: 5_000,
      latency: true,
      fallback: lastGood({ shared: true }),
    };
    const [a, b] = [circuitBreaker(options), circuitBreaker(options)];
    expect(await succeed(a, 'of a')).toBe('of a');
    expect(await rejection(b.execute(() => Promise.reject(new Error('b'))))).toMatchObject({ message: 'b' });
    a.acquire();
    expect(b.available).toBe(true);
    a.on('failed', () => {});
    a.forceOpen();
    expect(b.state).toBe('closed');
    a.update({ maxConcurrent: 7 });
    b.acquire();
    expect(b.available).toBe(false);
    expect(b.metrics()).toMatchObject({ successfulRequests: 0, failedRequests: 1, inFlight: 1 });
    expect(a.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 0, window: { calls: 1 } });
  });

  test('S26: `settings` are the options in force, `given` is what somebody gave', () => {
    const breaker = circuitBreaker({ timeoutMs: 5_000, halfOpen: { maxConcurrent: 3 } });
    breaker.update({ maxConcurrent: 7 });
    expect(breaker.settings).toMatchObject({
      successThreshold: 2,
      timeoutMs: 5_000,
      sleepWindowMs: 30_000,
      maxSleepWindowMs: 300_000,
      maxConcurrent: 7,
      maxProbes: 3,
      probeTimeoutMs: 5_000,
    });
    expect(Object.keys(breaker.settings.given).sort()).toEqual(['halfOpen', 'maxConcurrent', 'timeoutMs']);
  });
});
