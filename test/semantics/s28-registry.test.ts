import {
  type CircuitBreaker,
  fallback,
  pipeline,
  type Registry,
  type RegistryOptions,
  RejectedError,
  registry,
  timeout,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, succeed } from '../support/calls.ts';

/** Members open on their first failure and sleep for a second. */
function setUp(options: RegistryOptions = {}): {
  services: Registry;
  clock: ManualClock;
  log: string[];
} {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, successThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  const services = registry({ name: 'services', clock, maxEntries: 2, ...options, defaults });
  const log: string[] = [];
  for (const event of ['added', 'evicted', 'removed'] as const) {
    services.on(event, ({ name, size }) => log.push(`${event} ${name} ${size}`));
  }
  return { services, clock, log };
}

/** From the one out of use the longest. */
const kept = (services: Registry): string[] =>
  [...services].map(([name]) => name).filter((name) => name !== '_overflow');
const open = (services: Registry, name: string): Promise<unknown> => fail(services.get(name));

describe('a bounded registry', () => {
  test('S28: one that is needed makes room by evicting the one out of use the longest, and tells so', () => {
    const { services, log } = setUp();
    services.get('a');
    services.get('b');
    services.get('a');
    services.get('c');
    expect(kept(services)).toEqual(['a', 'c']);
    expect(log).toEqual(['added a 1', 'added b 2', 'evicted b 1', 'added c 2']);
  });

  test('S28: a call is a use, looking is none', async () => {
    const { services } = setUp();
    services.get('a');
    services.get('b');
    await services.execute(() => 1, { key: 'a' });
    services.peek('b');
    services.metrics();
    services.explain();
    JSON.stringify(services);
    expect(services.peek('c')).toBeUndefined();
    services.get('c');
    expect(kept(services)).toEqual(['a', 'c']);
  });

  test('S28: one that is open or half-open is passed over', async () => {
    const { services, clock } = setUp();
    await open(services, 'open');
    services.get('b');
    services.get('c');
    expect(kept(services)).toEqual(['open', 'c']);
    await clock.advance(1_000);
    const probe = hold(services.get('open'));
    services.get('c');
    services.get('d');
    expect(services.peek('open')?.state).toBe('half-open');
    expect(kept(services).sort()).toEqual(['d', 'open']);
    probe.resolve();
    await probe.result;
    services.get('e');
    services.get('f');
    expect(kept(services)).toEqual(['e', 'f']);
  });

  test('S28: one with calls in flight is passed over until they end', async () => {
    const { services } = setUp();
    const call = hold(services.get('a'));
    const permit = services.get('b').acquire();
    expect(services.get('c').name).toBe('_overflow');
    permit?.success();
    services.get('c');
    expect(kept(services)).toEqual(['a', 'c']);
    call.resolve();
    await call.result;
    services.get('d');
    expect(kept(services)).toEqual(['c', 'd']);
  });

  test('S28: one whose work outlives its call is passed over while it holds its place', async () => {
    const { services, clock } = setUp({
      maxEntries: 1,
      defaults: { timeoutMs: 100, maxConcurrent: 5, failureThreshold: 9 },
    });
    const call = hold(services.get('a'));
    await clock.advance(100);
    expect(services.get('b').name).toBe('_overflow');
    call.resolve();
    await clock.advance(0);
    expect(services.get('b').name).toBe('b');
  });

  test.each(['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const)(
    'S28: one that was set by %s is passed over until it is released',
    (set) => {
      const { services } = setUp({ maxEntries: 1 });
      services.get('a')[set]({ reason: 'maintenance' });
      expect(services.get('b').name).toBe('_overflow');
      services.peek('a')?.release();
      expect(services.get('b').name).toBe('b');
    },
  );

  test('S28: a forced state that has expired protects no longer, although nobody was told', async () => {
    const { services, clock } = setUp({ maxEntries: 10 });
    for (let i = 0; i < 10; i++) services.get(`key ${i}`).forceOpen({ expiresInMs: 500 });
    expect(services.get('b').name).toBe('_overflow');
    await clock.advance(500);
    expect(services.get('b').name).toBe('b');
  });

  test('S28: one that is recovering is passed over until all its calls pass', async () => {
    const { services, clock } = setUp({ maxEntries: 1, defaults: { recovery: { rampMs: 500 } } });
    await open(services, 'a');
    await clock.advance(1_000);
    await succeed(services.get('a'));
    expect(services.peek('a')?.state).toBe('closed');
    expect(services.get('b').name).toBe('_overflow');
    await clock.advance(500);
    expect(services.get('b').name).toBe('b');
  });

  test('S28: begun observe-only, one that is still so may go, one that was armed may not', () => {
    const { services } = setUp({ defaults: { start: 'observe-only' } });
    services.get('armed').release();
    services.get('b');
    services.get('c');
    expect(kept(services)).toEqual(['armed', 'c']);
    expect(services.peek('c')?.state).toBe('observe-only');
  });

  test.each<[string, (breaker: CircuitBreaker) => void]>([
    ['by somebody', (breaker) => breaker.observeOnly({ by: 'ann' })],
    ['for a reason', (breaker) => breaker.observeOnly({ reason: 'trial' })],
    ['for a while', (breaker) => breaker.observeOnly({ expiresInMs: 1_000 })],
    ['to another state', (breaker) => breaker.disable()],
  ])('S28: begun observe-only, one that was set again may not go: %s', (_how, set) => {
    const { services } = setUp({ maxEntries: 1, defaults: { start: 'observe-only' } });
    set(services.get('a'));
    expect(services.get('b').name).toBe('_overflow');
  });

  test('S28: a call that was begun while disabled is a call in flight', async () => {
    const { services } = setUp({ maxEntries: 1 });
    services.get('a').disable();
    const call = hold(services.get('a'));
    services.get('a').release();
    expect(services.get('b').name).toBe('_overflow');
    call.resolve();
    await call.result;
    expect(services.get('b').name).toBe('b');
  });

  test('S28: of many that were passed over sixteen are looked at again each time, and all in turn', async () => {
    const { services } = setUp({ maxEntries: 100 });
    for (let i = 0; i < 100; i++) services.get(`key ${i}`).forceOpen();
    services.peek('key 0')?.reset();
    expect(services.get('a').name).toBe('a');
    expect(services.peek('key 0')).toBeUndefined();
    services.get('a').forceOpen();
    services.get('b');
    services.peek('key 98')?.reset();
    const names = Array.from({ length: 7 }, (_, i) => services.get(`new ${i}`).name);
    expect(names.filter((name) => name !== '_overflow')).toHaveLength(1);
    expect(services.peek('key 98')).toBeUndefined();
  });

  test('S28: one that closes by hand may go from then on', async () => {
    const { services } = setUp();
    await open(services, 'a');
    await open(services, 'b');
    expect(services.get('c').name).toBe('_overflow');
    services.peek('b')?.reset();
    services.get('c');
    expect(kept(services)).toEqual(['a', 'c']);
  });

  test('S28: when all are protected new keys share one overflow breaker', async () => {
    const { services, log } = setUp();
    await open(services, 'a');
    await open(services, 'b');
    const overflow = services.get('c');
    expect(services.get('d')).toBe(overflow);
    expect(services.peek('_overflow')).toBe(overflow);
    expect(services.get('_overflow')).toBe(overflow);
    expect([overflow.name, services.size]).toEqual(['_overflow', 3]);
    expect(log).toEqual(['added a 1', 'added b 2', 'added _overflow 3']);
    await services.execute(() => 1, { key: 'e' });
    expect(overflow.metrics().successfulRequests).toBe(1);
    // It takes part in everything.
    expect([...services].map(([name]) => name)).toEqual(['_overflow', 'a', 'b']);
    expect(services.metrics()).toMatchObject({ overflowed: 4, states: { open: 2, closed: 1 } });
    expect([services.delete('_overflow'), services.delete('_overflow'), services.size]).toEqual([true, false, 2]);
    expect(log.at(-1)).toBe('removed _overflow 2');
    expect(services.metrics()).toMatchObject({ successfulRequests: 1, states: { open: 2 } });
  });

  test('S28: what was evicted begins anew when it is needed again', async () => {
    const { services } = setUp({ maxEntries: 1, defaults: { failureThreshold: 2 } });
    await open(services, 'a');
    services.get('b');
    expect(services.get('a').metrics()).toMatchObject({ state: 'closed', totalRequests: 0 });
  });

  test('S28: one that is held beyond its eviction goes on, but is no part of the registry', async () => {
    const { services, log } = setUp({ maxEntries: 1 });
    const told: string[] = [];
    services.on('opened', ({ breaker }) => told.push(breaker));
    const held = services.get('a');
    services.get('b');
    await fail(held);
    expect([held.state, told, log.length]).toEqual(['open', [], 3]);
  });

  test('S28: one that is taken out makes room, whatever its state', async () => {
    const { services, log } = setUp({ maxEntries: 1 });
    await open(services, 'a');
    expect([services.delete('a'), services.delete('a'), services.size]).toEqual([true, false, 0]);
    expect(services.get('b').name).toBe('b');
    expect(log).toEqual(['added a 1', 'removed a 0', 'added b 1']);
  });

  test('S28: listeners may ask for breakers, even for the one that is just gone: its place is theirs', () => {
    const { services, log } = setUp({ maxEntries: 1 });
    services.get('a');
    let asked = false;
    services.on('evicted', ({ name }) => {
      if (asked) return;
      asked = true;
      services.get(name);
    });
    expect(services.get('b').name).toBe('_overflow');
    expect(kept(services)).toEqual(['a']);
    expect(log).toEqual(['added a 1', 'evicted a 0', 'added a 1', 'added _overflow 2']);
  });

  test('S28: without a word on it 10,000 are kept', () => {
    const services = registry();
    for (let i = 0; i < 10_001; i++) services.get(`key ${i}`);
    expect(services.metrics()).toMatchObject({
      size: 10_000,
      maxEntries: 10_000,
      evicted: 1,
      states: { closed: 10_000 },
    });
    expect(services.peek('key 0')).toBeUndefined();
  });
});

describe('hostile keys', () => {
  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', '', ' ', '💥', '\u0000', '\ud800'])(
    'S28: %j is a key like any other',
    async (key) => {
      const { services } = setUp();
      await open(services, key);
      expect([services.get(key).state, services.get('other').state]).toEqual(['open', 'closed']);
      expect(services.get(key).name).toBe(key);
      const again = registry({ restore: JSON.parse(JSON.stringify(services)) });
      expect([again.peek(key)?.state, again.size]).toEqual(['open', 2]);
      expect(({} as Record<string, unknown>).state).toBeUndefined();
    },
  );

  test('S28: keys of more than 1,024 characters share the overflow breaker', () => {
    const { services } = setUp();
    expect(services.get('x'.repeat(1_024)).name).toHaveLength(1_024);
    expect(services.get('x'.repeat(1_025)).name).toBe('_overflow');
    expect(services.get('y'.repeat(1_000_000)).name).toBe('_overflow');
    expect([...services].map(([name]) => name.length)).toEqual([9, 1_024]);
  });

  test.each([undefined, null, 1, Symbol.iterator, {}, ['a']])('S28: %j is no key', async (key) => {
    const { services } = setUp();
    let called = 0;
    const call = services.execute(() => called++, { key: key as never });
    expect(await rejection(call)).toEqual(expect.objectContaining({ name: 'TypeError' }));
    expect(() => services.get(key as never)).toThrow(/services: a key must be a string/);
    expect([called, services.size]).toEqual([0, 0]);
  });

  test('S28: a call without options has no key', async () => {
    const { services } = setUp();
    expect(await rejection(services.execute(() => 1))).toBeInstanceOf(TypeError);
  });

  test('S27: a call without a key is a mistake that no fallback of its own or of the breakers answers, but a policy around does', async () => {
    const { services } = setUp({ defaults: { fallback: 'of all' } });
    const own = { fallback: 'instead' };
    for (const policy of [services, pipeline(services), pipeline(services, timeout(1_000))]) {
      expect(await rejection(policy.execute(() => 1, own))).toBeInstanceOf(TypeError);
      expect(await rejection(policy.execute(() => 1))).toBeInstanceOf(TypeError);
    }
    expect(await pipeline(fallback('around'), services).execute(() => 1)).toBe('around');
    expect(await pipeline(timeout(1_000), services).execute(() => 1, own)).toBe('instead');
    expect(services.metrics()).toMatchObject({ size: 0, totalRequests: 0, fallbackRequests: 0 });
  });
});

describe('one part’s outage', () => {
  test('S28: stays that part’s', async () => {
    const { services } = setUp({ maxEntries: 100 });
    await rejection(services.execute(() => Promise.reject(new Error('down')), { key: 'shard 1' }));
    const refused = await rejection(services.execute(() => 1, { key: 'shard 1' }));
    expect(refused).toBeInstanceOf(RejectedError);
    expect(refused).toMatchObject({ breaker: 'shard 1', reason: 'open' });
    expect(await services.execute(() => 1, { key: 'shard 2' })).toBe(1);
  });
});
