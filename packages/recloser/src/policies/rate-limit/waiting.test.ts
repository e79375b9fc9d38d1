import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { type RateLimit, RateLimitedError, type RateLimitOptions, rateLimit } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';
import { jumpingClock } from '../../../../../test/support/clocks.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

function setUp(options: Partial<RateLimitOptions> = {}) {
  const clock = manualClock();
  const policy = rateLimit({ name: 'quota', permits: 2, windowMs: 1_000, clock, ...options });
  const started: string[] = [];
  const call = (name: string, signal?: AbortSignal, context?: unknown): Promise<unknown> =>
    policy.execute(
      () => {
        started.push(`${name} at ${clock.now()}`);
        return name;
      },
      { key: name, signal, context },
    );
  return { clock, policy, call, started };
}

describe('waiting', () => {
  test('a call waits for its permits, first come first served, and no longer than maxWaitMs', async () => {
    const { clock, policy, call, started } = setUp({ maxWaitMs: 1_000 });
    const calls = ['a', 'b', 'c', 'd'].map((name) => call(name));
    expect(policy.metrics()).toMatchObject({ queued: 2, admittedRequests: 2 });
    expect(await rejection(call('e'))).toMatchObject({ reason: 'rate-limited', retryAfterMs: 1_500 });
    await clock.advance(1_000);
    expect(await Promise.all(calls)).toEqual(['a', 'b', 'c', 'd']);
    expect(started).toEqual(['a at 0', 'b at 0', 'c at 500', 'd at 1000']);
    expect([policy.metrics().queued, clock.pending]).toEqual([0, 0]);
  });

  test('nobody barges in, not even who costs nothing, and tryAcquire neither', async () => {
    const { clock, policy, call, started } = setUp({ maxWaitMs: 5_000, cost: ({ context }) => context as number });
    void call('first', undefined, 2);
    void call('large', undefined, 2);
    await clock.advance(600);
    void call('small', undefined, 1);
    void call('free', undefined, 0);
    expect(policy.tryAcquire(1)).toBe(false);
    await clock.advance(5_000);
    expect(started).toEqual(['first at 0', 'large at 1000', 'small at 1500', 'free at 1500']);
  });

  test('beyond maxQueue calls are refused', async () => {
    const { clock, call } = setUp({ maxWaitMs: 60_000, maxQueue: 1 });
    const calls = ['a', 'b', 'c'].map((name) => call(name));
    expect(await rejection(call('d'))).toMatchObject({ reason: 'rate-limited', retryAfterMs: 1_000 });
    await clock.advance(500);
    await Promise.all(calls);
  });

  test('S22: an aborted call leaves at once with its caller’s reason, takes nothing, and those behind it move up', async () => {
    const { clock, policy, call, started } = setUp({ permits: 1, maxWaitMs: 60_000 });
    const caller = new AbortController();
    void call('a');
    const aborted = call('b', caller.signal);
    void call('c');
    caller.abort('enough');
    expect(await rejection(aborted)).toBe('enough');
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
    await clock.advance(1_000);
    expect(started).toEqual(['a at 0', 'c at 1000']);
    expect(policy.metrics()).toMatchObject({ totalRequests: 3, admittedRequests: 2, rejectedRequests: 0, queued: 0 });
  });

  test('who comes after one that gave up waits for those before it alone', async () => {
    const { clock, call, started } = setUp({ permits: 1, maxWaitMs: 2_000 });
    const caller = new AbortController();
    void call('a');
    void call('b', caller.signal).catch(() => {});
    void call('c');
    expect(await rejection(call('d'))).toMatchObject({ retryAfterMs: 3_000 });
    caller.abort('enough');
    void call('d');
    await clock.advance(2_000);
    expect(started).toEqual(['a at 0', 'c at 1000', 'd at 2000']);
  });

  test('how long a call will wait is worked out anew when nobody waited any more', async () => {
    const waits: number[] = [];
    const { clock, call } = setUp({ permits: 1, maxWaitMs: 2_000, onDelayed: ({ waitMs }) => waits.push(waitMs) });
    for (const name of ['a', 'b', 'c']) void call(name);
    await clock.advance(10_000);
    for (const name of ['d', 'e', 'f']) void call(name);
    await clock.advance(2_000);
    expect(waits).toEqual([1_000, 2_000, 1_000, 2_000]);
  });

  test('S4: when the last who waits gives up no timer is left', async () => {
    const { clock, call } = setUp({ permits: 1, maxWaitMs: 60_000 });
    const caller = new AbortController();
    void call('a');
    const waiting = rejection(call('b', caller.signal));
    expect(clock.pending).toBe(2);
    caller.abort();
    await waiting;
    expect(clock.pending).toBe(0);
  });

  test('a sliding window lets nobody wait in vain because of what dearer calls ahead will take', async () => {
    const { clock, policy, call, started } = setUp({
      permits: 3,
      algorithm: 'sliding-window',
      maxWaitMs: 1_500,
      cost: ({ context }) => context as number,
    });
    void call('a', undefined, 2);
    await clock.advance(500);
    void call('b', undefined, 1);
    // It takes all there is at 1500, so what comes behind it must wait until 2500, although the sum of all costs falls out by 2000.
    void call('large', undefined, 3);
    expect(await rejection(call('last', undefined, 1))).toMatchObject({ reason: 'rate-limited', retryAfterMs: 2_000 });
    await clock.advance(2_000);
    void call('last', undefined, 1);
    expect(started).toEqual(['a at 0', 'b at 500', 'large at 1500', 'last at 2500']);
    expect(policy.metrics()).toMatchObject({ admittedRequests: 4, rejectedRequests: 1, queued: 0 });
  });

  test('a sliding window whose timer is so late that a call can’t be let through any more refuses it when its time is up', async () => {
    const clock = manualClock();
    const slow = {
      ...clock,
      setTimeout: (run: () => void, ms: number) => clock.setTimeout(run, ms < 250 ? ms + 60 : ms),
    };
    const limit = { permits: 1, windowMs: 100, maxWaitMs: 250, clock: slow };
    const ends = async (policy: RateLimit) => {
      const calls = ['a', 'b', 'c'].map((name) => policy.execute(() => name).catch(({ reason }) => reason));
      await clock.advance(250);
      return Promise.all(calls);
    };
    expect(await ends(rateLimit({ ...limit, algorithm: 'sliding-window' }))).toEqual(['a', 'b', 'queue-timeout']);
    expect(await ends(rateLimit(limit))).toEqual(['a', 'b', 'c']);
  });

  test('behind one that a late timer let through a sliding window has room as much later', async () => {
    const clock = manualClock();
    const slow = { ...clock, setTimeout: (run: () => void, ms: number) => clock.setTimeout(run, ms + 60) };
    const waits: number[] = [];
    const onDelayed = ({ waitMs }: { waitMs: number }): number => waits.push(waitMs);
    const policy = rateLimit({
      permits: 1,
      windowMs: 100,
      algorithm: 'sliding-window',
      maxWaitMs: 500,
      clock: slow,
      onDelayed,
    });
    for (let i = 0; i < 3; i++) void policy.execute(() => {});
    await clock.advance(160);
    void policy.execute(() => {});
    // The second call began at 160, so the third may at 260, and this one at 360.
    expect(waits).toEqual([100, 200, 200]);
    await clock.advance(1_000);
  });

  test('costs in fractions leave nothing behind in the line', async () => {
    const { clock, policy, call } = setUp({
      permits: 1,
      algorithm: 'sliding-window',
      maxWaitMs: 500,
      cost: ({ context }) => (context as number | undefined) ?? 1,
    });
    void call('first');
    await clock.advance(600);
    for (const cost of [0.1, 0.1, 0.1, 0.3]) void call('small', undefined, cost);
    await clock.advance(3_000);
    expect([policy.metrics().available, policy.metrics().queued]).toEqual([1, 0]);
    expect(await call('last')).toBe('last');
  });

  test('a bucket loses nothing to timers that come late', () => {
    const clock = jumpingClock();
    const policy = rateLimit({ permits: 1_000, burst: 1, maxWaitMs: 200, clock });
    let started = 0;
    for (let i = 0; i < 201; i++) void policy.execute(() => started++);
    for (let ms = 0; ms < 200; ms += 1.5) {
      clock.jump(1.5);
      policy.tryAcquire();
    }
    expect(started).toBe(201);
  });

  test('a function that calls again while others are let go takes its turn behind them', async () => {
    const { clock, policy, started } = setUp({ permits: 2, maxWaitMs: 10_000 });
    const run = (name: string, then?: () => void): Promise<unknown> =>
      policy.execute(() => {
        started.push(`${name} at ${clock.now()}`);
        then?.();
      });
    const inner = (): void => void run('inner');
    void run('a');
    void run('b');
    void run('c', inner);
    void run('d');
    await clock.advance(2_000);
    expect(started).toEqual(['a at 0', 'b at 0', 'c at 500', 'd at 1000', 'inner at 1500']);
  });

  test('nor does it get ahead of those who are let go with it', () => {
    const clock = jumpingClock();
    const policy = rateLimit({ permits: 1, burst: 9, maxWaitMs: 60_000, clock });
    const started: string[] = [];
    const run = (name: string, then?: () => void): void =>
      void policy.execute(() => {
        started.push(name);
        then?.();
      });
    for (let i = 0; i < 9; i++) policy.tryAcquire();
    run('a', () => run('inner'));
    run('b');
    clock.jump(60_000);
    run('late');
    expect(started).toEqual(['a', 'b', 'inner', 'late']);
  });

  test('however many are let go at once, and call again, the stack does not grow', async () => {
    const clock = jumpingClock();
    const policy = rateLimit({ permits: 1, burst: 30_000, maxWaitMs: 1e8, maxQueue: 20_000, clock });
    policy.tryAcquire(30_000);
    let inner = 0;
    const again = (): unknown => policy.execute(() => inner++);
    const all = Array.from({ length: 10_000 }, () => policy.execute(again));
    clock.jump(1e8);
    await policy.execute(() => {});
    await Promise.all(all);
    expect([inner, policy.metrics().admittedRequests]).toEqual([10_000, 20_002]);
  });

  test('permits that came while the process slept are given to those who waited first', () => {
    const clock = jumpingClock();
    const policy = rateLimit({ permits: 1, burst: 3, maxWaitMs: 60_000, clock });
    const started: string[] = [];
    for (const name of ['a', 'b', 'c', 'd', 'e']) void policy.execute(() => started.push(name));
    expect(started).toEqual(['a', 'b', 'c']);
    clock.jump(60_000);
    void policy.execute(() => started.push('late'));
    expect(started).toEqual(['a', 'b', 'c', 'd', 'e', 'late']);
  });
});

describe('in whatever order things happen', () => {
  type Action = { readonly do: 'call' | 'abort' | 'advance'; readonly n: number };
  const action: fc.Arbitrary<Action> = fc.record({
    do: fc.constantFrom('call', 'call', 'call', 'abort', 'advance'),
    n: fc.integer({ min: 0, max: 700 }),
  });
  const options = fc.record({
    permits: fc.integer({ min: 3, max: 6 }),
    windowMs: fc.integer({ min: 100, max: 1_000 }),
    algorithm: fc.constantFrom('token-bucket' as const, 'sliding-window' as const),
    maxWaitMs: fc.integer({ min: 0, max: 3_000 }),
    maxQueue: fc.integer({ min: 1, max: 6 }),
    keyed: fc.boolean(),
  });

  test('calls of a key start in the order they came, within their time and the limit; all end, the figures add up', async () => {
    await holdsInTime(
      fc.asyncProperty(options, fc.array(action, { maxLength: 60 }), async (given, actions) => {
        const clock = manualClock();
        const policy = rateLimit({ ...given, cost: ({ context }) => context as number, clock });
        const callers: AbortController[] = [];
        const started: { key: string; id: number; at: number; cost: number }[] = [];
        const ends = { admitted: 0, rejected: 0, aborted: 0 };
        for (const { do: what, n } of actions) {
          if (what === 'advance') await clock.advance(n);
          else if (what === 'abort') callers[n % Math.max(1, callers.length)]?.abort('enough');
          else {
            const caller = new AbortController();
            const id = callers.push(caller);
            const cost = n % 4;
            const key = `${n % 2}`;
            const came = clock.now();
            const run = (): void => {
              started.push({ key, id, at: clock.now(), cost });
              expect(clock.now() - came).toBeLessThanOrEqual(given.maxWaitMs);
            };
            policy.execute(run, { key, signal: caller.signal, context: cost }).then(
              () => ends.admitted++,
              (error) => {
                if (error === 'enough') ends.aborted++;
                else {
                  expect(error).toBeInstanceOf(RateLimitedError);
                  ends.rejected++;
                }
                expect(clock.now() - came).toBeLessThanOrEqual(given.maxWaitMs);
              },
            );
          }
          await clock.advance(0);
          const { totalRequests, admittedRequests, rejectedRequests, queued } = policy.metrics();
          expect(totalRequests).toBe(callers.length);
          expect(admittedRequests).toBe(started.length);
          expect(totalRequests).toBeGreaterThanOrEqual(admittedRequests + rejectedRequests + queued);
        }
        await clock.advance(3_000);
        const { totalRequests, admittedRequests, rejectedRequests, queued } = policy.metrics();
        expect(ends).toMatchObject({ rejected: rejectedRequests, admitted: admittedRequests });
        expect(totalRequests).toBe(ends.admitted + ends.rejected + ends.aborted);
        expect([queued, clock.pending]).toEqual([0, 0]);
        for (const { signal } of callers) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
        for (const key of given.keyed ? ['0', '1'] : [undefined]) {
          const own = started.filter((call) => key === undefined || call.key === key);
          expect(own.map(({ id }) => id)).toEqual(own.map(({ id }) => id).sort((a, b) => a - b));
          for (const { at } of own) {
            const inWindow = own.filter((call) => call.at > at - given.windowMs && call.at <= at);
            const most = given.algorithm === 'token-bucket' ? 2 * given.permits : given.permits;
            expect(inWindow.reduce((sum, { cost }) => sum + cost, 0)).toBeLessThanOrEqual(most);
          }
        }
      }),
    );
  });

  test('whoever is let wait gets through in time, and whoever is not does after retryAfterMs if nobody else comes', async () => {
    const limits = fc.record({
      permits: fc.constantFrom(1, 3, 7, 50),
      windowMs: fc.constantFrom(1, 10, 333, 1_000),
      algorithm: fc.constantFrom('token-bucket' as const, 'sliding-window' as const),
    });
    const cost = fc.constantFrom(1, 1, 0, 0.1, 0.25, 0.5, 2, 3);
    const pause = fc.constantFrom(0, 0, 0, 0.37, 1, 'a seventh', 'a window');
    const arrival = fc.record({ cost, pause, leaves: fc.boolean() });
    await holdsInTime(
      fc.asyncProperty(
        limits,
        fc.constantFrom(0, 1, 5),
        fc.array(arrival, { maxLength: 60 }),
        fc.constantFrom(1, 0.5),
        async (limit, windows, arrivals, last) => {
          const clock = manualClock();
          const reasons: string[] = [];
          const policy = rateLimit({
            ...limit,
            maxWaitMs: windows * limit.windowMs,
            cost: ({ context }) => context as number,
            clock,
            onRejected: ({ reason }) => reasons.push(reason),
          });
          const call = (context: number, signal?: AbortSignal): Promise<unknown> =>
            policy.execute(() => 'through', { context, signal }).catch((error) => error);
          for (const { cost, pause, leaves } of arrivals) {
            const caller = new AbortController();
            void call(Math.min(cost, limit.permits), caller.signal);
            await clock.advance(
              typeof pause === 'number' ? pause : pause === 'a window' ? limit.windowMs : limit.windowMs / 7,
            );
            if (leaves && cost > 1) caller.abort('enough');
          }
          const answer = call(last);
          await clock.advance(0);
          if ((await stateOf(answer)) === 'fulfilled' && (await answer) instanceof RateLimitedError) {
            await clock.advance(((await answer) as RateLimitedError).retryAfterMs as number);
            expect(policy.tryAcquire(last)).toBe(true);
          }
          await clock.advance(6 * limit.windowMs);
          expect(reasons).not.toContain('queue-timeout');
          expect(policy.metrics().queued).toBe(0);
        },
      ),
    );
  });
});
