import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, stampede, succeed } from '../support/calls.ts';
import { runInNode } from '../support/child.ts';

describe('other JavaScript breakers', () => {
  test('mollitia 0.1: three late results in half-open do not overshoot the count: the circuit is not stuck', async () => {
    const { breaker, clock } = setUp({ halfOpen: { maxConcurrent: 3, sample: { calls: 2, failureRate: 0.6 } } });
    const olds = [hold(breaker), hold(breaker), hold(breaker)];
    await fail(breaker);
    await clock.advance(1_000);
    const probes = [hold(breaker), hold(breaker)];
    for (const old of olds) old.reject(new Error('late'));
    await Promise.all(olds.map(({ result }) => result));
    expect(breaker.state).toBe('half-open');
    for (const probe of probes) probe.resolve();
    await Promise.all(probes.map(({ result }) => result));
    expect(breaker.state).toBe('closed');
  });

  test('mollitia 0.1: more results than the sample wants decide once, and the rest is late', async () => {
    const { breaker, clock } = setUp({ halfOpen: { maxConcurrent: 3 }, successThreshold: 1 });
    await fail(breaker);
    await clock.advance(1_000);
    const probes = [hold(breaker), hold(breaker), hold(breaker)];
    for (const probe of probes) probe.resolve();
    await Promise.all(probes.map(({ result }) => result));
    expect(breaker.metrics()).toMatchObject({ state: 'closed', generation: 4, lateResults: 2 });
  });

  test('mollitia 0.1: an open circuit does not hold the process', async () => {
    const { code, ms } = await runInNode(`
      import { circuitBreaker } from './packages/recloser/src/index.ts';
      const breaker = circuitBreaker({ failureThreshold: 1, sleepWindowMs: 600_000 });
      await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
      if (breaker.state !== 'open') process.exit(3);`);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(20_000);
  }, 30_000);

  test('resilience4ts: a rejection of an async onHalfOpened is not unhandled', async () => {
    const unhandled: unknown[] = [];
    const note = (error: unknown) => unhandled.push(error);
    process.on('unhandledRejection', note);
    const faults: unknown[] = [];
    const { breaker, clock } = setUp({
      onHalfOpened: async () => Promise.reject(new Error('listener')),
      onListenerError: (error) => faults.push(error),
    });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await clock.advance(0);
    process.off('unhandledRejection', note);
    expect([unhandled.length, faults.length]).toEqual([0, 1]);
    expect(breaker.state).toBe('closed');
  });

  test('nestjs breakers: half-open is limited', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    expect(stampede(breaker, 500)).toBe(1);
  });

  test('@std/async: a half-open success that arrives after a re-open does not close the open circuit', async () => {
    const { breaker, clock } = setUp({ halfOpen: { maxConcurrent: 2 } });
    await fail(breaker);
    await clock.advance(1_000);
    const slow = hold(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('open');
    slow.resolve();
    await slow.result;
    expect(breaker.state).toBe('open');
  });

  test('@std/async: a late closed-era result does not zero the half-open streak', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2 });
    const olds = [hold(breaker), hold(breaker)];
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    olds[0]?.resolve();
    olds[1]?.reject(new Error('late'));
    await Promise.all(olds.map(({ result }) => result));
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('brakes#10: figures that came in after the opening do not contradict the decision', async () => {
    const { breaker } = setUp({ failureThreshold: 2 });
    const olds = Array.from({ length: 5 }, () => hold(breaker));
    await fail(breaker);
    await fail(breaker);
    const sentence = breaker.explain();
    for (const old of olds) old.resolve();
    await Promise.all(olds.map(({ result }) => result));
    expect(breaker.explain()).toBe(sentence);
    expect(breaker.metrics().window).toMatchObject({ value: 2, threshold: 2 });
  });
});
