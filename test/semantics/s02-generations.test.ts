import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, succeed } from '../support/calls.ts';

describe('generations', () => {
  test('S2: every entry into a computed state raises the generation', async () => {
    const { breaker, clock } = setUp();
    const seen = [breaker.metrics().generation];
    for (const event of ['opened', 'half-opened', 'closed'] as const) {
      breaker.on(event, ({ generation }) => seen.push(generation));
    }
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    breaker.reset();
    expect(seen).toEqual([1, 2, 3, 4, 5]);
    expect(breaker.metrics().generation).toBe(5);
  });

  test('S2: forcing and releasing does not', () => {
    const { breaker } = setUp();
    for (const action of ['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const) breaker[action]();
    breaker.release();
    expect(breaker.metrics().generation).toBe(1);
  });

  test('S2: a late failure of the closed era does not re-open the half-open circuit', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2 });
    const old = hold(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    old.reject(new Error('late'));
    await old.result;
    expect(breaker.state).toBe('half-open');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S2: a late success of the closed era does not close the half-open circuit', async () => {
    const { breaker, clock } = setUp();
    const old = hold(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    const probe = hold(breaker);
    old.resolve();
    await old.result;
    expect(breaker.state).toBe('half-open');
    probe.reject(new Error('still down'));
    await probe.result;
    expect(breaker.state).toBe('open');
  });

  test('S2: late results leave the open circuit and its evidence alone', async () => {
    const { breaker, clock } = setUp();
    const olds = [hold(breaker), hold(breaker)];
    await fail(breaker);
    await clock.advance(500);
    const before = breaker.toJSON();
    olds[0]?.resolve();
    olds[1]?.reject(new Error('late'));
    await Promise.all(olds.map(({ result }) => result));
    expect(breaker.toJSON()).toEqual(before);
  });

  test('S2: late failures after recovery do not open again and enter no window', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 2 });
    const olds = [hold(breaker), hold(breaker), hold(breaker)];
    await fail(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    for (const old of olds) old.reject(new Error('late'));
    await Promise.all(olds.map(({ result }) => result));
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window.failures).toBe(0);
  });

  test('S2: a late success does not break a row of failures', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 2 });
    const old = hold(breaker);
    await fail(breaker);
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await fail(breaker);
    old.resolve();
    await old.result;
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S2: the result of a probe of an earlier half-open decides nothing in a later one', async () => {
    const { breaker, clock } = setUp({ halfOpen: { maxConcurrent: 2 } });
    await fail(breaker);
    await clock.advance(1_000);
    const slowProbe = hold(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    hold(breaker);
    slowProbe.resolve();
    await slowProbe.result;
    expect(breaker.state).toBe('half-open');
  });

  test('S2: a late result is counted once in the lifetime figures and in lateResults', async () => {
    const { breaker } = setUp();
    const [good, bad, gone] = [hold(breaker), hold(breaker), hold(breaker)];
    await fail(breaker);
    const told: unknown[] = [];
    breaker.on('late', ({ cause, ok }) => told.push([cause, ok]));
    good.resolve();
    await good.result;
    bad.reject(new Error('late'));
    await bad.result;
    expect(breaker.metrics()).toMatchObject({
      successfulRequests: 1,
      failedRequests: 2,
      lateResults: 2,
      inFlight: 1,
      totalRequests: 4,
    });
    expect(told).toEqual([
      ['generation', true],
      ['generation', false],
    ]);
    gone.resolve();
    await gone.result;
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, lateResults: 3, inFlight: 0 });
  });

  test('S2: reset makes what is out of another generation', async () => {
    const { breaker } = setUp();
    const old = hold(breaker);
    breaker.reset();
    old.reject(new Error('late'));
    await old.result;
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().lateResults).toBe(1);
  });
});
