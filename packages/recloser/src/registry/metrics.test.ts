import { type Registry, type RegistryOptions, registry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, succeed } from '../../../../test/support/calls.ts';

function setUp(options: RegistryOptions = {}): { services: Registry; clock: ManualClock } {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  return { services: registry({ name: 'services', clock, ...options, defaults }), clock };
}

describe('metrics', () => {
  test('count breakers by state and add up their calls, those that are gone included', async () => {
    const { services } = setUp({ maxEntries: 3 });
    await services.execute(() => 1, { key: 'a' });
    await fail(services.get('b'));
    await rejection(succeed(services.get('b')));
    services.get('c').forceOpen();
    await rejection(succeed(services.get('c')));
    const call = hold(services.get('d'));
    expect(services.metrics()).toMatchObject({
      name: 'services',
      size: 3,
      evicted: 1,
      overflowed: 0,
      states: { open: 1, 'forced-open': 1, closed: 1 },
      totalRequests: 5,
      successfulRequests: 1,
      failedRequests: 1,
      rejectedRequests: 2,
      inFlight: 1,
      lastFailureTime: expect.any(Number),
    });
    services.delete('d');
    const states = { open: 1, 'forced-open': 1 };
    expect(services.metrics()).toMatchObject({ size: 2, states, totalRequests: 5, inFlight: 1, evicted: 1 });
    call.resolve();
    await call.result;
    expect(services.metrics()).toMatchObject({ totalRequests: 5, successfulRequests: 2, inFlight: 0 });
  });

  test('count what one that was taken out has in flight as it ends, and no call that begins there afterwards', async () => {
    const { services } = setUp({ defaults: { fallback: 'instead' } });
    const a = services.get('a');
    const calls = [hold(a), hold(a)];
    services.delete('a');
    await succeed(services.get('a'));
    calls[0]?.resolve();
    await calls[0]?.result;
    expect(services.metrics()).toMatchObject({ totalRequests: 3, successfulRequests: 2, inFlight: 1 });
    calls[1]?.reject();
    expect(await calls[1]?.result).toBe('instead');
    const ended = { totalRequests: 3, failedRequests: 1, fallbackRequests: 1, inFlight: 0 };
    expect(services.metrics()).toMatchObject(ended);
    await succeed(a);
    expect(services.metrics()).toMatchObject(ended);
  });

  test('count the fallback of a call whose failure is why its breaker is taken out', async () => {
    const { services } = setUp({ defaults: { fallback: 'instead' } });
    services.on('failed', ({ breaker }) => void services.delete(breaker));
    expect(await services.execute(() => Promise.reject(new Error('down')), { key: 'a' })).toBe('instead');
    expect(services.metrics()).toMatchObject({ size: 0, failedRequests: 1, fallbackRequests: 1, totalRequests: 1 });
  });

  test('count a call that one that was taken out admits as soon as its last has ended', async () => {
    const { services } = setUp();
    const a = services.get('a');
    const first = a.acquire();
    services.delete('a');
    first?.success();
    const second = a.acquire();
    await Promise.resolve();
    expect(services.metrics()).toMatchObject({ totalRequests: 2, successfulRequests: 1, inFlight: 1 });
    second?.success();
    await Promise.resolve();
    expect(services.metrics()).toMatchObject({ totalRequests: 2, successfulRequests: 2, inFlight: 0 });
  });

  test('add up what was ignored, and say when any of them failed last', async () => {
    const { services } = setUp({ defaults: { classify: ({ error }) => (error === 'mine' ? 'ignored' : undefined) } });
    await rejection(services.execute(() => Promise.reject('mine'), { key: 'a' }));
    expect(services.metrics()).toMatchObject({ totalRequests: 1, ignoredRequests: 1, lastFailureTime: undefined });
    await fail(services.get('b'));
    services.get('c');
    const { lastFailureTime } = services.get('b').metrics();
    expect(services.metrics()).toMatchObject({ totalRequests: 2, lastFailureTime });
    expect(lastFailureTime).toBeGreaterThan(0);
  });

  test('name none that is closed', async () => {
    const { services } = setUp();
    services.get('closed');
    await fail(services.get('open'));
    expect(services.metrics().troubled.map(({ name }) => name)).toEqual(['open']);
  });

  test('name the ten that refused most of those that are not closed', async () => {
    const { services } = setUp();
    for (let i = 0; i < 12; i++) {
      const service = services.get(`s${i}`);
      await fail(service);
      for (let n = 0; n < i; n++) await rejection(succeed(service));
    }
    services.get('closed');
    const { troubled } = services.metrics();
    expect(troubled.map(({ name, rejectedRequests }) => [name, rejectedRequests])).toEqual(
      [11, 10, 9, 8, 7, 6, 5, 4, 3, 2].map((n) => [`s${n}`, n]),
    );
    expect(troubled[0]).toEqual(services.get('s11').metrics());
  });

  test('S3: reading changes nothing', async () => {
    const { services, clock } = setUp({ parent: { minimumOpen: 1 } });
    await fail(services.get('a'));
    await clock.advance(1_000);
    const before = JSON.stringify([services, services.metrics(), services.explain()]);
    for (let i = 0; i < 3; i++) {
      expect(JSON.stringify([services, services.metrics(), services.explain()])).toBe(before);
    }
    expect(services.get('a').state).toBe('open');
  });

  test('explain says how many there are, and in which states', async () => {
    const { services } = setUp();
    expect(services.explain()).toBe('0 breakers');
    services.get('a');
    expect(services.explain()).toBe('1 breaker: 1 closed');
  });
});
