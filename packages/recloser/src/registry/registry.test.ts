import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { getEventListeners } from 'node:events';
import {
  bulkhead,
  consecutiveFailures,
  lastGood,
  pipeline,
  type Registry,
  type RegistryOptions,
  registry,
  timeout,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, stateOf, succeed } from '../../../../test/support/calls.ts';

function setUp(options: RegistryOptions = {}): { services: Registry; clock: ManualClock } {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  return { services: registry({ name: 'services', clock, ...options, defaults }), clock };
}

describe('breakers by name', () => {
  test('are made when they are first asked for, each its own, under its name', async () => {
    const { services } = setUp();
    expect([services.size, services.peek('a')]).toEqual([0, undefined]);
    const a = services.get('a');
    expect([services.get('a'), services.peek('a'), a.name]).toEqual([a, a, 'a']);
    await fail(a);
    expect([a.state, services.get('b').state, services.size]).toEqual(['open', 'closed', 2]);
    expect(await rejection(succeed(a))).toMatchObject({
      message: 'a: the circuit is open: 1 consecutive failure (Error ×1)',
    });
  });

  test('are made with the defaults, and over them with what matches their name: of several the later wins', async () => {
    const { services } = setUp({
      defaults: { failureThreshold: 2, timeoutMs: 100 },
      overrides: [
        { match: 'a', options: { failureThreshold: 3 } },
        { match: /^a/g, options: { timeoutMs: 200 } },
        { match: (name) => name.length > 1, options: { timeoutMs: 300, trip: consecutiveFailures(4) } },
      ],
    });
    const opensAt = async (name: string) => {
      for (let i = 1; ; i++) {
        await fail(services.get(name));
        if (services.get(name).state === 'open') return i;
      }
    };
    const limitOf = (name: string) => services.get(name).execute(({ timeLeftMs }) => timeLeftMs);
    for (const [name, timeoutMs, failures] of [
      ['b', 100, 2],
      ['a', 200, 3],
      ['ab', 300, 4],
      ['az', 300, 4],
    ] as const) {
      expect([name, await limitOf(name), await opensAt(name)]).toEqual([name, timeoutMs, failures]);
    }
  });

  test('a pattern that throws matches nothing and is reported', async () => {
    const reports: unknown[] = [];
    const broken = () => {
      throw new Error('broken');
    };
    const { services } = setUp({
      overrides: [{ match: broken, options: { timeoutMs: 1 } }],
      onListenerError: (error, event) => reports.push([String(error), event]),
    });
    expect(await services.get('a').execute(({ timeLeftMs }) => timeLeftMs)).toBe(Infinity);
    expect(reports).toEqual([['Error: broken', 'match']]);
  });

  test('come in the order of use, the newest last', () => {
    const { services } = setUp();
    for (const name of ['a', 'b', 'c', 'a']) services.get(name);
    expect([...services].map(([name, breaker]) => [name, breaker.name])).toEqual([
      ['b', 'b'],
      ['c', 'c'],
      ['a', 'a'],
    ]);
  });

  test('share nothing but their options', async () => {
    const { services } = setUp({ defaults: { fallback: lastGood(), maxConcurrent: 1 } });
    await services.execute(() => 'of a', { key: 'a' });
    expect(await rejection(services.execute(() => Promise.reject(new Error('x')), { key: 'b' }))).toMatchObject({
      message: 'x',
    });
    const call = hold(services.get('a'));
    expect(await services.execute(() => 1, { key: 'c' })).toBe(1);
    call.resolve();
    services.get('c').update({ maxConcurrent: 5, failureThreshold: 7 });
    expect([services.get('a').name, services.get('c').name]).toEqual(['a', 'c']);
    await fail(services.get('c'));
    await rejection(services.get('a').execute(() => Promise.reject(new Error('x')), { key: 'none' }));
    expect([services.get('a').state, services.get('c').state]).toEqual(['open', 'closed']);
  });
});

describe('as a policy', () => {
  test('a call runs under the breaker of its key, as it would there', async () => {
    const { services } = setUp();
    const seen = await services.execute(({ key, context }) => [key, context], { key: 'a', context: 7 });
    expect(seen).toEqual(['a', 7]);
    await rejection(services.execute(() => Promise.reject(new Error('down')), { key: 'a' }));
    expect(await services.execute(() => 1, { key: 'a', fallback: 'instead' })).toBe('instead');
    expect(services.get('a').metrics()).toMatchObject({ totalRequests: 3, fallbackRequests: 1, rejectedRequests: 1 });
    expect(services.peek('b')).toBeUndefined();
  });

  test('a call that was aborted before it began is not made, and one that is aborted later leaves no listener', async () => {
    const { services } = setUp();
    let called = 0;
    const early = services.execute(() => called++, { key: 'a', signal: AbortSignal.abort('early') });
    expect(await rejection(early)).toBe('early');
    const controller = new AbortController();
    const late = services.execute(() => new Promise(() => {}), { key: 'a', signal: controller.signal });
    controller.abort('late');
    expect(await rejection(late)).toBe('late');
    expect([called, getEventListeners(controller.signal, 'abort').length]).toEqual([0, 0]);
  });

  test('inside a pipeline it takes the key of the call', async () => {
    const { services, clock } = setUp({ overrides: [{ match: 'slow', options: { timeoutMs: 5_000 } }] });
    const limiter = bulkhead({ maxConcurrent: 1, clock });
    const policy = pipeline(timeout({ timeoutMs: 9_000, clock }), services, limiter);
    expect(await policy.execute(({ timeLeftMs }) => timeLeftMs, { key: 'slow' })).toBe(5_000);
    expect(await policy.execute(({ timeLeftMs }) => timeLeftMs, { key: 'quick' })).toBe(9_000);
    const call = rejection(policy.execute(() => new Promise(() => {}), { key: 'slow' }));
    expect(await rejection(policy.execute(() => 1, { key: 'quick' }))).toMatchObject({ code: 'ERR_BULKHEAD_FULL' });
    await clock.advance(5_000);
    expect(await call).toMatchObject({ name: 'TimeoutError', breaker: 'slow' });
    expect([services.get('slow').state, services.get('quick').state]).toEqual(['open', 'closed']);
    expect(await rejection(pipeline(services).execute(() => 1))).toBeInstanceOf(TypeError);
  });

  test('its place in a pipeline is judged like a breaker’s', () => {
    const warnings: string[] = [];
    const { services } = setUp();
    const chaos = Object.assign(timeout(1), { kind: 'chaos' });
    pipeline({ onWarning: (warning) => warnings.push(warning) }, chaos, services);
    expect(warnings).toEqual([expect.stringContaining('chaos around circuit breaker')]);
  });

  test('a wrapped function says by its arguments whose call it is', async () => {
    const { services } = setUp();
    const load = services.wrap(
      async (host: string, path: string) => {
        if (host === 'bad') throw new Error(path);
        return `${host}${path}`;
      },
      (host) => host,
    );
    expect(await load('good', '/1')).toBe('good/1');
    expect(await rejection(load('bad', '/2'))).toMatchObject({ message: '/2' });
    expect([services.get('good').state, services.get('bad').state]).toEqual(['closed', 'open']);
    const broken = services.wrap(
      async () => 1,
      () => {
        throw new Error('no key');
      },
    );
    expect(await rejection(broken())).toMatchObject({ message: 'no key' });
  });
});

describe('the end', () => {
  test('after dispose every call is refused, also of keys that are new', async () => {
    const { services } = setUp({ parent: {} });
    await succeed(services.get('a'));
    services.dispose();
    for (const key of ['a', 'new']) {
      expect(await rejection(services.execute(() => 1, { key }))).toMatchObject({ reason: 'disposed' });
    }
    expect(services.peek('new')).toBeUndefined();
  });

  test('is told once, however often it is asked for', async () => {
    const { services } = setUp();
    const told: unknown[] = [];
    const hear = (message: unknown): void => {
      if ((message as { policy: unknown }).policy === services) told.push(message);
    };
    subscribe('recloser:policy:disposed', hear);
    services.dispose();
    services.dispose();
    await services.drain();
    unsubscribe('recloser:policy:disposed', hear);
    expect(told).toHaveLength(1);
  });

  test('drain refuses new calls and waits for those in flight', async () => {
    const { services } = setUp();
    const call = hold(services.get('a'));
    services.get('b');
    const drained = services.drain();
    for (const key of ['a', 'b', 'new']) {
      expect(await rejection(services.execute(() => 1, { key }))).toMatchObject({ reason: 'disposed' });
    }
    expect(await stateOf(drained)).toBe('pending');
    call.resolve('ended well');
    expect(await call.result).toBe('ended well');
    await drained;
  });

  test('drain waits also for those in flight of a breaker that was taken out, whoever else does', async () => {
    const { services } = setUp();
    const a = services.get('a');
    const call = hold(a);
    services.delete('a');
    const drained = [services.drain(), a.drain()];
    expect(await stateOf(Promise.race(drained))).toBe('pending');
    call.resolve();
    await Promise.all(drained);
    expect(services.metrics()).toMatchObject({ totalRequests: 1, successfulRequests: 1 });
  });
});
