import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { entered, inContext, type OwnContext } from './async-context.ts';

/** The context of a request that is gone, as Cloudflare's workers have it. */
const lost: OwnContext = {
  runInAsyncScope() {
    throw new Error(
      'Cannot call this AsyncLocalStorage bound function outside of the request in which it was created.',
    );
  },
};

describe('a context that was remembered', () => {
  test('runs what is given inside it, and says so', () => {
    const order: string[] = [];
    const context: OwnContext = {
      runInAsyncScope(run) {
        order.push('in');
        run();
        order.push('out');
      },
    };
    expect(entered(context, () => order.push('work'))).toBe(true);
    expect(entered(undefined, () => order.push('without'))).toBe(true);
    expect(order).toEqual(['in', 'work', 'out', 'without']);
  });

  test('passes on what that throws', () => {
    const fault = new Error('of the work');
    const throws = (): never => {
      throw fault;
    };
    expect(() => entered({ runInAsyncScope: (run) => run() }, throws)).toThrow(fault);
    expect(() => inContext(undefined, throws)).toThrow(fault);
  });

  test('that nobody gets into any more runs nothing, and says that, or it is run outside', () => {
    const work = vi.fn();
    expect(entered(lost, work)).toBe(false);
    expect(work).not.toHaveBeenCalled();
    inContext(lost, work);
    expect(work).toHaveBeenCalledOnce();
  });
});

describe('policies whose calls have lost their contexts', () => {
  let recloser: typeof import('../../index.ts');
  let testing: typeof import('../../testing/index.ts');
  beforeAll(async () => {
    vi.resetModules();
    vi.doMock('./async-context.ts', async (original) => ({
      ...(await original<object>()),
      rememberContext: () => lost,
    }));
    recloser = await import('../../index.ts');
    testing = await import('../../testing/index.ts');
  });
  afterAll(() => vi.doUnmock('./async-context.ts'));

  const hang = (): Promise<never> => new Promise(() => {});
  const served = async (): Promise<string> => 'served';

  test('a call times out all the same', async () => {
    const clock = testing.manualClock();
    const listening = recloser.circuitBreaker({ clock, timeoutMs: 100, onTimedOut: () => {} });
    const call = listening.execute(hang).catch(({ name }) => name);
    await clock.advance(100);
    expect(await call).toBe('TimeoutError');
  });

  test('one that waits for a place is refused, and neither the place nor the call that leaves it comes to harm', async () => {
    const places = recloser.bulkhead({ maxConcurrent: 1, maxQueue: 2 });
    const calls = [served, served, served].map((work) => places.execute(work).catch(({ code }) => code));
    expect(await Promise.all(calls)).toEqual(['served', 'ERR_BULKHEAD_FULL', 'ERR_BULKHEAD_FULL']);
    expect(places.metrics()).toMatchObject({ inFlight: 0, queued: 0, rejectedRequests: 2 });
    expect(await places.execute(served)).toBe('served');
  });

  test('one that waits too long for a place is refused', async () => {
    const clock = testing.manualClock();
    const places = recloser.bulkhead({ clock, maxConcurrent: 1, maxQueue: 2, queueTimeoutMs: 50 });
    void places.execute(hang);
    const waiting = places.execute(served).catch(({ reason }) => reason);
    await clock.advance(50);
    expect(await waiting).toBe('queue-timeout');
  });

  test('a hedge is sent', async () => {
    const clock = testing.manualClock();
    let calls = 0;
    const answer = recloser.hedge({ clock, delayMs: 50 }).execute(() => (++calls === 1 ? hang() : served()));
    await clock.advance(50);
    expect(await answer).toBe('served');
  });

  test('one that waits for its rate is refused, and those who come later are served', async () => {
    const clock = testing.manualClock();
    const limit = recloser.rateLimit({ clock, permits: 1, windowMs: 100, maxWaitMs: 1_000 });
    expect(await limit.execute(served)).toBe('served');
    const waiting = limit.execute(served).catch(({ code }) => code);
    await clock.advance(100);
    expect(await waiting).toBe('ERR_RATE_LIMITED');
    await clock.advance(100);
    expect(await limit.execute(served)).toBe('served');
  });
});

test('a flight whose timer was lost with its request is not joined for ever', async () => {
  const { coalesce } = await import('../../index.ts');
  let now = 0;
  const clock = { now: () => now, setTimeout: () => undefined, clearTimeout: () => {} };
  const flights = coalesce({ clock, joinForMs: 200 });
  const options = { key: 'a' };
  const lostFlight = flights.execute(() => new Promise(() => {}), options);
  now = 199;
  const joined = flights.execute(async () => 'anew', options);
  now = 200;
  expect(await flights.execute(async () => 'anew', options)).toBe('anew');
  expect(flights.metrics()).toMatchObject({ joinedRequests: 1 });
  void lostFlight;
  void joined;
});
