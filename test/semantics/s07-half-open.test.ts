import { BulkheadFullError, circuitBreaker } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';

type Options = NonNullable<Parameters<typeof setUp>[0]>;

/** A breaker whose sleep is over: the next call is a probe. */
async function atDeadline(options: Options = {}) {
  const made = setUp(options);
  for (let i = 0; made.breaker.state === 'closed' && i < 100; i++) await fail(made.breaker);
  await made.clock.advance(1_000);
  return made;
}

describe('permits', () => {
  test.each([1, 2, 5, 1_500])(
    'S7: with 2,000 callers at the deadline, exactly %i probes are admitted',
    async (maxConcurrent) => {
      const { breaker } = await atDeadline({ successThreshold: 10, halfOpen: { maxConcurrent } });
      expect(stampede(breaker, 2_000)).toBe(maxConcurrent);
      expect(breaker.metrics().rejectedRequests).toBe(2_000 - maxConcurrent);
    },
  );

  test('S7: one probe at a time is the default', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock });
    for (let i = 0; i < 5; i++) await fail(breaker);
    await clock.advance(30_000);
    expect(stampede(breaker, 10)).toBe(1);
  });

  test('S7: with acquire too, admitted is at most the permits', async () => {
    const { breaker } = await atDeadline({ halfOpen: { maxConcurrent: 3 } });
    const permits = Array.from({ length: 100 }, () => breaker.acquire());
    expect(permits.filter((permit) => permit !== undefined)).toHaveLength(3);
  });

  test('S7: the rest are refused with reason half-open and the time until the lease ends', async () => {
    const { breaker, clock } = await atDeadline({ halfOpen: { probeTimeoutMs: 300 } });
    hold(breaker);
    await clock.advance(100);
    expect(await rejection(succeed(breaker))).toMatchObject({
      code: 'ERR_CIRCUIT_OPEN',
      reason: 'half-open',
      state: 'half-open',
      retryAfterMs: 200,
      message: 'circuit-breaker: the circuit is half-open: all its probes are out',
    });
  });

  test('S7: of several leases the first to end counts', async () => {
    const { breaker, clock } = await atDeadline({ halfOpen: { probeTimeoutMs: 300, maxConcurrent: 2 } });
    hold(breaker);
    await clock.advance(100);
    hold(breaker);
    expect(await rejection(succeed(breaker))).toMatchObject({ retryAfterMs: 200 });
  });

  test('S7: the refused are never queued: a settled probe calls none of them', async () => {
    const { breaker } = await atDeadline({ successThreshold: 5 });
    const probe = hold(breaker);
    const rest = Array.from({ length: 100 }, () => hold(breaker));
    probe.resolve();
    await probe.result;
    await Promise.all(rest.map(({ result }) => result));
    expect(rest.filter(({ context }) => context !== undefined)).toEqual([]);
  });

  test('S7: a settled probe gives its permit back, to one of any number', async () => {
    const { breaker } = await atDeadline({ successThreshold: 5 });
    for (let i = 0; i < 4; i++) {
      const probe = hold(breaker);
      expect(stampede(breaker, 20)).toBe(0);
      probe.resolve();
      await probe.result;
    }
    expect(breaker.state).toBe('half-open');
    expect(stampede(breaker, 20)).toBe(1);
  });

  test('S7: a probe needs no place in the bulkhead', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 2 });
    const busy = hold(breaker);
    await fail(breaker);
    breaker.update({ maxConcurrent: 1 });
    await clock.advance(1_000);
    const probe = hold(breaker);
    expect(probe.context).toBeDefined();
    probe.resolve();
    await probe.result;
    expect(breaker.state).toBe('closed');
    expect(await rejection(succeed(breaker))).toBeInstanceOf(BulkheadFullError);
    busy.resolve();
    await busy.result;
    await succeed(breaker);
  });

  test('S7: a probe takes and gives no place', async () => {
    const { breaker } = await atDeadline({ maxConcurrent: 1 });
    const probe = hold(breaker);
    probe.resolve();
    await probe.result;
    expect(stampede(breaker, 5)).toBe(1);
  });
});

describe('leases', () => {
  test('S8: a hung probe counts as a failure after probeTimeoutMs', async () => {
    const { breaker, clock } = await atDeadline({ halfOpen: { probeTimeoutMs: 300 } });
    const opened: string[] = [];
    breaker.on('opened', ({ evidence }) => opened.push(evidence.rule));
    hold(breaker);
    await clock.advance(299);
    expect(breaker.state).toBe('half-open');
    await clock.advance(1);
    expect(breaker.state).toBe('open');
    expect(opened).toEqual(['probeTimeout']);
  });

  test('S8: whatever becomes of the call: its success comes too late', async () => {
    const { breaker, clock } = await atDeadline({ halfOpen: { probeTimeoutMs: 300 } });
    const probe = hold(breaker);
    await clock.advance(300);
    probe.resolve('late');
    expect(await probe.promise).toBe('late');
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, lateResults: 1, inFlight: 0 });
  });

  test('S8: the default of probeTimeoutMs is timeoutMs', async () => {
    const { breaker, clock } = await atDeadline({ timeoutMs: 200 });
    const probe = hold(breaker);
    await clock.advance(200);
    expect(breaker.explain()).toMatch(/^open for 0 ms: a probe failed \(TimeoutError ×1\)/);
    expect(await probe.result).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(breaker.metrics()).toMatchObject({ failedRequests: 2, timedOutRequests: 1 });
  });

  test('S8: it holds for permits as well, which no timeout ends', async () => {
    const { breaker, clock } = await atDeadline({ timeoutMs: 200 });
    const permit = breaker.acquire();
    await clock.advance(200);
    expect(breaker.state).toBe('open');
    permit?.success();
    expect(breaker.state).toBe('open');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, lateResults: 1 });
  });

  test('S8: a probeTimeoutMs below timeoutMs ends the lease, not the call', async () => {
    const { breaker, clock } = await atDeadline({ timeoutMs: 500, halfOpen: { probeTimeoutMs: 100 } });
    const probe = hold(breaker);
    await clock.advance(100);
    expect(breaker.state).toBe('open');
    probe.resolve('fine');
    expect(await probe.promise).toBe('fine');
  });

  test('S8: a probeTimeoutMs above timeoutMs: the timeout decides first', async () => {
    const { breaker, clock } = await atDeadline({ timeoutMs: 100, halfOpen: { probeTimeoutMs: 500 } });
    const opened: string[] = [];
    breaker.on('opened', ({ evidence }) => opened.push(evidence.rule));
    hold(breaker);
    await clock.advance(100);
    expect(opened).toEqual(['probe']);
    expect(clock.pending).toBe(0);
  });

  test('S8: with neither, the lease frees its permit after the sleep window and decides nothing', async () => {
    const { breaker, clock } = await atDeadline();
    hold(breaker);
    await clock.advance(999);
    expect(breaker.available).toBe(false);
    await clock.advance(1);
    expect(breaker.state).toBe('half-open');
    expect(breaker.available).toBe(true);
    expect(stampede(breaker, 10)).toBe(1);
  });

  test('S8: with neither, the current sleep window counts, back-off included', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: (attempt) => 1_000 * attempt });
    await fail(breaker);
    await clock.advance(1_000);
    await fail(breaker);
    await clock.advance(2_000);
    hold(breaker);
    await clock.advance(1_999);
    expect(breaker.available).toBe(false);
    await clock.advance(1);
    expect(breaker.available).toBe(true);
  });

  test('S8: with neither, the result of a freed probe still decides: a success closes', async () => {
    const { breaker, clock } = await atDeadline();
    const slowProbe = hold(breaker);
    await clock.advance(5_000);
    slowProbe.resolve();
    await slowProbe.result;
    expect(breaker.state).toBe('closed');
  });

  test('S8: good probes slower than the sleep window still close, also with others out', async () => {
    const { breaker, clock } = await atDeadline({ successThreshold: 2 });
    const first = hold(breaker);
    await clock.advance(1_500);
    const second = hold(breaker);
    await clock.advance(1_500);
    hold(breaker);
    first.resolve();
    await first.result;
    second.resolve();
    await second.result;
    expect(breaker.state).toBe('closed');
  });

  test('S8: with neither, a failure of a freed probe opens', async () => {
    const { breaker, clock } = await atDeadline();
    const slowProbe = hold(breaker);
    await clock.advance(5_000);
    hold(breaker);
    slowProbe.reject(new Error('x'));
    await slowProbe.result;
    expect(breaker.state).toBe('open');
  });

  test('S8: half-open cannot wedge: probes that all hang for ever do not keep good ones out', async () => {
    for (const options of [{}, { timeoutMs: 100 }, { halfOpen: { probeTimeoutMs: 100 } }] as const) {
      const { breaker, clock } = await atDeadline(options);
      for (let i = 0; i < 50; i++) {
        hold(breaker);
        await clock.advance(1_100);
      }
      for (let i = 0; breaker.state !== 'closed' && i < 3; i++) {
        await succeed(breaker).catch(() => {});
        await clock.advance(1_000);
      }
      expect(breaker.state).toBe('closed');
    }
  });

  test('S8: a probe that settles takes its lease along: no timer stays, none fires into a later state', async () => {
    const { breaker, clock } = await atDeadline({ successThreshold: 2, halfOpen: { probeTimeoutMs: 300 } });
    await succeed(breaker);
    expect(clock.pending).toBe(0);
    await clock.advance(400);
    expect(breaker.state).toBe('half-open');
  });

  test('S8: another probe that opens takes the leases of the rest along', async () => {
    const { breaker, clock } = await atDeadline({
      sleepWindowMs: 100,
      halfOpen: { maxConcurrent: 3, probeTimeoutMs: 300 },
    });
    hold(breaker);
    hold(breaker);
    await fail(breaker);
    expect([breaker.state, clock.pending]).toEqual(['open', 0]);
    await clock.advance(100);
    hold(breaker);
    await clock.advance(299);
    expect(breaker.state).toBe('half-open');
  });
});
