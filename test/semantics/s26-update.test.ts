import { bulkhead, consecutiveFailures, failureCount, failureRate, pipeline } from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { fail, hold, setUp, sleepLeftMs, stampede, stateOf, succeed } from '../support/calls.ts';

describe('update', () => {
  test('S26: closed, it keeps state, window and figures', async () => {
    const { breaker } = setUp({ failureThreshold: 5 });
    for (let i = 0; i < 3; i++) await fail(breaker);
    breaker.update({ failureThreshold: 4 });
    expect(breaker.metrics()).toMatchObject({
      state: 'closed',
      failedRequests: 3,
      generation: 1,
      window: { failures: 3 },
    });
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S26: closed, a lower threshold acts with the next failure, not by itself', async () => {
    const { breaker } = setUp({ failureThreshold: 5 });
    for (let i = 0; i < 3; i++) await fail(breaker);
    breaker.update({ failureThreshold: 2 });
    expect(breaker.state).toBe('closed');
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S26: open, it stays open, and a running sleep window keeps its end', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: 1_000 });
    await fail(breaker);
    breaker.update({ sleepWindowMs: 60_000, failureThreshold: 3 });
    expect(breaker.state).toBe('open');
    expect(await sleepLeftMs(breaker)).toBe(1_000);
    await clock.advance(1_000);
    await fail(breaker);
    expect(await sleepLeftMs(breaker)).toBe(60_000);
  });

  test('S26: half-open, it stays half-open with the successes it has', async () => {
    const { breaker, clock } = setUp({ successThreshold: 5 });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await succeed(breaker);
    breaker.update({ successThreshold: 3, halfOpen: { maxConcurrent: 4 } });
    expect(breaker.state).toBe('half-open');
    const probes = [hold(breaker), hold(breaker), hold(breaker), hold(breaker), hold(breaker)];
    expect(probes.filter(({ context }) => context !== undefined)).toHaveLength(4);
    probes[0]?.resolve();
    await probes[0]?.result;
    expect(breaker.state).toBe('closed');
  });

  test.each(['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const)(
    'S26: with a set state (%s) it stays set',
    (action) => {
      const { breaker } = setUp();
      breaker[action]();
      const { state } = breaker;
      breaker.update({ failureThreshold: 3, timeoutMs: 5 });
      expect(breaker.state).toBe(state);
      breaker.release();
      expect(breaker.state).toBe('closed');
    },
  );

  test('S26: recovering, the ramp goes on', async () => {
    const { breaker, clock } = setUp({ recovery: { rampMs: 1_000, initialShare: 0.5 } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    breaker.update({ failureThreshold: 9 });
    expect(stampede(breaker, 100)).toBe(50);
  });

  test('S26: the window is kept where it still makes sense', async () => {
    const rule = (windowCalls: number, threshold = 0.9) => failureRate({ threshold, windowCalls, minimumCalls: 50 });
    const { breaker } = setUp({ trip: rule(100) });
    for (let i = 0; i < 10; i++) await (i % 2 ? fail(breaker) : succeed(breaker));
    breaker.update({ trip: rule(50, 0.8) });
    expect(breaker.metrics().window).toMatchObject({ calls: 10, failures: 5, threshold: 0.8, windowCalls: 50 });
    breaker.update({ trip: rule(4) });
    expect(breaker.metrics().window).toMatchObject({ calls: 4, failures: 2 });
    breaker.update({ trip: failureRate({ threshold: 0.5, windowMs: 1_000 }) });
    expect(breaker.metrics().window).toMatchObject({ calls: 0, windowMs: 1_000 });
  });

  test('S26: a new trip rule replaces failureThreshold, and the other way round', async () => {
    const { breaker } = setUp({ failureThreshold: 1 });
    breaker.update({ trip: failureCount({ threshold: 3, windowCalls: 10 }) });
    await fail(breaker);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    breaker.update({ failureThreshold: 2 });
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    await fail(breaker);
    expect(breaker.state).toBe('open');
    expect(() => breaker.update({ failureThreshold: 2, trip: consecutiveFailures(2) })).toThrow(TypeError);
  });

  test('S26: timeouts and bulkhead apply from then on; those at work keep what they have', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 9, timeoutMs: 100, maxConcurrent: 3 });
    const [first, second] = [hold(breaker), hold(breaker)];
    breaker.update({ timeoutMs: 500, maxConcurrent: 2 });
    expect(breaker.available).toBe(false);
    await clock.advance(100);
    expect(await first.result).toMatchObject({ timeoutMs: 100, message: 'circuit-breaker: timed out after 100 ms' });
    first.resolve();
    second.resolve();
    await clock.advance(0);
    const third = hold(breaker);
    await clock.advance(499);
    expect(await stateOf(third.promise)).toBe('pending');
    await clock.advance(1);
    expect(await stateOf(third.promise)).toBe('rejected');
  });

  test('S26: a timeout, a bulkhead, a fallback or a classifier can be added to a breaker that had none', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 9 });
    await succeed(breaker);
    breaker.update({ timeoutMs: 100, maxConcurrent: 1, fallback: 'other', classify: () => 'failure' });
    const call = hold(breaker);
    expect(await succeed(breaker)).toBe('other');
    await clock.advance(100);
    expect(await call.result).toBe('other');
    expect(breaker.metrics()).toMatchObject({ rejectedRequests: 1, timedOutRequests: 1, fallbackRequests: 2 });
  });

  test('S26: with a first bulkhead those at work take a place, each until he ends', async () => {
    const { breaker } = setUp({ failureThreshold: 9 });
    const before = [hold(breaker), hold(breaker), hold(breaker)];
    breaker.disable();
    const uncounted = hold(breaker);
    breaker.release();
    breaker.update({ maxConcurrent: 3 });
    expect(breaker.places).toEqual({ taken: 4, limit: 3 });
    expect(breaker.available).toBe(false);
    uncounted.resolve();
    before[0]?.reject(new Error('down'));
    await Promise.all([uncounted.result, before[0]?.result]);
    expect(breaker.places).toEqual({ taken: 2, limit: 3 });
    const after = hold(breaker);
    expect(await fail(breaker)).toMatchObject({ reason: 'bulkhead-full' });
    for (const call of [after, ...before]) call.resolve();
    await Promise.all([after, ...before].map(({ result }) => result));
    expect(breaker.places).toEqual({ taken: 0, limit: 3 });
    const again = [hold(breaker), hold(breaker), hold(breaker), hold(breaker)];
    expect(again.filter(({ context }) => context !== undefined)).toHaveLength(3);
  });

  test('S26: … also where calls that began since time out and leave their work behind', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 9 });
    const before = [hold(breaker), hold(breaker)];
    breaker.update({ maxConcurrent: 2, timeoutMs: 10 });
    before[0]?.resolve();
    await before[0]?.result;
    const since = hold(breaker);
    await clock.advance(10);
    expect(await stateOf(since.promise)).toBe('rejected');
    expect(breaker.places).toEqual({ taken: 2, limit: 2 });
    expect(await fail(breaker)).toMatchObject({ reason: 'bulkhead-full' });
    since.resolve();
    await clock.advance(0);
    expect(breaker.places).toEqual({ taken: 1, limit: 2 });
    before[1]?.resolve();
    await before[1]?.result;
    expect(breaker.places).toEqual({ taken: 0, limit: 2 });
  });

  test('S26: … permits, calls with a timeout and calls under a bulkhead of their own alike', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 99 });
    const quick = hold(breaker);
    breaker.update({ timeoutMs: 100 });
    const stacked = pipeline(breaker, bulkhead({ maxConcurrent: 5, clock }));
    const [guarded, inner] = [hold(breaker), hold(stacked)];
    const permit = breaker.acquire();
    breaker.update({ maxConcurrent: 9, timeoutMs: 10 });
    const late = [hold(breaker), hold(stacked), hold(breaker)];
    expect(breaker.places?.taken).toBe(7);
    await clock.advance(10);
    expect(breaker.places?.taken).toBe(7);
    const taken: unknown[] = [];
    for (const end of [() => quick.reject(), () => guarded.resolve(), () => inner.resolve(), () => permit?.success()]) {
      end();
      await clock.advance(0);
      taken.push(breaker.places?.taken);
    }
    for (const call of late) call.resolve();
    await clock.advance(0);
    expect([...taken, breaker.places?.taken]).toEqual([6, 5, 4, 3, 0]);
  });

  test('S26: a call under whose admission a first bulkhead comes takes a place, too', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 9, timeoutMs: 1_000 });
    const before = hold(breaker);
    breaker.on('released', () => breaker.update({ maxConcurrent: 2 }));
    breaker.forceClosed({ expiresInMs: 10 });
    await clock.advance(10);
    const meanwhile = hold(breaker);
    expect(breaker.places).toEqual({ taken: 2, limit: 2 });
    meanwhile.resolve();
    await meanwhile.result;
    expect(breaker.places).toEqual({ taken: 1, limit: 2 });
    before.resolve();
    await before.result;
    expect(breaker.places).toEqual({ taken: 0, limit: 2 });
  });

  test.each([
    ['quick', {}],
    ['with a timeout', { timeoutMs: 1_000 }],
  ])('S26: a call whose classifier brings a first bulkhead gives its place back (%s)', async (_, options) => {
    const classify = (): undefined => void (breaker.places ?? breaker.update({ maxConcurrent: 2 }));
    const { breaker } = setUp({ failureThreshold: 9, classify, ...options });
    const before = hold(breaker);
    await fail(breaker);
    expect(breaker.places).toEqual({ taken: 1, limit: 2 });
    before.resolve();
    await before.result;
    expect(breaker.places).toEqual({ taken: 0, limit: 2 });
  });

  test('S10, S26: half-open, without a sample any more, what failed of it breaks the row', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2, halfOpen: { sample: { calls: 10, failureRate: 1 } } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    for (let i = 0; i < 3; i++) await fail(breaker);
    breaker.update({ halfOpen: {} });
    expect(breaker.explain()).toContain('0 of 2 probes succeeded, closes at 2');
    await succeed(breaker);
    expect(breaker.state).toBe('half-open');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
  });

  test('S26: undefined leaves an option as it is', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100 });
    breaker.update({ timeoutMs: undefined });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await stateOf(call.promise)).toBe('rejected');
  });

  test.each(['name', 'start', 'restore', 'clock', 'random', 'onListenerError', 'onOpened'])(
    'S26: %s can’t be changed',
    (option) => {
      const { breaker } = setUp();
      expect(() => breaker.update({ [option]: 5 })).toThrow(TypeError);
      expect(() => breaker.update({ [option]: 5 })).toThrow(option);
    },
  );

  test('S26: the handler of listeners’ faults stays, and without one the first fault is printed, update or none', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const faults: unknown[] = [];
    const onListenerError = (fault: unknown, event: string): void =>
      void faults.push([(fault as Error).message, event]);
    for (const options of [{}, { onListenerError }]) {
      const { breaker } = setUp({ name: 'payments', failureThreshold: 9, ...options });
      breaker.on('failed', () => {
        throw new Error('of the listener');
      });
      breaker.update({ failureThreshold: 8 });
      await fail(breaker);
    }
    expect(print.mock.calls).toEqual([[expect.stringMatching(/payments.*failed/), new Error('of the listener')]]);
    expect(faults).toEqual([['of the listener', 'failed']]);
    print.mockRestore();
  });

  test('S26: … nor to the compiler', () => {
    const { breaker } = setUp();
    // @ts-expect-error
    expect(() => breaker.update({ name: 'other' })).toThrow('name');
    // @ts-expect-error
    expect(() => breaker.update({ onOpened: () => {} })).toThrow('onOpened');
  });

  test('S26: a bad update changes nothing, and tells all faults', async () => {
    const { breaker } = setUp({ failureThreshold: 2 });
    let told = 0;
    breaker.on('updated', () => told++);
    expect(() => breaker.update({ failureThreshold: 1, timeoutMs: 0, maxConcurrent: 0 })).toThrow(
      /timeoutMs.*maxConcurrent/,
    );
    expect(() => breaker.update({ colour: 'red' } as never)).toThrow('colour');
    expect(() => breaker.update(undefined as never)).toThrow('update: options must be an object, got undefined');
    await fail(breaker);
    expect([breaker.state, told]).toEqual(['closed', 0]);
  });
});
