import { adaptive, type CallOptions, circuitBreaker, failureRate, lastGood, slowCallRate } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, succeed } from '../support/calls.ts';
import { growthOfHeap } from '../support/heap.ts';

const kib = 1_024;

describe('bounds', () => {
  test('S29: error tables: 100,000 different errors leave no trace each', async () => {
    const { breaker } = setUp({ failureThreshold: 2 ** 31 - 1 });
    let n = 0;
    const grown = await growthOfHeap(async () => {
      for (let i = 0; i < 50_000; i++) {
        n++;
        const error = Object.assign(new Error(`message ${n} ${'x'.repeat(50)}`), { code: `CODE_${n}` });
        breaker.acquire()?.failure(error);
      }
    });
    expect(grown).toBeLessThan(256 * kib);
  });

  test('S29: the error that is remembered holds nothing of the user’s alive', async () => {
    const { breaker } = setUp();
    let gone = 0;
    const registry = new FinalizationRegistry(() => gone++);
    await (async () => {
      const error = Object.assign(new Error('x'), { response: new Uint8Array(1_000_000) });
      registry.register(error, 0);
      await fail(breaker, error);
    })();
    for (let i = 0; i < 20 && gone === 0; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    expect(breaker.explain()).toContain('Error ×1');
    expect(gone).toBe(1);
  });

  test('S29: a suspicion that never ends holds back no more calls than one that does', async () => {
    const counter = adaptive().start(0);
    let now = 0;
    const grown = await growthOfHeap(() => {
      for (let i = 0; i < 200_000; i++) {
        now += 20;
        counter.record(counter.measure(now).value < 0.5, i, now);
      }
    });
    expect(counter.measure(now).calls).toBeGreaterThan(100_000);
    expect(grown).toBeLessThan(64 * kib);
  });

  test('S29: name tables: 100,000 keys leave at most maxEntries values', async () => {
    const { breaker } = setUp({ fallback: lastGood({ maxEntries: 100 }) });
    let n = 0;
    const grown = await growthOfHeap(async () => {
      for (let i = 0; i < 50_000; i++) {
        n++;
        await breaker.execute(() => `value ${n} ${'x'.repeat(50)}`, { key: `key ${n}` });
      }
    });
    expect(grown).toBeLessThan(256 * kib);
  });

  test('S29: listeners: added and taken off 100,000 times, none is left', async () => {
    const { breaker } = setUp();
    const grown = await growthOfHeap(() => {
      for (let i = 0; i < 50_000; i++) {
        const big = new Array(10).fill(i);
        breaker.on('opened', () => void big)();
      }
    });
    expect(grown).toBeLessThan(256 * kib);
  });

  test('S29: events that a listener causes do not pile up', async () => {
    const { breaker } = setUp();
    let left = 0;
    breaker.on('forced', () => {
      if (left-- > 0) breaker.disable();
    });
    const grown = await growthOfHeap(() => {
      left = 50_000;
      breaker.disable();
    });
    expect(grown).toBeLessThan(256 * kib);
  });

  test('S29: latency records and windows: 200,000 calls over a day weigh what half of them do', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({
      clock,
      trip: failureRate({ threshold: 1, windowMs: 60_000, buckets: 60, minimumCalls: 2 ** 31 - 1 }),
      latency: true,
    });
    const half = async () => {
      for (let i = 0; i < 200; i++) {
        for (let n = 0; n < 500; n++) breaker.acquire()?.success(n);
        await clock.advance(200_000);
      }
    };
    expect(await growthOfHeap(half, 1)).toBeLessThan(256 * kib);
    expect(breaker.metrics().successfulRequests).toBe(200_000);
  });

  test('S29: openings: 20,000 outages in a row leave no history', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: 1, halfOpen: { maxConcurrent: 3, probeTimeoutMs: 50 } });
    const outages = async () => {
      for (let i = 0; i < 5_000; i++) {
        breaker.acquire()?.failure(new Error(`outage ${i}`));
        await clock.advance(1);
        breaker.acquire();
        breaker.acquire()?.success();
      }
    };
    expect(await growthOfHeap(outages)).toBeLessThan(256 * kib);
    expect(clock.pending).toBeLessThanOrEqual(1);
  });

  test('S29: durations: updates to ever new ones leave no queues', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 1 });
    let n = 0;
    const grown = await growthOfHeap(async () => {
      for (let i = 0; i < 5_000; i++) {
        breaker.update({ timeoutMs: 1_000 + ++n / 16 });
        await succeed(breaker);
      }
    });
    expect(grown).toBeLessThan(512 * kib);
    expect(clock.pending).toBe(0);
  });

  test('S29: ended calls are let go of, although one that hangs is older', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 1_000_000, failureThreshold: 9 });
    breaker.execute(() => new Promise(() => {})).catch(() => {});
    const grown = await growthOfHeap(async () => {
      for (let i = 0; i < 50_000; i++) await succeed(breaker, new Array(10).fill(i));
    });
    expect(grown).toBeLessThan(256 * kib);
    expect(clock.pending).toBe(1);
  });

  test('S29: calls one after the other inside a call that goes on are let go of', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 1_000_000 });
    const { context } = hold(breaker);
    const grown = await growthOfHeap(async () => {
      for (let i = 0; i < 20_000; i++) await breaker.execute(() => new Array(10).fill(i), context as CallOptions);
    });
    expect(grown).toBeLessThan(256 * kib);
    expect(clock.pending).toBe(1);
  });

  test('S29: breakers that nobody holds are let go of, with all they had', async () => {
    const make = () => {
      const clock = manualClock();
      for (let i = 0; i < 500; i++) {
        const breaker = circuitBreaker({
          clock,
          timeoutMs: 1_000,
          trip: slowCallRate({ threshold: 0.5, slowCallMs: 5, windowMs: 1_000 }),
          fallback: lastGood({ shared: true }),
          onOpened: () => {},
        });
        breaker.execute(() => new Promise(() => {})).catch(() => {});
        breaker.forceOpen({ expiresInMs: 1_000 });
      }
    };
    expect(await growthOfHeap(make)).toBeLessThan(512 * kib);
  });

  test('mollitia 0.1: breakers stand in no list that never shrinks', async () => {
    let gone = 0;
    const registry = new FinalizationRegistry(() => gone++);
    (() => {
      for (let i = 0; i < 10; i++) registry.register(circuitBreaker({ name: `b${i}`, timeoutMs: 5_000 }), i);
    })();
    for (let i = 0; i < 20 && gone < 10; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    expect(gone).toBe(10);
  });
});
