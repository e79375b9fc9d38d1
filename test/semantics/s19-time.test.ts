import {
  adaptiveConcurrency,
  adaptiveThrottle,
  bulkhead,
  cache,
  chaos,
  circuitBreaker,
  coalesce,
  failureRate,
  fallback,
  hedge,
  lastGood,
  type PolicyOptions,
  rateLimit,
  registry,
  retry,
  retryBudget,
  timeout,
} from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { fail, hold, rejection, sleepLeftMs, stateOf, succeed } from '../support/calls.ts';
import { runInNode } from '../support/child.ts';
import { breakableClock, jumpingClock } from '../support/clocks.ts';

afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
});

describe('steps of the wall clock', () => {
  test.each([-7_200_000, 7_200_000, -1e12])('S19: a step of %i ms changes nothing', async (stepMs) => {
    const real = Date.now;
    let stepped = 0;
    vi.spyOn(Date, 'now').mockImplementation(() => real() + stepped);
    const breaker = circuitBreaker({
      trip: failureRate({ threshold: 0.5, windowMs: 600_000, minimumCalls: 4 }),
      sleepWindowMs: 600_000,
      timeoutMs: 600_000,
      latency: true,
    });
    const call = hold(breaker);
    await succeed(breaker);
    await fail(breaker);
    stepped = stepMs;
    expect(breaker.metrics().window).toMatchObject({ calls: 2, failures: 1 });
    expect(await stateOf(call.promise)).toBe('pending');
    call.resolve();
    await call.result;
    expect(breaker.metrics().latency?.max).toBeLessThan(60_000);
    await fail(breaker);
    expect(breaker.state).toBe('open');
    const left = await sleepLeftMs(breaker);
    stepped = -stepMs;
    const after = await sleepLeftMs(breaker);
    expect(left).toBeGreaterThan(590_000);
    expect(after).toBeGreaterThan(590_000);
    expect(after).toBeLessThanOrEqual(left as number);
    expect(breaker.metrics().circuitOpenTimeMs).toBeLessThan(60_000);
  });

  test('S19: only lastFailureTime is wall time, for display', async () => {
    vi.spyOn(Date, 'now').mockReturnValue(12_345);
    const breaker = circuitBreaker();
    await fail(breaker);
    expect(breaker.metrics().lastFailureTime).toBe(12_345);
  });
});

describe('a suspended process', () => {
  test('S19: a timer that runs hours late ends its call once, and the breaker goes on', async () => {
    const clock = jumpingClock();
    const breaker = circuitBreaker({ clock, timeoutMs: 100, failureThreshold: 2, sleepWindowMs: 1_000 });
    const call = hold(breaker);
    clock.jump(3_600_000);
    await clock.advance(100);
    expect(await call.result).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(breaker.metrics()).toMatchObject({ timedOutRequests: 1, failedRequests: 1 });
    expect(breaker.state).toBe('closed');
    expect(await succeed(breaker)).toBe('ok');
  });

  test('S19: a sleep window that passed meanwhile is over', async () => {
    const clock = jumpingClock();
    const breaker = circuitBreaker({ clock, failureThreshold: 1, sleepWindowMs: 30_000 });
    await fail(breaker);
    clock.jump(86_400_000);
    expect(breaker.available).toBe(true);
    await succeed(breaker);
    expect(breaker.state).toBe('half-open');
  });

  test('S19: a window that passed meanwhile is empty', async () => {
    const clock = jumpingClock();
    const breaker = circuitBreaker({ clock, trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 3 }) });
    await fail(breaker);
    await fail(breaker);
    clock.jump(86_400_000);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window.calls).toBe(1);
  });

  test('S19: an injected clock that is set back opens no circuit for longer, and its snapshot is a good one', async () => {
    const clock = jumpingClock(1e9);
    const options = { clock, failureThreshold: 1, sleepWindowMs: 30_000 };
    const breaker = circuitBreaker(options);
    await fail(breaker);
    clock.jump(-3_600_000);
    expect(await sleepLeftMs(breaker)).toBe(30_000);
    expect(breaker.metrics().circuitOpenTimeMs).toBe(0);
    expect(circuitBreaker({ ...options, restore: breaker.toJSON() }).state).toBe('open');
    await clock.advance(30_000);
    expect(breaker.available).toBe(true);
  });

  test('S19: … nor does it after an update, of the breaker or of the registry that keeps it', async () => {
    const clock = jumpingClock(1e9);
    const options = { failureThreshold: 1, sleepWindowMs: 30_000, successThreshold: 1 };
    const alone = circuitBreaker({ clock, ...options });
    const kept = registry({ clock, defaults: options, parent: { minimumOpen: 9 } });
    await fail(alone);
    await fail(kept.get('a'));
    clock.jump(-3_600_000);
    alone.update({ successThreshold: 2 });
    kept.update({ defaults: { successThreshold: 2 }, overrides: [{ match: 'b', options: { maxConcurrent: 1 } }] });
    expect(await sleepLeftMs(alone)).toBe(30_000);
    expect(await sleepLeftMs(kept.get('a'))).toBe(30_000);
    await clock.advance(30_000);
    expect([alone.available, kept.get('a').available]).toEqual([true, true]);
  });

  test('S19: … be the clock that of an override, which an update keeps, or replaces by one without', async () => {
    const clock = jumpingClock(1e9);
    const options = { clock, failureThreshold: 1, sleepWindowMs: 30_000 };
    const kept = registry({ overrides: [{ match: 'a', options }] });
    const breaker = kept.get('a');
    const changed: unknown[] = [];
    breaker.on('updated', (event) => changed.push(event.changed));
    await fail(breaker);
    clock.jump(-3_600_000);
    kept.update({ defaults: { successThreshold: 1 } });
    expect(await sleepLeftMs(breaker)).toBe(30_000);
    kept.update({ defaults: { failureThreshold: 1 }, overrides: [] });
    expect(await sleepLeftMs(breaker)).toBe(30_000);
    await clock.advance(30_000);
    expect(breaker.available).toBe(true);
    expect(changed).toEqual([['successThreshold'], ['sleepWindowMs']]);
  });

  test('S19: a process stopped by SIGSTOP comes back sane', async () => {
    const text = `
      import { circuitBreaker } from './packages/recloser/src/index.ts';
      const breaker = circuitBreaker({ timeoutMs: 300, failureThreshold: 5, sleepWindowMs: 1_000 });
      const hung = breaker.execute(() => new Promise(() => {})).catch((error) => error.code);
      console.log('ready');
      const code = await hung;
      const value = await breaker.execute(() => 'alive');
      console.log(JSON.stringify({ code, value, state: breaker.state, timedOut: breaker.metrics().timedOutRequests }));`;
    let stopped = false;
    const { output, code, ms } = await runInNode(text, {
      onOutput(pid, printed) {
        if (stopped || !printed.includes('ready')) return;
        stopped = true;
        process.kill(pid, 'SIGSTOP');
        setTimeout(() => process.kill(pid, 'SIGCONT'), 1_200);
      },
    });
    expect(stopped).toBe(true);
    expect(ms).toBeGreaterThan(1_200);
    expect(output).toContain('{"code":"ERR_TIMEOUT","value":"alive","state":"closed","timedOut":1}');
    expect(code).toBe(0);
  }, 30_000);
});

describe('other people’s fake timers', () => {
  test('S19: fake timers that are installed after the breaker was made are the ones used', async () => {
    const breaker = circuitBreaker({ timeoutMs: 30_000, failureThreshold: 1, sleepWindowMs: 60_000 });
    await rejection(breaker.execute(() => Promise.reject(new Error('x')))).catch(() => {});
    breaker.reset();
    vi.useFakeTimers();
    const call = breaker.execute(() => new Promise(() => {})).catch((error: { code: string }) => error.code);
    await vi.advanceTimersByTimeAsync(29_999);
    expect(breaker.state).toBe('closed');
    await vi.advanceTimersByTimeAsync(1);
    expect(await call).toBe('ERR_TIMEOUT');
    expect(breaker.state).toBe('open');
    await vi.advanceTimersByTimeAsync(59_999);
    expect(breaker.available).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(breaker.available).toBe(true);
  });

  test('S19: … and once they are gone the real ones are', async () => {
    vi.useFakeTimers();
    const breaker = circuitBreaker({ timeoutMs: 20, failureThreshold: 9 });
    breaker.execute(() => new Promise(() => {})).catch(() => {});
    vi.useRealTimers();
    const started = performance.now();
    expect(await rejection(breaker.execute(() => new Promise(() => {})))).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(performance.now() - started).toBeGreaterThanOrEqual(19.9);
  });

  test('S19: a second set of fake timers is another world: no call of the first keeps it waiting', async () => {
    const breaker = circuitBreaker({ timeoutMs: 1_000, failureThreshold: 99 });
    for (let round = 0; round < 3; round++) {
      vi.useFakeTimers();
      breaker.execute(() => new Promise(() => {})).catch(() => {});
      let code = '';
      breaker
        .execute(() => new Promise(() => {}))
        .catch((error: { code: string }) => {
          code = error.code;
        });
      await vi.advanceTimersByTimeAsync(1_000);
      expect(code).toBe('ERR_TIMEOUT');
      breaker.execute(() => new Promise(() => {})).catch(() => {});
      vi.useRealTimers();
    }
  });

  test('S19: a breaker that outlives fake timers goes by what has passed, not by where they began', async () => {
    const breaker = circuitBreaker({
      trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 2 }),
      sleepWindowMs: 60_000,
      successThreshold: 1,
    });
    for (let round = 0; round < 2; round++) {
      vi.useFakeTimers();
      await vi.advanceTimersByTimeAsync(10_000);
      expect(breaker.metrics().window.calls).toBe(0);
      await vi.advanceTimersByTimeAsync(3_600_000);
      await fail(breaker);
      await fail(breaker);
      vi.useRealTimers();
      expect(await sleepLeftMs(breaker)).toBeLessThanOrEqual(60_000);
      const { openForMs = -1 } = circuitBreaker({ ...breaker.settings.given, restore: breaker.toJSON() }).toJSON();
      expect(openForMs).toBeGreaterThanOrEqual(0);
      vi.useFakeTimers();
      await vi.advanceTimersByTimeAsync(60_000);
      await succeed(breaker);
      expect(breaker.state).toBe('closed');
      await fail(breaker);
      vi.useRealTimers();
    }
  });

  test('S19: fake timers alone, with a real clock, still time out', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const breaker = circuitBreaker({ timeoutMs: 60_000, failureThreshold: 9 });
    const calls = [hold(breaker), hold(breaker)];
    await vi.advanceTimersByTimeAsync(61_000);
    for (const { result } of calls) expect(await result).toMatchObject({ code: 'ERR_TIMEOUT' });
    expect(breaker.metrics().inFlight).toBe(0);
  });

  test('S19: a fake clock without fake timers is used too', async () => {
    const breaker = circuitBreaker({ failureThreshold: 1, sleepWindowMs: 50_000 });
    vi.useFakeTimers({ toFake: ['Date', 'performance'] });
    await rejection(breaker.execute(() => Promise.reject(new Error('x')))).catch(() => {});
    vi.advanceTimersByTime(49_999);
    expect(breaker.available).toBe(false);
    vi.advanceTimersByTime(1);
    expect(breaker.available).toBe(true);
  });

  test('S19: a fake clock with fake Date only leaves everything as it is', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    vi.setSystemTime(new Date(0));
    const breaker = circuitBreaker({ failureThreshold: 1, sleepWindowMs: 50_000 });
    await fail(breaker);
    vi.setSystemTime(new Date(1e15));
    expect(breaker.available).toBe(false);
  });
});

function breakable() {
  const clock = breakableClock();
  const faults = new Set<string>();
  const onListenerError = (fault: unknown, where: string) => faults.add(`${where}: ${(fault as Error).message}`);
  return { clock, faults, options: { clock, onListenerError } satisfies PolicyOptions };
}

describe('a clock of the user’s that throws under way', () => {
  test.each([
    {},
    { latency: true },
    { timeoutMs: 100 },
    { maxConcurrent: 2, slowCallMs: 50, timeoutMs: 100, classify: () => 'success' as const },
    { trip: failureRate({ threshold: 0.5, windowMs: 1_000, minimumCalls: 9 }), maxConcurrent: 2 },
  ])('S5: execute does not throw, no call and no place is lost: %o', async (given) => {
    const { clock, options } = breakable();
    const breaker = circuitBreaker({ ...options, ...given });
    const call = hold(breaker);
    clock.broken = true;
    expect(await succeed(breaker, 'v')).toBe('v');
    call.resolve('early');
    expect(await call.promise).toBe('early');
    await fail(breaker);
    breaker.acquire()?.success();
    expect(await breaker.execute(() => 'v', { key: 'k', signal: new AbortController().signal })).toBe('v');
    clock.broken = false;
    expect(breaker.metrics()).toMatchObject({ totalRequests: 5, inFlight: 0 });
    expect(breaker.places?.taken ?? 0).toBe(0);
    await clock.advance(60_000);
    expect(await succeed(breaker, 'v')).toBe('v');
  });

  test('S19: time stands still: open stays open, and goes on once the clock does', async () => {
    const { clock, faults, options } = breakable();
    const breaker = circuitBreaker({ ...options, failureThreshold: 1, sleepWindowMs: 1_000, successThreshold: 1 });
    await fail(breaker);
    await clock.advance(400);
    expect(breaker.explain()).toContain('next probe in 600 ms');
    clock.broken = true;
    await clock.advance(2_000);
    expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'open', retryAfterMs: 600 });
    expect([breaker.state, breaker.available, breaker.toJSON().state]).toEqual(['open', false, 'open']);
    breaker.forceClosed({ expiresInMs: 100 });
    breaker.release();
    clock.broken = false;
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    expect(faults).toEqual(new Set(['clock: of the clock']));
  });

  test('S19: … also for an update, and for a breaker that a registry makes meanwhile', async () => {
    const { clock, options } = breakable();
    const breaker = circuitBreaker(options);
    const services = registry({ ...options, overrides: [{ match: /./, options: { maxConcurrent: 1 } }] });
    clock.broken = true;
    breaker.update({ timeoutMs: 100 });
    services.update({ defaults: { timeoutMs: 100 } });
    expect(breaker.settings.timeoutMs).toBe(100);
    expect(await services.execute(() => 'v', { key: 'new' })).toBe('v');
    expect(services.get('new').settings).toMatchObject({ timeoutMs: 100, maxConcurrent: 1 });
  });

  const policies = {
    adaptiveConcurrency,
    adaptiveThrottle,
    bulkhead: (options: PolicyOptions) => bulkhead({ maxConcurrent: 1, maxQueue: 1, queueTimeoutMs: 50, ...options }),
    cache: (options: PolicyOptions) => cache({ ttlMs: 10, ...options }),
    chaos: (options: PolicyOptions) => chaos({ rate: 1, latencyMs: 1, ...options }),
    coalesce,
    fallback: (options: PolicyOptions) => fallback(lastGood({ maxAgeMs: 100, shared: true }), options),
    hedge: (options: PolicyOptions) => hedge({ delayMs: 10, ...options }),
    rateLimit: (options: PolicyOptions) => rateLimit({ permits: 1, windowMs: 10, ...options }),
    registry,
    retry: (options: PolicyOptions) => retry({ attempts: 2, ...options }),
    timeout: (options: PolicyOptions) => timeout({ timeoutMs: 10, ...options }),
  };
  test.each(Object.entries(policies))('S5: … nor does that of %s', async (_, make) => {
    const { clock, options } = breakable();
    const policy = make(options);
    clock.broken = true;
    expect(await policy.execute(() => Promise.resolve('v'), { key: 'k' })).toBe('v');
  });

  test('S5: … nor does that of a budget which several policies share', async () => {
    const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { clock } = breakable();
    const policy = retry({ attempts: 2, backoff: 0, budget: retryBudget({ name: 'reads', clock }) });
    clock.broken = true;
    const down = new Error('down');
    for (let i = 0; i < 2; i++) expect(await rejection(policy.execute(() => Promise.reject(down)))).toBe(down);
    expect(policy.metrics()).toMatchObject({ failedRequests: 2, retries: 2, inFlight: 0 });
    expect(printed.mock.calls.map(([text]) => text)).toEqual([expect.stringContaining("'reads'")]);
  });
});
