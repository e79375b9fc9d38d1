import { type BreakerEvents, CircuitOpenError, circuitBreaker, failureRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, stateOf, succeed } from '../support/calls.ts';

const actions = ['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const;
const states = {
  forceOpen: 'forced-open',
  forceClosed: 'forced-closed',
  disable: 'disabled',
  observeOnly: 'observe-only',
} as const;

describe('forced-open', () => {
  test('S23: every call is refused, with who and why where they are said', async () => {
    const { breaker } = setUp();
    breaker.forceOpen({ reason: 'migration', by: 'ada' });
    const error = await rejection(succeed(breaker));
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error).toMatchObject({ reason: 'forced-open', state: 'forced-open', retryAfterMs: undefined, headers: {} });
    expect((error as Error).message).toContain('migration');
    expect(breaker.metrics()).toMatchObject({ rejectedRequests: 1, state: 'forced-open', computedState: 'closed' });
  });

  test('S23: with an end the refusal says when', async () => {
    const { breaker, clock } = setUp();
    breaker.forceOpen({ expiresInMs: 5_000 });
    await clock.advance(1_000);
    expect(await rejection(succeed(breaker))).toMatchObject({ retryAfterMs: 4_000, headers: { 'retry-after': '4' } });
  });

  test('S23: the computed state goes on underneath: calls that were out still count', async () => {
    const { breaker, clock } = setUp();
    const out = hold(breaker);
    breaker.forceOpen();
    out.reject(new Error('x'));
    await out.result;
    expect(breaker.metrics()).toMatchObject({ state: 'forced-open', computedState: 'open' });
    await clock.advance(1_000);
    breaker.release();
    expect(breaker.state).toBe('open');
    expect(stampede(breaker, 5)).toBe(1);
  });
});

describe('forced-closed', () => {
  test('S23: calls pass and are counted, and it never opens', async () => {
    const { breaker } = setUp();
    breaker.forceClosed();
    for (let i = 0; i < 10; i++) await fail(breaker);
    expect(breaker.metrics()).toMatchObject({ state: 'forced-closed', computedState: 'closed', failedRequests: 10 });
  });

  test('S23: an open circuit underneath stays open, its calls pass and decide nothing', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    breaker.forceClosed();
    const { window } = breaker.metrics();
    expect(stampede(breaker, 5)).toBe(5);
    await clock.advance(1_000);
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.metrics()).toMatchObject({
      computedState: 'open',
      lateResults: 0,
      shadowRejectedRequests: 0,
      window,
    });
    breaker.release();
    expect(breaker.state).toBe('open');
  });

  test('S23: what was counted meanwhile counts after the release', async () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    breaker.forceClosed();
    for (let i = 0; i < 5; i++) await fail(breaker);
    breaker.release();
    expect(breaker.state).toBe('closed');
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });
});

describe('disabled', () => {
  test('S23: calls pass and no figure moves at all', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 2, fallback: 'other', latency: true });
    breaker.disable();
    const before = breaker.metrics();
    await succeed(breaker);
    expect(await breaker.execute(() => Promise.reject(new Error('x')))).toBe('other');
    const timedOut = hold(breaker);
    await clock.advance(100);
    await timedOut.result;
    timedOut.resolve();
    await hold(breaker, { signal: AbortSignal.abort(), fallback: undefined }).result;
    breaker.acquire()?.failure(new Error('x'));
    await clock.advance(0);
    expect(breaker.metrics()).toEqual(before);
  });

  test('S23: nobody is told of its calls', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1 });
    const told: string[] = [];
    for (const event of ['succeeded', 'failed', 'ignored', 'rejected', 'timed-out', 'late', 'opened'] as const) {
      breaker.on(event, () => told.push(event));
    }
    breaker.disable();
    await succeed(breaker);
    await fail(breaker);
    const out = hold(breaker);
    await rejection(succeed(breaker));
    await clock.advance(100);
    out.resolve();
    await clock.advance(0);
    expect(told).toEqual([]);
  });

  test('S23: results of calls that began before count as ever, those that began meanwhile do not after the release', async () => {
    const { breaker } = setUp({ failureThreshold: 2 });
    const before = hold(breaker);
    breaker.disable();
    const meanwhile = hold(breaker);
    breaker.release();
    meanwhile.reject(new Error('x'));
    before.reject(new Error('x'));
    await Promise.all([meanwhile.result, before.result]);
    expect(breaker.metrics()).toMatchObject({ failedRequests: 1, totalRequests: 1, inFlight: 0 });
    expect(breaker.state).toBe('closed');
  });
});

describe('observe-only', () => {
  test('S23: calls pass and everything is counted, the shadow runs its full cycle', async () => {
    const { breaker, clock } = setUp();
    breaker.observeOnly();
    const transitions: string[] = [];
    for (const event of ['opened', 'half-opened', 'closed'] as const) breaker.on(event, () => transitions.push(event));
    await fail(breaker);
    expect(breaker.metrics()).toMatchObject({ state: 'observe-only', computedState: 'open' });
    expect(await succeed(breaker)).toBe('ok');
    await clock.advance(1_000);
    await succeed(breaker);
    expect(transitions).toEqual(['opened', 'half-opened', 'closed']);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 2, failedRequests: 1, rejectedRequests: 0 });
  });

  test('S23: what it would have refused is counted apart and is no sample', async () => {
    const { breaker, clock } = setUp();
    breaker.observeOnly();
    await fail(breaker);
    for (let i = 0; i < 5; i++) await fail(breaker);
    for (let i = 0; i < 5; i++) await succeed(breaker);
    expect(breaker.metrics()).toMatchObject({ shadowRejectedRequests: 10, rejectedRequests: 0, lateResults: 0 });
    await clock.advance(1_000);
    const probe = hold(breaker);
    await fail(breaker);
    expect(breaker.metrics()).toMatchObject({ shadowRejectedRequests: 11, computedState: 'half-open' });
    probe.resolve();
    await probe.result;
    expect(breaker.metrics()).toMatchObject({ computedState: 'closed', totalRequests: 13 });
  });

  test('S23: the ramp is shadowed too', async () => {
    const { breaker, clock } = setUp({ recovery: { rampMs: 1_000, initialShare: 0.5 } });
    breaker.observeOnly();
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    expect(stampede(breaker, 100)).toBe(100);
    expect(breaker.metrics().shadowRejectedRequests).toBe(50);
  });

  test('S23: a full bulkhead still refuses, and such a call is not counted as passed', async () => {
    const { breaker } = setUp({ maxConcurrent: 1 });
    breaker.observeOnly();
    const busy = hold(breaker);
    await rejection(succeed(breaker));
    busy.reject(new Error('x'));
    await busy.result;
    const shadow = hold(breaker);
    await rejection(succeed(breaker));
    expect(breaker.metrics()).toMatchObject({ shadowRejectedRequests: 1, rejectedRequests: 2, inFlight: 1 });
    shadow.resolve();
    await shadow.result;
  });
});

describe('all of them', () => {
  test.each(actions)('S23: %s takes reason, by and expiresInMs and is an event with who and why', (action) => {
    const { breaker } = setUp({ name: 'payments' });
    const told: unknown[] = [];
    breaker.on('forced', (event) => told.push(event));
    breaker[action]({ reason: 'why', by: 'who', expiresInMs: 100 });
    expect(breaker.state).toBe(states[action]);
    expect(told).toEqual([
      {
        breaker: 'payments',
        action: 'forced',
        state: states[action],
        previous: 'closed',
        reason: 'why',
        by: 'who',
        expiresInMs: 100,
      },
    ]);
  });

  test.each(actions)('S23: %s: the expiry uncovers the computed state, and `state` says so at once', async (action) => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    breaker[action]({ expiresInMs: 100 });
    await clock.advance(99);
    expect(breaker.state).toBe(states[action]);
    await clock.advance(1);
    expect(breaker.state).toBe('open');
    expect(breaker.metrics().state).toBe('open');
    expect(breaker.toJSON().forced).toBeUndefined();
  });

  test.each(actions)('S23: %s: the expiry is told by the next call', async (action) => {
    const { breaker, clock } = setUp();
    const told: BreakerEvents['released'][] = [];
    breaker.on('released', (event) => told.push(event));
    breaker[action]({ reason: 'why', by: 'who', expiresInMs: 100 });
    await clock.advance(100);
    await succeed(breaker);
    await succeed(breaker);
    expect(told).toMatchObject([{ action: 'expired', state: 'closed', previous: states[action] }]);
  });

  test.each(actions)('S23: %s: release uncovers the computed state and tells who and why', async (action) => {
    const { breaker } = setUp();
    await fail(breaker);
    const told: unknown[] = [];
    breaker.on('released', (event) => told.push(event));
    breaker[action]();
    breaker.release({ reason: 'done', by: 'grace' });
    expect(breaker.state).toBe('open');
    expect(told).toMatchObject([
      { action: 'released', state: 'open', previous: states[action], reason: 'done', by: 'grace' },
    ]);
  });

  test.each(actions)('S23: %s: reset closes, empties and uncovers', async (action) => {
    const { breaker } = setUp({ failureThreshold: 3 });
    await fail(breaker);
    await fail(breaker);
    breaker[action]();
    const told: string[] = [];
    breaker.on('released', ({ action: what, by }) => told.push(`${what} by ${by}`));
    breaker.on('closed', ({ evidence }) => told.push(`closed on ${evidence.rule}`));
    breaker.reset({ by: 'ada' });
    expect(told).toEqual(['reset by ada', 'closed on reset']);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window.calls).toBe(0);
  });

  test.each(['release', 'reset', 'probe'] as const)(
    'S23, S26: %s refuses in its own name what it does not take, and does nothing then',
    async (deed) => {
      const { breaker } = setUp();
      await fail(breaker);
      breaker.observeOnly();
      for (const [given, fault] of [
        [{ reason: 5 }, 'reason must be a string, got 5'],
        [{ by: 5 }, 'by must be a string, got 5'],
        [{ expiresInMs: 5 }, "unknown option expiresInMs must be one of reason, by, got 'expiresInMs'"],
        [null, 'options must be an object, got null'],
      ] as const) {
        expect(() => breaker[deed](given as never)).toThrow(new TypeError(`${deed}: ${fault}`));
      }
      expect(breaker.state).toBe('observe-only');
      expect(breaker.explain()).toContain('next probe in');
    },
  );

  test.each(actions)('S23: %s: restored, it can be left again', async (action) => {
    const { breaker } = setUp();
    await fail(breaker);
    breaker[action]();
    const restore = JSON.parse(JSON.stringify(breaker));
    const released = circuitBreaker({ restore });
    expect(released.state).toBe(states[action]);
    released.release();
    expect(released.state).toBe('open');
    const reset = circuitBreaker({ restore });
    reset.reset();
    expect(reset.state).toBe('closed');
    expect(await succeed(reset)).toBe('ok');
  });

  test.each(actions)('S23: %s leaves timeouts and the bulkhead alone', async (action) => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, failureThreshold: 9 });
    const out = hold(breaker);
    breaker[action]();
    if (action !== 'forceOpen') {
      expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'bulkhead-full' });
      out.resolve();
      await out.result;
      const slow = hold(breaker);
      await clock.advance(100);
      expect(await slow.result).toMatchObject({ code: 'ERR_TIMEOUT' });
    } else {
      await clock.advance(100);
      expect(await stateOf(out.promise)).toBe('rejected');
      breaker.release();
      expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'bulkhead-full' });
    }
  });

  test('S23: one set state replaces another, and the event says which', () => {
    const { breaker } = setUp();
    const previous: string[] = [];
    breaker.on('forced', (event) => previous.push(event.previous));
    for (const action of actions) breaker[action]();
    expect(previous).toEqual(['closed', 'forced-open', 'forced-closed', 'disabled']);
    breaker.release();
    expect(breaker.state).toBe('closed');
  });

  test('S23: to release what is not set is no action', () => {
    const { breaker } = setUp();
    let told = 0;
    breaker.on('released', () => told++);
    breaker.release();
    expect([told, breaker.state]).toEqual([0, 'closed']);
  });

  test('S23: reset also works on what is not set: open, half-open, closed', async () => {
    const { breaker, clock } = setUp();
    const told: string[] = [];
    breaker.on('released', ({ action, previous }) => told.push(`${action} of ${previous}`));
    breaker.reset();
    await fail(breaker);
    breaker.reset();
    await fail(breaker);
    await clock.advance(1_000);
    hold(breaker);
    breaker.reset();
    expect(told).toEqual(['reset of closed', 'reset of open', 'reset of half-open']);
    expect(stampede(breaker, 10)).toBe(10);
  });

  test.each([
    [{ reason: 5 }, 'reason'],
    [{ by: {} }, 'by'],
    [{ expiresInMs: 0 }, 'expiresInMs'],
    [{ expiresInMs: Number.NaN }, 'expiresInMs'],
    [{ until: 5 }, 'until'],
    ['now', 'options'],
  ])('S23: bad options change nothing: %o', (options, fault) => {
    const { breaker } = setUp();
    for (const action of actions) expect(() => breaker[action](options as never)).toThrow(fault);
    expect(() => breaker.release({ reason: 5 } as never)).toThrow(TypeError);
    expect(() => breaker.reset({ by: 5 } as never)).toThrow(TypeError);
    expect(breaker.state).toBe('closed');
  });

  test('S23: `start` begins in a set state, and what it was made for can be left', async () => {
    for (const start of Object.values(states)) {
      const { breaker } = setUp({ start });
      expect(breaker.state).toBe(start);
      breaker.release();
      expect(breaker.state).toBe('closed');
    }
    expect(setUp({ start: 'closed' }).breaker.state).toBe('closed');
  });

  test('S1, S23: a snapshot goes before `start`: what was set is, and what was released stays so', () => {
    const { breaker } = setUp({ start: 'observe-only' });
    breaker.release();
    expect(circuitBreaker({ start: 'observe-only', restore: breaker.toJSON() }).state).toBe('closed');
    breaker.disable();
    expect(circuitBreaker({ start: 'forced-open', restore: breaker.toJSON() }).state).toBe('disabled');
  });

  test('S23: after the expiry a pre-aborted call is counted, and a failure opens', async () => {
    const { breaker, clock } = setUp();
    breaker.disable({ expiresInMs: 100 });
    await clock.advance(100);
    await hold(breaker, { signal: AbortSignal.abort() }).result;
    expect(breaker.metrics().ignoredRequests).toBe(1);
    breaker.forceClosed({ expiresInMs: 100 });
    const call = hold(breaker);
    await clock.advance(100);
    call.reject(new Error('x'));
    await call.result;
    expect(breaker.state).toBe('open');
  });

  test('S23: available says what a set state means', async () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 1, windowCalls: 1 }) });
    await fail(breaker);
    const seen = actions.map((action) => {
      breaker[action]();
      return breaker.available;
    });
    expect(seen).toEqual([false, true, true, true]);
  });
});
