import {
  type CircuitBreaker,
  CircuitOpenError,
  type ParentOptions,
  type Registry,
  type RegistryOptions,
  registry,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { hold, rejection } from '../support/calls.ts';

interface Shards {
  readonly shards: Registry;
  readonly parent: CircuitBreaker;
  readonly clock: ManualClock;
  readonly ok: (...keys: string[]) => Promise<void>;
  readonly down: (...keys: string[]) => Promise<void>;
}

/** Shards open on their first failure for a minute; the parent, when half of at least two are, for ten seconds. */
function setUp(parent: ParentOptions = {}, options: RegistryOptions = {}): Shards {
  const clock = manualClock();
  const shards = registry({
    name: 'shards',
    clock,
    ...options,
    defaults: { failureThreshold: 1, successThreshold: 1, sleepWindowMs: 60_000, ...options.defaults },
    parent: { threshold: 0.5, minimumOpen: 2, sleepWindowMs: 10_000, successThreshold: 1, ...parent },
  });
  const ok = async (...keys: string[]) => {
    for (const key of keys) await shards.execute(() => 1, { key });
  };
  const down = async (...keys: string[]) => {
    for (const key of keys) await rejection(shards.execute(() => Promise.reject(new Error('down')), { key }));
  };
  return { shards, parent: shards.parent as CircuitBreaker, clock, ok, down };
}

describe('the breaker over all keys', () => {
  test('S28: partial failure stays partial: below its share the rest goes on', async () => {
    const { parent, ok, down } = setUp();
    await ok('a', 'b', 'c', 'd', 'e');
    await down('a', 'b');
    expect(parent.state).toBe('closed');
    await ok('c', 'd', 'e');
    expect(parent.explain()).toBe('closed: 2 of 5 keys in use are open, opens at 50 %');
  });

  test('S28: … and says how many it takes at least, as long as there are fewer', async () => {
    const { parent, ok, down } = setUp();
    await ok('a');
    expect(parent.explain()).toBe('closed: 0 of 1 key in use is open, fewer than 2, opens at 50 %');
    await down('b');
    expect(parent.explain()).toBe('closed: 1 of 2 keys in use is open, fewer than 2, opens at 50 %');
  });

  test('S28: it opens when many keys are open, and says so', async () => {
    const { shards, parent, clock, ok, down } = setUp();
    await ok('a', 'b', 'c', 'd');
    await down('a', 'b');
    expect(parent.state).toBe('open');
    const refused = await rejection(shards.execute(() => 1, { key: 'c' }));
    expect(refused).toBeInstanceOf(CircuitOpenError);
    expect(refused).toMatchObject({
      breaker: 'shards',
      reason: 'open',
      retryAfterMs: 10_000,
      message: 'shards: the circuit is open: 2 of 4 keys in use are open (Error ×2)',
    });
    await clock.advance(4_000);
    const said = 'open for 4 s: 2 of 4 keys in use are open (Error ×2), next probe in 6 s';
    expect(parent.explain()).toBe(said);
    expect(shards.explain()).toBe(`4 breakers: 2 closed, 2 open; over all of them: ${said}`);
  });

  test('S28: few open keys are no reason, whatever their share', async () => {
    const { parent, down } = setUp({ minimumOpen: 3 });
    await down('a', 'b');
    expect(parent.state).toBe('closed');
    await down('c');
    expect(parent.state).toBe('open');
  });

  test('S28: it is the number of keys that counts, not of their failures or openings', async () => {
    const { shards, parent, ok } = setUp();
    await ok('a', 'b');
    const shard = shards.get('a');
    for (let i = 0; i < 5; i++) {
      shard.acquire()?.failure(new Error('down'));
      shard.reset();
      shard.acquire()?.failure(new Error('down'));
    }
    expect(parent.state).toBe('closed');
    expect(parent.metrics().window).toMatchObject({ rule: 'openKeyRate', failures: 1, calls: 2, value: 0.5 });
  });

  test('S28: a key is open until it has closed again, also while it is probed', async () => {
    const { shards, parent, clock, ok, down } = setUp({ windowMs: 600_000 }, { defaults: { sleepWindowMs: 1_000 } });
    await ok('a', 'b', 'c', 'd');
    await down('a');
    await clock.advance(1_000);
    const probe = shards.get('a').acquire();
    expect(shards.get('a').state).toBe('half-open');
    expect(parent.metrics().window).toMatchObject({ failures: 1, calls: 4 });
    probe?.success();
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 4 });
    await down('b');
    expect(parent.state).toBe('closed');
  });

  test('S28: its evidence is frozen, and stays as it was measured', async () => {
    const { shards, parent, ok, down } = setUp();
    const told: { evidence: object; why: string }[] = [];
    parent.on('opened', (transition) => told.push(transition));
    await ok('a', 'b', 'c');
    await down('a', 'b');
    shards.get('a').reset();
    await ok('d').catch(() => {});
    const [opened] = told;
    expect(opened?.why).toBe('2 of 3 keys in use are open, threshold 50 % (Error ×2)');
    expect(opened?.evidence).toEqual({
      rule: 'openKeyRate',
      value: 2 / 3,
      threshold: 0.5,
      calls: 3,
      failures: 2,
      windowMs: 60_000,
      topErrors: [{ name: 'Error', count: 2 }],
      lastError: { name: 'Error', message: 'down' },
      generation: 2,
      openForMs: 0,
    });
    expect(Object.isFrozen(opened?.evidence)).toBe(true);
    expect(parent.explain()).toContain('2 of 3 keys');
  });

  test('S28: a key that opened for slow calls is told by its rule', async () => {
    const { shards, parent } = setUp();
    const { slowCallRate } = await import('recloser');
    shards.update({
      defaults: { trip: slowCallRate({ threshold: 1, slowCallMs: 5, windowCalls: 1, minimumCalls: 1 }) },
    });
    for (const key of ['a', 'b']) shards.get(key).acquire()?.success(9);
    expect(parent.toJSON().evidence).toMatchObject({ topErrors: [{ name: 'slowCallRate', count: 2 }] });
  });

  test('S28: after its sleep one call is its probe, through the breaker of the call’s key', async () => {
    const { shards, parent, clock, ok, down } = setUp();
    await ok('a', 'b', 'c');
    await down('a', 'b');
    await clock.advance(10_000);
    // That of an open key refuses by itself: the parent is not even asked.
    expect(await rejection(shards.execute(() => 1, { key: 'a' }))).toMatchObject({ breaker: 'a' });
    expect(parent.state).toBe('open');
    const probe = hold(shards.get('c'));
    const through = shards.execute(() => 'through', { key: 'c' });
    probe.resolve();
    expect(await through).toBe('through');
    expect(parent.state).toBe('closed');
    expect(shards.get('a').state).toBe('open');
  });

  test('S28: a probe that fails opens it again, and others are refused meanwhile', async () => {
    const { shards, parent, clock, ok, down } = setUp({}, { defaults: { failureThreshold: 2 } });
    await ok('a', 'b', 'c', 'd');
    await down('a', 'a', 'b', 'b');
    await clock.advance(10_000);
    let fail = (): void => {};
    const probe = shards.execute(() => new Promise((_, reject) => (fail = () => reject(new Error('still')))), {
      key: 'c',
    });
    expect(await rejection(shards.execute(() => 1, { key: 'd' }))).toMatchObject({
      breaker: 'shards',
      reason: 'half-open',
    });
    fail();
    await rejection(probe);
    expect([parent.state, shards.get('c').state]).toEqual(['open', 'closed']);
  });

  test('S28: a hung probe can’t wedge it', async () => {
    const { shards, parent, clock, ok, down } = setUp({}, { defaults: { timeoutMs: 3_000 } });
    await ok('a', 'b', 'c');
    await down('a', 'b');
    await clock.advance(10_000);
    const probe = rejection(shards.execute(() => new Promise(() => {}), { key: 'c' }));
    await clock.advance(3_000);
    expect(await probe).toMatchObject({ name: 'TimeoutError', breaker: 'c' });
    expect(parent.state).toBe('open');
  });

  test('S28: closing begins anew: what is open then counts when it opens again', async () => {
    const { shards, parent, clock, ok, down } = setUp();
    await ok('a', 'b', 'c', 'd');
    await down('a', 'b');
    await clock.advance(10_000);
    await ok('c');
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 4 });
    // One that fails its own probe is no evidence that many do.
    await clock.advance(50_000);
    await ok('c', 'd');
    await down('a');
    expect([shards.get('a').state, parent.state]).toEqual(['open', 'closed']);
    await down('b');
    expect(parent.state).toBe('open');
  });

  test('S28: a key that nobody uses is neither open nor closed', async () => {
    const { parent, clock, ok, down } = setUp({ windowMs: 1_000 });
    await ok(...Array.from({ length: 100 }, (_, i) => `idle ${i}`));
    await clock.advance(2_000);
    await ok('a', 'b');
    expect(parent.metrics().window).toMatchObject({ calls: 2, failures: 0 });
    await down('a', 'c');
    expect(parent.state).toBe('open');
    expect(parent.explain()).toContain('2 of 3 keys');
  });

  test('S28: an outage long past is none of today’s', async () => {
    const { parent, clock, ok, down } = setUp({ windowMs: 1_000 });
    await ok('b', 'c', 'd', 'e');
    await down('a');
    await clock.advance(2_000);
    await ok('b', 'c', 'd', 'e');
    await down('b');
    expect(parent.metrics().window).toMatchObject({ failures: 1, calls: 4 });
    expect(parent.state).toBe('closed');
  });

  test('S28: a key that was taken out or evicted counts no more', async () => {
    const { shards, parent, ok, down } = setUp({ minimumOpen: 9 }, { maxEntries: 3 });
    await down('a');
    const held = shards.get('b');
    await ok('b', 'c');
    shards.delete('a');
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 2 });
    await ok('d', 'e');
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 3 });
    held.acquire()?.failure(new Error('elsewhere'));
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 3 });
  });

  test('S28: nor are errors of a key that was taken out among its reasons', async () => {
    const { shards, parent, ok, down } = setUp();
    await ok('gone');
    const gone = shards.get('gone');
    shards.delete('gone');
    await down('a');
    gone.acquire()?.failure(new TypeError('elsewhere'));
    await down('b');
    expect(parent.toJSON().evidence).toMatchObject({ topErrors: [{ name: 'Error', count: 2 }] });
  });

  test('S28: what was restored open counts as soon as it is used', async () => {
    const before = setUp({ minimumOpen: 3 });
    await before.ok('c', 'd');
    await before.down('a', 'b');
    const restore = JSON.parse(JSON.stringify(before.shards));
    const { parent, ok, shards, down } = setUp({ minimumOpen: 3 }, { restore });
    expect(parent.metrics().window).toMatchObject({ failures: 0, calls: 0 });
    await rejection(shards.execute(() => 1, { key: 'a' }));
    await rejection(shards.execute(() => 1, { key: 'b' }));
    await ok('c');
    expect(parent.metrics().window).toMatchObject({ failures: 2, calls: 3 });
    await down('d');
    expect(parent.state).toBe('open');
  });

  test('S28: it is restored open, with its evidence', async () => {
    const before = setUp();
    await before.down('a', 'b');
    const restore = JSON.parse(JSON.stringify(before.shards));
    const { parent, shards } = setUp({}, { restore });
    expect(parent.explain()).toBe(
      'open for 0 ms: 2 of 2 keys in use are open, threshold 50 % (Error ×2), next probe in 10 s',
    );
    expect(await rejection(shards.execute(() => 1, { key: 'new' }))).toMatchObject({ breaker: 'shards' });
  });

  test('S28: the fallback of a key answers what the parent refuses', async () => {
    const { shards } = setUp({}, { defaults: { fallback: 'instead' } });
    for (const key of ['a', 'b']) shards.get(key).acquire()?.failure(new Error('down'));
    expect(await shards.execute(() => 1, { key: 'c' })).toBe('instead');
    expect(await shards.execute(() => 1, { key: 'c', fallback: 'mine' })).toBe('mine');
    expect(shards.get('c').metrics()).toMatchObject({ ignoredRequests: 2, fallbackRequests: 2 });
    expect(shards.metrics().parent).toMatchObject({ rejectedRequests: 2, totalRequests: 2 });
  });

  test('S28: what the classifier ignores is no failed probe', async () => {
    const { shards, parent, clock, ok, down } = setUp(
      {},
      { defaults: { classify: ({ error }) => (error === 'not found' ? 'ignored' : undefined) } },
    );
    await ok('a', 'b', 'c');
    await down('a', 'b');
    await clock.advance(10_000);
    await rejection(shards.execute(() => Promise.reject('not found'), { key: 'c' }));
    expect(parent.state).toBe('half-open');
  });

  test('S28: begun observe-only with all others it refuses nothing, and counts what it would have', async () => {
    const { shards, parent, down, ok } = setUp({}, { defaults: { start: 'observe-only' } });
    await down('a', 'b');
    expect([parent.state, parent.metrics().computedState]).toEqual(['observe-only', 'open']);
    await ok('c', 'a');
    expect(parent.metrics().shadowRejectedRequests).toBe(2);
    expect(shards.metrics().rejectedRequests).toBe(0);
  });

  test.each([
    ['set', {}, (parent: CircuitBreaker) => parent.observeOnly()],
    ['recovering', { recovery: { rampMs: 600_000, initialShare: 1 } }, () => {}],
  ])('S28: while it is %s it goes on counting keys, though calls pass through it', async (_how, options, set) => {
    const { parent, clock, ok, down } = setUp({ minimumOpen: 3, ...options });
    await ok('x');
    await down('a', 'b', 'c');
    await clock.advance(10_000);
    await ok('x');
    expect(parent.state).toBe('closed');
    await clock.advance(200_000);
    set(parent);
    await ok('d', 'e', 'f');
    await down('g', 'h');
    expect(parent.metrics().window).toMatchObject({ calls: 5, failures: 2 });
    await down('i');
    expect(parent.metrics().computedState).toBe('open');
  });

  test('S28: people can set it like any other', async () => {
    const { shards, parent, ok } = setUp();
    parent.forceOpen({ reason: 'failover' });
    expect(await rejection(shards.execute(() => 1, { key: 'a' }))).toMatchObject({
      breaker: 'shards',
      reason: 'forced-open',
    });
    parent.release();
    await ok('a');
  });

  test('S28: what it tells is told by the registry, and by listeners of its own', async () => {
    const told: string[] = [];
    const clock = manualClock();
    const shards = registry({
      name: 'shards',
      clock,
      defaults: { failureThreshold: 1 },
      onOpened: ({ breaker }) => told.push(breaker),
      parent: { name: 'all shards', minimumOpen: 2, onOpened: ({ breaker }) => told.push(`own ${breaker}`) },
    });
    for (const key of ['a', 'b']) shards.get(key).acquire()?.failure(new Error('down'));
    expect(told).toEqual(['a', 'b', 'own all shards', 'all shards']);
  });
});
