import { circuitBreaker, slowCallRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, slow, stampede, succeed } from '../support/calls.ts';

type Options = NonNullable<Parameters<typeof setUp>[0]>;

/** A breaker whose sleep is over: the next call is a probe. */
async function atDeadline(options: Options = {}) {
  const made = setUp(options);
  for (let i = 0; made.breaker.state === 'closed' && i < 100; i++) await fail(made.breaker);
  await made.clock.advance(1_000);
  return made;
}

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

  test('S24: of a sample all that failed is behind the decision, whichever probe comes last', async () => {
    const halfOpen = { probeTimeoutMs: 100, sample: { calls: 4, failureRate: 0.5 } };
    const { breaker, clock } = await atDeadline({ halfOpen });
    const told: string[] = [];
    for (const event of ['opened', 'closed'] as const) breaker.on(event, ({ why }) => told.push(why));
    const code = (name: string): Error => Object.assign(new Error('down'), { code: name });
    await fail(breaker, code('ETIMEDOUT'));
    await fail(breaker, code('EPIPE'));
    for (let i = 0; i < 2; i++) await succeed(breaker);
    await clock.advance(1_000);
    await fail(breaker, code('EPIPE'));
    for (let i = 0; i < 2; i++) await succeed(breaker);
    hold(breaker);
    await clock.advance(1_100);
    await fail(breaker, code('EPIPE'));
    for (let i = 0; i < 3; i++) await succeed(breaker);
    expect(told).toEqual([
      '2 of 4 probes failed (EPIPE ×1, ETIMEDOUT ×1)',
      '2 of 4 probes failed (EPIPE ×1)',
      '1 of 4 probes failed, threshold 50 % (EPIPE ×1)',
    ]);
  });

  test('S24: … and the slowest of all that the trip rule calls slow', async () => {
    const halfOpen = { sample: { calls: 3, failureRate: 0.5 } };
    const trip = slowCallRate({ threshold: 1, slowCallMs: 100, windowCalls: 1 });
    const { breaker, clock } = setUp({ trip, halfOpen });
    const slowest: unknown[] = [];
    breaker.on('opened', ({ evidence }) => slowest.push(evidence.slowestMs));
    await slow(breaker, clock, 150);
    await clock.advance(1_000);
    for (const ms of [900, 300, 0]) await slow(breaker, clock, ms);
    expect(slowest).toEqual([150, 900]);
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

test('S8: a probe whose lease ended as a failure is not counted again when its result comes', async () => {
  const { breaker, clock } = setUp({
    halfOpen: { maxConcurrent: 4, probeTimeoutMs: 300, sample: { calls: 4, failureRate: 0.5 } },
  });
  await fail(breaker);
  await clock.advance(1_000);
  const hung = hold(breaker);
  await clock.advance(300);
  hung.resolve();
  await hung.result;
  await succeed(breaker);
  await succeed(breaker);
  expect(breaker.state).toBe('half-open');
  await succeed(breaker);
  expect(breaker.state).toBe('closed');
});
