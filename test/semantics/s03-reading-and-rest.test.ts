import { type CircuitBreakerOptions, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';

describe('reading', () => {
  test('S3: no reading changes anything, in any state', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2, maxConcurrent: 3, recovery: { rampMs: 1_000 } });
    const read = () => {
      for (let i = 0; i < 3; i++) {
        void breaker.state;
        void breaker.available;
        breaker.metrics();
        breaker.explain();
        breaker.refusal();
        JSON.stringify(breaker);
      }
    };
    const told: string[] = [];
    for (const event of ['opened', 'half-opened', 'closed', 'rejected'] as const)
      breaker.on(event, () => told.push(event));
    const unchanged = () => {
      const before = JSON.stringify([breaker.toJSON(), breaker.metrics()]);
      const events = told.length;
      read();
      expect(JSON.stringify([breaker.toJSON(), breaker.metrics()])).toBe(before);
      expect(told.length).toBe(events);
    };
    unchanged();
    await fail(breaker);
    unchanged();
    await clock.advance(1_000);
    unchanged();
    await succeed(breaker);
    unchanged();
    hold(breaker);
    unchanged();
    await clock.advance(1_000);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    unchanged();
    breaker.forceOpen({ expiresInMs: 10 });
    unchanged();
    await clock.advance(10);
    unchanged();
  });

  test('S3: asking whether a call would be admitted takes no permit', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    for (let i = 0; i < 10; i++) expect(breaker.available).toBe(true);
    expect(breaker.state).toBe('open');
    expect(stampede(breaker, 5)).toBe(1);
    expect(breaker.available).toBe(false);
  });

  test('S3: `available` says what the next call meets', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 1 });
    expect(breaker.available).toBe(true);
    const call = hold(breaker);
    expect(breaker.available).toBe(false);
    call.resolve();
    await call.result;
    expect(breaker.available).toBe(true);
    await fail(breaker);
    expect(breaker.available).toBe(false);
    breaker.forceClosed();
    expect(breaker.available).toBe(true);
    breaker.forceOpen();
    expect(breaker.available).toBe(false);
    breaker.disable();
    expect(breaker.available).toBe(true);
    breaker.observeOnly();
    expect(breaker.available).toBe(true);
    breaker.release();
    await clock.advance(1_000);
    expect(breaker.available).toBe(true);
    breaker.dispose();
    expect(breaker.available).toBe(false);
  });

  test('S3: a full bulkhead does not make a free probe unavailable', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 2 });
    hold(breaker);
    await fail(breaker);
    breaker.update({ maxConcurrent: 1 });
    await clock.advance(1_000);
    expect(breaker.available).toBe(true);
  });
});

describe('at rest', () => {
  test('S4: open becomes half-open on the first call at or after the end of the sleep, not before and not by itself', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(999);
    expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'open', retryAfterMs: 1 });
    await clock.advance(1);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000_000);
    expect(breaker.state).toBe('open');
    hold(breaker);
    expect(breaker.state).toBe('half-open');
  });

  test('S4: a breaker at rest owns no timer, whatever its state and options', async () => {
    const everything: CircuitBreakerOptions = {
      timeoutMs: 100,
      maxConcurrent: 5,
      recovery: { rampMs: 1_000 },
      trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 1 }),
      fallback: undefined,
      latency: true,
    };
    const { breaker, clock } = setUp(everything);
    expect(clock.pending).toBe(0);
    await succeed(breaker);
    expect(clock.pending).toBe(0);
    await fail(breaker);
    expect([breaker.state, clock.pending]).toEqual(['open', 0]);
    await clock.advance(1_000);
    const probe = hold(breaker);
    probe.resolve();
    await probe.result;
    expect([breaker.state, clock.pending]).toEqual(['closed', 0]);
    breaker.forceOpen({ expiresInMs: 50 });
    expect(clock.pending).toBe(0);
  });

  test('S4: a half-open circuit at rest owns no timer either', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2, halfOpen: { probeTimeoutMs: 50 } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    expect([breaker.state, clock.pending]).toEqual(['half-open', 0]);
  });

  test('S4: a hundred calls that have settled leave none either', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    const calls = Array.from({ length: 100 }, () => hold(breaker));
    expect(clock.pending).toBeGreaterThan(0);
    for (const call of calls) call.resolve();
    await Promise.all(calls.map(({ result }) => result));
    expect(clock.pending).toBe(0);
  });
});
