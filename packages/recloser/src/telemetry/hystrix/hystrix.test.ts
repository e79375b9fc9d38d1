import { anyOf, exponential, failureRate, registry, slowCallRate } from 'recloser';
import { describe, expect, test } from 'vitest';
import { breaker, clock, expectValid, fail, failing, pass, watched } from '../../../../../test/support/hystrix.ts';

describe('the stream', () => {
  test('has the headers of Hystrix, and every message all that the dashboard asserts', async () => {
    const { headers, statusCode, turn } = await watched({ group: 'shop' });
    expect(statusCode).toBe(200);
    expect(headers).toMatchObject({
      'content-type': 'text/event-stream;charset=UTF-8',
      'cache-control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
    });
    const all = [
      breaker('plain'),
      breaker('timed', { trip: failureRate({ threshold: 0.5, windowMs: 10_000 }), timeoutMs: 100, maxConcurrent: 3 }),
      registry({ name: 'hosts', clock, parent: { threshold: 0.5 } }),
    ];
    for (const policy of all) await pass(policy, 'k');
    await fail(all[0]!);
    const messages = await turn();
    expect(Object.keys(messages)).toEqual(['plain', 'timed', 'hosts', 'hosts/parent']);
    for (const message of Object.values(messages)) {
      expectValid(message);
      expect(message.group).toBe('shop');
    }
  });

  test('says `ping` while there is nothing to tell', async () => {
    const { client, turn } = await watched();
    await turn();
    expect(client.text).toBe('ping: \n\n');
  });

  test('counts every way a call may end, each once, and forgets it after ten seconds', async () => {
    const one = breaker('one', {
      failureThreshold: 100,
      timeoutMs: 100,
      maxConcurrent: 2,
      classify: ({ error }) =>
        (error as Error | undefined)?.message === 'mine' ? 'ignored' : error ? 'failure' : 'success',
    });
    const { turn } = await watched({ policies: [one] });
    for (let i = 0; i < 5; i++) await pass(one);
    for (let i = 0; i < 3; i++) await fail(one);
    await one.execute(() => Promise.reject(new Error('mine'))).catch(() => {});
    await one.execute(failing, { fallback: 'plan B' });
    await one.execute(failing, { fallback: failing }).catch(() => {});
    const hung = [1, 2].map(() => one.execute(() => new Promise(() => {})).catch(() => {}));
    await pass(one).catch(() => {});
    await clock.advance(100);
    await Promise.all(hung);
    const after = await turn(400);
    expect(after.one).toMatchObject({
      rollingCountSuccess: 5,
      rollingCountFailure: 5,
      rollingCountTimeout: 2,
      rollingCountBadRequests: 1,
      rollingCountSemaphoreRejected: 1,
      rollingCountShortCircuited: 0,
      rollingCountFallbackSuccess: 1,
      rollingCountFallbackFailure: 1,
      rollingCountFallbackMissing: 6,
      rollingCountExceptionsThrown: 7,
      requestCount: 12,
      errorCount: 7,
      errorPercentage: 58,
    });
    one.forceOpen();
    for (let i = 0; i < 4; i++) await pass(one).catch(() => {});
    expect((await turn()).one).toMatchObject({
      rollingCountShortCircuited: 4,
      rollingCountSemaphoreRejected: 1,
      requestCount: 12,
      errorPercentage: 58,
    });
    for (let i = 0; i < 18; i++) await turn();
    expect((await turn()).one).toMatchObject({
      rollingCountSuccess: 0,
      rollingCountShortCircuited: 4,
      requestCount: 0,
    });
    expect((await turn()).one).toMatchObject({ rollingCountShortCircuited: 0 });
  });
});

describe('a command', () => {
  test('tells the state as Hystrix would', async () => {
    const { turn } = await watched();
    const one = breaker('one', { failureThreshold: 1, sleepWindowMs: 100, successThreshold: 2 });
    const told = async () => {
      const { one } = await turn();
      const [open, forceOpen, forceClosed, enabled] = [
        one?.isCircuitBreakerOpen,
        one?.propertyValue_circuitBreakerForceOpen,
        one?.propertyValue_circuitBreakerForceClosed,
        one?.propertyValue_circuitBreakerEnabled,
      ];
      return { open, forceOpen, forceClosed, enabled };
    };
    const computed = { forceOpen: false, forceClosed: false, enabled: true };
    expect(await told()).toEqual({ open: false, ...computed });
    await fail(one);
    expect(await told()).toEqual({ open: true, ...computed });
    await pass(one);
    expect(one.state).toBe('half-open');
    expect(await told()).toEqual({ open: true, ...computed });
    one.forceClosed();
    expect(await told()).toEqual({ open: false, forceOpen: false, forceClosed: true, enabled: true });
    one.forceOpen();
    expect(await told()).toEqual({ open: true, forceOpen: true, forceClosed: false, enabled: true });
    one.disable();
    expect(await told()).toEqual({ open: false, ...computed, enabled: false });
    one.observeOnly();
    expect(await told()).toEqual({ open: false, ...computed, enabled: false });
  });

  test('tells the options that are in force, not those of Hystrix', async () => {
    const { turn } = await watched();
    breaker('five in a row', { failureThreshold: 5 });
    breaker('rate', {
      trip: anyOf(
        slowCallRate({ threshold: 0.9, slowCallMs: 500, windowMs: 10_000, minimumCalls: 3 }),
        failureRate({ threshold: 0.25, windowMs: 10_000, minimumCalls: 40 }),
      ),
      sleepWindowMs: 7_000,
      timeoutMs: 900,
      maxConcurrent: 12,
    });
    breaker('backing off', {
      sleepWindowMs: exponential({ initialMs: 1_000, maxMs: 60_000 }),
      maxSleepWindowMs: 60_000,
    });
    const messages = await turn();
    const told = (name: string): unknown[] => {
      const at = (property: string) => messages[name]?.[`propertyValue_${property}`];
      return [
        at('circuitBreakerRequestVolumeThreshold'),
        at('circuitBreakerErrorThresholdPercentage'),
        at('circuitBreakerSleepWindowInMilliseconds'),
        at('executionTimeoutInMilliseconds'),
        at('executionIsolationSemaphoreMaxConcurrentRequests'),
        at('executionIsolationStrategy'),
      ];
    };
    expect(told('five in a row')).toEqual([5, 100, 30_000, 0, 2 ** 31 - 1, 'SEMAPHORE']);
    expect(told('rate')).toEqual([40, 25, 7_000, 900, 12, 'SEMAPHORE']);
    expect(told('backing off')[2]).toBe(60_000);
  });

  test('tells latencies where they are taken, and none better than it was', async () => {
    const { turn } = await watched();
    const slow = breaker('slow', { latency: true });
    const calls = [10, 20, 30, 400].map((ms) =>
      slow.execute(() => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms))),
    );
    await clock.advance(400);
    await Promise.all(calls);
    const { p50, p95, max } = slow.metrics().latency!;
    const message = (await turn(100)).slow;
    expect(message?.latencyExecute).toMatchObject({
      '50': Math.round(p50),
      '90': Math.round(p95),
      '99.5': Math.round(max),
    });
    expect(message?.latencyExecute_mean).toBe(Math.round(p50));
  });

  test('of a registry is one for all its keys, with another for its parent', async () => {
    const { turn } = await watched();
    const hosts = registry({
      name: 'hosts',
      clock,
      defaults: { failureThreshold: 1, timeoutMs: 700, maxConcurrent: 1 },
      parent: { threshold: 0.5, minimumOpen: 2 },
    });
    for (const key of ['a', 'b', 'c']) await pass(hosts, key);
    await fail(hosts, 'a');
    await fail(hosts, 'b');
    await pass(hosts, 'c').catch(() => {});
    await pass(hosts, 'a').catch(() => {});
    const messages = await turn();
    expect(Object.keys(messages)).toEqual(['hosts', 'hosts/parent']);
    expect(messages.hosts).toMatchObject({
      rollingCountSuccess: 3,
      rollingCountFailure: 2,
      rollingCountBadRequests: 1,
      rollingCountShortCircuited: 1,
      isCircuitBreakerOpen: true,
      propertyValue_circuitBreakerForceOpen: false,
      propertyValue_executionTimeoutInMilliseconds: 700,
    });
    expect(messages['hosts/parent']).toMatchObject({ isCircuitBreakerOpen: true, rollingCountShortCircuited: 1 });
  });

  test('of a name that several breakers have is the sum of theirs', async () => {
    const { turn } = await watched();
    const both = [breaker('twin'), breaker('twin')];
    for (const one of both) await pass(one);
    expect(await turn()).toMatchObject({ twin: { rollingCountSuccess: 2 } });
    for (const one of both) await pass(one);
    both[0]?.dispose();
    expect(await turn()).toMatchObject({ twin: { rollingCountSuccess: 4 } });
  });

  test('of a registry made before is told once one of its breakers is heard of, of what is disposed nothing', async () => {
    const hosts = registry({ name: 'hosts', clock, defaults: { failureThreshold: 1 } });
    const gone = breaker('gone');
    await pass(hosts, 'a');
    gone.dispose();
    const { turn } = await watched({ policies: [gone] });
    expect(Object.keys(await turn())).toEqual([]);
    await fail(hosts, 'a');
    expect(await turn()).toMatchObject({ hosts: { isCircuitBreakerOpen: true } });
  });

  test('counts from when somebody looks, whatever came before', async () => {
    const one = breaker('one');
    for (let i = 0; i < 1_000; i++) await pass(one);
    const { client, connect, stream, turn } = await watched({ policies: [one] });
    await pass(one);
    expect((await turn()).one).toMatchObject({ rollingCountSuccess: 1 });
    client.close();
    while (stream.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    for (let i = 0; i < 1_000; i++) await pass(one);
    const again = connect();
    await again.until((text) => text.includes('data: '));
    expect(again.data[0]).toMatchObject({ rollingCountSuccess: 0 });
  });

  test('S3: being told changes nothing', async () => {
    const one = breaker('one', { failureThreshold: 1, sleepWindowMs: 100 });
    await fail(one);
    await clock.advance(1_000);
    const { turn } = await watched({ policies: [one] });
    const before = JSON.stringify([one.metrics(), one]).replace(/"(circuitOpen|openFor|downFor)(Time)?Ms":\d+/g, '');
    await turn();
    await turn();
    const after = JSON.stringify([one.metrics(), one]).replace(/"(circuitOpen|openFor|downFor)(Time)?Ms":\d+/g, '');
    expect(after).toBe(before);
    expect(one.state).toBe('open');
  });
});
