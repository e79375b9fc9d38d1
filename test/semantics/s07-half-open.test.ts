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
  test.each([1, 2, 5])(
    'S7: with 1,000 callers at the deadline, exactly %i probes are admitted',
    async (maxConcurrent) => {
      const { breaker } = await atDeadline({ successThreshold: 10, halfOpen: { maxConcurrent } });
      expect(stampede(breaker, 1_000)).toBe(maxConcurrent);
      expect(breaker.metrics().rejectedRequests).toBe(1_000 - maxConcurrent);
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
    expect(breaker.state).toBe('open');
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

describe('ignored probes', () => {
  const back = async (options: Options, end: (breaker: ReturnType<typeof setUp>['breaker']) => Promise<unknown>) => {
    const { breaker, clock } = await atDeadline(options);
    const { generation } = breaker.metrics();
    await end(breaker);
    expect(breaker.state).toBe('half-open');
    expect(breaker.metrics().generation).toBe(generation + 1);
    expect(stampede(breaker, 10)).toBe(1);
    return { breaker, clock };
  };

  test('S9: a probe that is classified as ignored gives its permit back and decides nothing', async () => {
    await back({ classify: ({ error }) => (error === 'not found' ? 'ignored' : undefined) }, (breaker) =>
      fail(breaker, 'not found'),
    );
  });

  test('S9: a value that is classified as ignored, too', async () => {
    await back({ classify: ({ value, ok }) => (ok && value === 'skip' ? 'ignored' : undefined) }, (breaker) =>
      succeed(breaker, 'skip'),
    );
  });

  test('S9: a probe that its caller aborts', async () => {
    await back({}, async (breaker) => {
      const controller = new AbortController();
      const probe = hold(breaker, { signal: controller.signal });
      controller.abort();
      await probe.result;
    });
  });

  test('S9: a probe that throws its caller’s abort itself', async () => {
    await back({}, async (breaker) => {
      const controller = new AbortController();
      const call = breaker.execute(
        ({ signal }) =>
          new Promise((_, reject) => {
            signal.addEventListener('abort', () => reject(signal.reason));
          }),
        { signal: controller.signal },
      );
      controller.abort();
      await rejection(call);
    });
  });

  test('S9: a probe whose deadline passed is a failure, though its caller’s signal ended it', async () => {
    const { breaker } = await atDeadline();
    const controller = new AbortController();
    const probe = hold(breaker, { signal: controller.signal });
    controller.abort(new DOMException('too late', 'TimeoutError'));
    await probe.result;
    expect(breaker.state).toBe('open');
  });

  test('S9: a probe that an inner policy refuses', async () => {
    const inner = circuitBreaker();
    inner.forceOpen();
    await back({}, async (breaker) => rejection(breaker.execute(() => inner.execute(() => 1))));
  });

  test('S9: a probe whose permit says ignore', async () => {
    await back({}, async (breaker) => breaker.acquire()?.ignore());
  });

  test('S9: a pre-aborted call is no probe at all', async () => {
    const { breaker } = await atDeadline();
    const call = hold(breaker, { signal: AbortSignal.abort() });
    await call.result;
    expect(call.context).toBeUndefined();
    expect(breaker.state).toBe('open');
    expect(stampede(breaker, 10)).toBe(1);
  });

  test('S9: ignored probes break no row: success, ignored, success closes', async () => {
    const { breaker } = await atDeadline({ successThreshold: 2 });
    await succeed(breaker);
    breaker.acquire()?.ignore();
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S9: any number of ignored probes neither uses the permits up nor adds any', async () => {
    const { breaker } = await atDeadline({ halfOpen: { maxConcurrent: 2 }, successThreshold: 9 });
    for (let i = 0; i < 100; i++) breaker.acquire()?.ignore();
    expect(stampede(breaker, 100)).toBe(2);
  });

  test('S9: late ignored results of the closed era add no permit', async () => {
    const { breaker, clock } = setUp({ successThreshold: 9 });
    const olds = Array.from({ length: 10 }, () => breaker.acquire());
    await fail(breaker);
    await clock.advance(1_000);
    hold(breaker);
    for (const old of olds) old?.ignore();
    expect(stampede(breaker, 100)).toBe(0);
  });
});

describe('the decision', () => {
  test('S10: successThreshold successes in a row close', async () => {
    const { breaker } = await atDeadline({ successThreshold: 3 });
    const states: string[] = [];
    for (let i = 0; i < 3; i++) {
      await succeed(breaker);
      states.push(breaker.state);
    }
    expect(states).toEqual(['half-open', 'half-open', 'closed']);
  });

  test('S10: two is the default', async () => {
    const { breaker } = await atDeadline({ successThreshold: undefined });
    await succeed(breaker);
    expect(breaker.state).toBe('half-open');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S10: one failed probe opens again, and the successes before it are gone', async () => {
    const { breaker, clock } = await atDeadline({ successThreshold: 3 });
    await succeed(breaker);
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    await succeed(breaker);
    await succeed(breaker);
    expect(breaker.state).toBe('half-open');
  });

  test('S10: opening again starts a new sleep window', async () => {
    const { breaker, clock } = await atDeadline();
    await fail(breaker);
    await clock.advance(999);
    expect(breaker.available).toBe(false);
    await clock.advance(1);
    expect(breaker.available).toBe(true);
  });

  test('S10: closing empties the window', async () => {
    const { breaker } = await atDeadline({ failureThreshold: 3 });
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window).toMatchObject({ calls: 0, value: 0 });
    await fail(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
  });

  const sample = { halfOpen: { maxConcurrent: 10, sample: { calls: 4, failureRate: 0.5 } } };

  test('S10: with a sample the decision waits for all of it', async () => {
    const { breaker } = await atDeadline(sample);
    await fail(breaker);
    await succeed(breaker);
    await succeed(breaker);
    expect(breaker.state).toBe('half-open');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S10: a sample at the failure rate opens: ≥', async () => {
    const { breaker } = await atDeadline(sample);
    const opened: unknown[] = [];
    breaker.on('opened', ({ evidence }) => opened.push(evidence));
    await succeed(breaker);
    await fail(breaker);
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('open');
    expect(opened).toMatchObject([{ rule: 'probeSample', value: 0.5, threshold: 0.5, calls: 4, failures: 2 }]);
  });

  test('S10: no more probes are out and in than the sample has calls', async () => {
    const { breaker } = await atDeadline(sample);
    await succeed(breaker);
    expect(stampede(breaker, 100)).toBe(3);
  });

  test('S10: an ignored probe is replaced in the sample', async () => {
    const { breaker } = await atDeadline(sample);
    for (let i = 0; i < 10; i++) breaker.acquire()?.ignore();
    for (let i = 0; i < 4; i++) await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S10: a sample still obeys S8: hung probes count as failures', async () => {
    const { breaker, clock } = await atDeadline({
      halfOpen: { maxConcurrent: 4, probeTimeoutMs: 300, sample: { calls: 4, failureRate: 0.5 } },
    });
    expect(stampede(breaker, 2)).toBe(2);
    await clock.advance(300);
    expect(breaker.state).toBe('half-open');
    await succeed(breaker);
    await succeed(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S10: a sample still obeys S8: with no time limit hung probes only give their permits back', async () => {
    const { breaker, clock } = await atDeadline({ halfOpen: { sample: { calls: 2, failureRate: 0.5 } } });
    hold(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });
});
