import { type CircuitBreaker, circuitBreaker, registry } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { health } from './index.ts';

const failing = (): never => {
  throw new Error('down');
};
const fail = (policy: { execute: CircuitBreaker['execute'] }, key = 'k') =>
  policy.execute(failing, { key }).catch(() => {});
const pass = (policy: { execute: CircuitBreaker['execute'] }, key = 'k') => policy.execute(() => 1, { key });

function setUp() {
  const clock = manualClock();
  const make = (name: string) =>
    circuitBreaker({ name, clock, failureThreshold: 1, successThreshold: 2, sleepWindowMs: 10_000, latency: false });
  return { clock, make, payments: make('payments'), search: make('search') };
}

describe('health', () => {
  test('only a critical breaker that is open makes the instance unavailable, any other makes it degraded', async () => {
    const { clock, payments, search } = setUp();
    const check = health({ policies: [payments, search], critical: ['payments'] });
    expect(check()).toMatchObject({
      status: 'ok',
      breakers: [{ name: 'payments', critical: true }, { critical: false }],
    });
    await fail(search);
    await clock.advance(2_500);
    expect(check()).toEqual({
      status: 'degraded',
      breakers: [
        { name: 'payments', status: 'ok', critical: true, state: 'closed', why: payments.explain() },
        {
          name: 'search',
          status: 'degraded',
          critical: false,
          state: 'open',
          why: 'open for 2.5 s: 1 consecutive failure (Error ×1), next probe in 7.5 s',
          sinceMs: 2_500,
          retryAfterMs: 7_500,
        },
      ],
    });
    await fail(payments);
    expect(check().status).toBe('unavailable');
  });

  test('nothing is critical unless it is said to be', async () => {
    const { payments, search } = setUp();
    await fail(payments);
    await fail(search);
    expect(health({ policies: [payments, search] })().status).toBe('degraded');
  });

  test('an instance comes back when its probe is due: without calls the circuit would never close', async () => {
    const { clock, payments } = setUp();
    const check = health({ policies: [payments], critical: ['payments'] });
    await fail(payments);
    const seen = [check().status];
    await clock.advance(10_000);
    seen.push(check().status);
    expect(payments.state).toBe('open');
    await fail(payments);
    seen.push(check().status);
    await clock.advance(10_000);
    await pass(payments);
    expect(payments.state).toBe('half-open');
    seen.push(check().status);
    await pass(payments);
    seen.push(check().status);
    expect(seen).toEqual(['unavailable', 'degraded', 'unavailable', 'degraded', 'ok']);
  });

  test('of one forced open it is told when that expires, as its refusals tell it, not when a covered sleep ends', async () => {
    const { payments } = setUp();
    const ready = health({ policies: [payments], critical: ['payments'] });
    const told = () => [ready().breakers[0]?.retryAfterMs, ready.fetch({ method: 'GET' }).headers.get('retry-after')];
    await fail(payments);
    payments.forceOpen({ expiresInMs: 1_800_000 });
    expect(told()).toEqual([1_800_000, '1800']);
    payments.forceOpen();
    expect(told()).toEqual([undefined, null]);
    payments.release();
    expect(told()).toEqual([10_000, '10']);
  });

  test('S3: reading changes nothing', async () => {
    const { clock, payments } = setUp();
    const hosts = registry({ name: 'hosts', clock, defaults: { failureThreshold: 1 }, parent: { threshold: 0.5 } });
    const check = health({ policies: [payments, hosts], critical: ['payments', 'hosts'] });
    await fail(payments);
    await fail(hosts);
    await clock.advance(60_000);
    const before = JSON.stringify([payments, hosts, payments.metrics(), hosts.metrics()]);
    for (let i = 0; i < 3; i++) check();
    expect(JSON.stringify([payments, hosts, payments.metrics(), hosts.metrics()])).toBe(before);
  });

  test('what people set counts as what it does to calls', () => {
    const { payments } = setUp();
    const check = health({ policies: [payments], critical: ['payments'] });
    const told = (set: () => void) => {
      set();
      return [payments.state, check().status];
    };
    expect([
      told(() => payments.forceOpen({ by: 'ana', reason: 'vendor incident' })),
      told(() => payments.forceClosed()),
      told(() => payments.disable()),
      told(() => payments.observeOnly()),
    ]).toEqual([
      ['forced-open', 'unavailable'],
      ['forced-closed', 'ok'],
      ['disabled', 'ok'],
      ['observe-only', 'ok'],
    ]);
    payments.forceOpen({ by: 'ana', reason: 'vendor incident' });
    expect(check().breakers[0]?.why).toMatch(/^forced-open by ana \(vendor incident\)/);
  });

  test('one that is drained or disposed refuses every call, whatever its state: critical it takes the instance out', async () => {
    const { clock, payments, search } = setUp();
    const check = health({ policies: [payments, search], critical: ['payments'] });
    search.dispose();
    expect(check()).toMatchObject({
      status: 'degraded',
      breakers: [{ status: 'ok' }, { state: 'closed', ending: 'disposed', why: 'disposed: every call is refused' }],
    });
    const work = payments.execute(() => new Promise<void>((resolve) => void clock.setTimeout(resolve, 100)));
    payments.disable();
    const drained = payments.drain();
    expect(check()).toMatchObject({
      status: 'unavailable',
      breakers: [
        { state: 'disabled', ending: 'draining', why: 'draining: calls at work end, new ones are refused' },
        {},
      ],
    });
    await clock.advance(100);
    await Promise.all([work, drained]);
    expect(check()).toMatchObject({ status: 'unavailable', breakers: [{ ending: 'disposed' }, {}] });
    await expect(pass(payments)).rejects.toThrow('disposed');
  });

  test('of one that is gone no next probe is told', async () => {
    const { payments } = setUp();
    await fail(payments);
    payments.dispose();
    const check = health({ policies: [payments], critical: ['payments'] });
    expect(check().breakers[0]).not.toHaveProperty('retryAfterMs');
    const { status, headers } = check.fetch(new Request('http://x'));
    expect([status, headers.get('retry-after')]).toEqual([503, null]);
  });

  test('while it admits but a share of the calls after an outage it is degraded', async () => {
    const clock = manualClock();
    const ramped = circuitBreaker({
      name: 'ramped',
      clock,
      failureThreshold: 1,
      successThreshold: 1,
      sleepWindowMs: 1_000,
      recovery: { rampMs: 5_000 },
    });
    const check = health({ policies: [ramped], critical: ['ramped'] });
    await fail(ramped);
    await clock.advance(1_000);
    await pass(ramped);
    expect([ramped.state, check().status]).toEqual(['closed', 'degraded']);
    await clock.advance(5_000);
    expect(check().status).toBe('ok');
  });
});

describe('health of a registry', () => {
  const hostsWith = (parent?: { threshold: number; minimumOpen: number }) => {
    const clock = manualClock();
    const defaults = { failureThreshold: 1, sleepWindowMs: 10_000 };
    return { clock, hosts: registry({ name: 'hosts', clock, defaults, ...(parent && { parent }) }) };
  };

  test('one host that is down degrades; the parent that is open makes unavailable', async () => {
    const { hosts } = hostsWith({ threshold: 0.5, minimumOpen: 2 });
    const check = health({ policies: [hosts], critical: ['hosts'] });
    for (const host of ['a', 'b', 'c']) await pass(hosts, host);
    await fail(hosts, 'a');
    expect(check()).toMatchObject({
      status: 'degraded',
      breakers: [{ name: 'hosts', state: 'closed', states: { closed: 2, open: 1 }, refusing: 1 }],
    });
    await fail(hosts, 'b');
    const { status, breakers } = check();
    expect(status).toBe('unavailable');
    expect(breakers[0]).toMatchObject({ state: 'open', retryAfterMs: 30_000 });
    expect(breakers[0]?.why).toContain('over all of them: open');
  });

  test('one that is drained or disposed is down if it is critical, with a parent or without, with keys or without', async () => {
    const [over, alone] = [hostsWith({ threshold: 0.5, minimumOpen: 2 }).hosts, hostsWith().hosts];
    const check = (hosts: typeof over) =>
      health({ policies: [hosts], critical: [{ name: 'hosts', openShare: 0.5 }] })();
    let end = (): void => {};
    const work = over.execute(() => new Promise<void>((resolve) => (end = resolve)), { key: 'a' });
    const drained = over.drain();
    expect(check(over)).toMatchObject({ status: 'unavailable', breakers: [{ ending: 'draining', state: 'closed' }] });
    end();
    await Promise.all([work, drained]);
    expect(check(over)).toMatchObject({ status: 'unavailable', breakers: [{ ending: 'disposed', refusing: 1 }] });
    expect(health({ policies: [alone] })().status).toBe('ok');
    alone.dispose();
    expect(check(alone)).toMatchObject({ status: 'unavailable', breakers: [{ ending: 'disposed', refusing: 0 }] });
    expect(health({ policies: [alone] })().status).toBe('degraded');
  });

  test('from the share on that was given it is unavailable, as long as those refuse', async () => {
    const { clock, hosts } = hostsWith();
    const check = health({ policies: [hosts], critical: [{ name: 'hosts', openShare: 0.5 }] });
    expect(check().status).toBe('ok');
    for (const host of ['a', 'b', 'c', 'd']) await pass(hosts, host);
    await fail(hosts, 'a');
    expect(check().status).toBe('degraded');
    await fail(hosts, 'b');
    expect(check().status).toBe('unavailable');
    await clock.advance(10_000);
    expect(check()).toMatchObject({ status: 'degraded', breakers: [{ refusing: 0 }] });
  });
});

describe('the handlers of health', () => {
  class Answer {
    statusCode = 0;
    readonly headers: Record<string, string> = {};
    body: string | undefined;
    setHeader(name: string, value: string): void {
      this.headers[name] = value;
    }
    end(body?: string): void {
      this.body = body;
    }
  }
  const asked = (handler: ReturnType<typeof health>['handler'], method?: string): Answer => {
    const response = new Answer();
    handler({ method }, response);
    return response;
  };

  test('200 as long as it serves, 503 with the time to come back when not', async () => {
    const { clock, payments, search } = setUp();
    const check = health({ policies: [payments, search], critical: ['payments'] });
    await fail(search);
    expect(asked(check.handler)).toMatchObject({
      statusCode: 200,
      headers: { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' },
    });
    await fail(payments);
    await clock.advance(500);
    const { statusCode, headers, body } = asked(check.handler, 'GET');
    expect([statusCode, headers['retry-after']]).toEqual([503, '10']);
    expect(JSON.parse(body ?? '')).toEqual(check());

    const response = check.fetch(new Request('http://x/readyz'));
    expect([response.status, response.headers.get('cache-control')]).toEqual([503, 'no-store']);
    expect(await response.json()).toEqual(check());
  });

  test('HEAD gets no body, anything that would write gets 405', async () => {
    const check = health({ policies: [] });
    expect(asked(check.handler, 'HEAD')).toMatchObject({ statusCode: 200, body: undefined });
    expect(asked(check.handler, 'POST')).toMatchObject({ statusCode: 405, headers: { allow: 'GET, HEAD' } });
    expect(await check.fetch(new Request('http://x', { method: 'HEAD' })).text()).toBe('');
    expect(check.fetch({ method: 'DELETE' }).status).toBe(405);
  });
});

test('bad input gets one clear error', () => {
  const { payments } = setUp();
  const hosts = registry({ name: 'hosts' });
  expect(() => health({ policies: [payments], critical: ['payment'] })).toThrow(
    "critical names 'payment', which is none",
  );
  expect(() => health({ policies: [hosts], critical: ['hosts'] })).toThrow(
    "'hosts' has no parent: say from which openShare",
  );
  expect(() => health({ policies: [payments], critical: [{ name: 'payments', openShare: 0.5 }] })).toThrow(
    'openShare is for',
  );
  expect(() => health({ policies: [{}], critical: [1] } as never)).toThrow(
    /policies must be a circuit breaker or a registry with .*; critical must be an object, got 1/,
  );
});
