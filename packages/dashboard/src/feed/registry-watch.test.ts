import { channel } from 'node:diagnostics_channel';
import { type CircuitBreaker, circuitBreaker, type Registry, registry } from 'recloser';
import { manualClock } from 'recloser/testing';
import { afterEach, expect, test } from 'vitest';
import { perform } from '../actions/perform.ts';
import type { Change } from '../protocol/messages.ts';
import type { Row } from '../protocol/row.ts';
import { detailOf } from './detail.ts';
import { Feed } from './feed.ts';

const feeds: Feed[] = [];
afterEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
});

function setUp(hosts: Registry, keys?: number, ...more: readonly CircuitBreaker[]) {
  const clock = manualClock(1_000);
  const changes: Change[] = [];
  const faults: unknown[] = [];
  const report = (fault: unknown) => void faults.push(fault);
  const basics = { instance: 'here', clock, historyBytes: 2 ** 20, report, keys };
  const feed = new Feed({ ...basics, breakers: [circuitBreaker({ name: 'payments' }), hosts, ...more] }, (change) => {
    changes.push(change);
  });
  feeds.push(feed);
  const rows = (): readonly Row[] => feed.state().rows;
  const row = (id: string): Row | undefined => rows().find((each) => each.id === id);
  return { clock, changes, feed, faults, row, ids: () => rows().map(({ id }) => id) };
}

const hostsOf = async (count: number, options: Parameters<typeof registry>[0] = {}): Promise<Registry> => {
  const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 2 }, ...options });
  for (let i = 0; i < count; i++) await hosts.execute(async () => i, { key: `h${i}` });
  return hosts;
};
const fail = async (hosts: Registry, key: string, times = 2): Promise<void> => {
  for (let i = 0; i < times; i++) await hosts.execute(() => Promise.reject(new Error('down')), { key }).catch(() => {});
};

test('ten thousand keys are one row, and those in trouble have rows of their own, the ones that refused most first', async () => {
  const hosts = await hostsOf(10_000);
  for (let i = 0; i < 30; i++) await fail(hosts, `h${i}`, 2 + i);
  const { clock, ids, row, faults } = setUp(hosts);
  await clock.advance(1_000);
  expect(ids()).toHaveLength(2 + 20);
  expect(ids().slice(2)).toEqual(Array.from({ length: 20 }, (_, i) => `hosts/h${29 - i}`));
  expect(row('hosts')).toMatchObject({ state: 'open', keys: { size: 10_000, open: 30, halfOpen: 0, forced: 0 } });
  expect(row('hosts')?.explain).toBe('10000 breakers: 9970 closed, 30 open');
  expect(row('hosts/h29')).toMatchObject({ state: 'open', of: 'hosts' });
  expect(faults).toEqual([]);
});

test('with `keys` for as many as there are, all have rows; with 0 none', async () => {
  const hosts = await hostsOf(300);
  await fail(hosts, 'h7');
  expect(setUp(hosts, 1_000).ids()).toHaveLength(302);
  expect(setUp(hosts, 0).ids()).toEqual(['payments', 'hosts']);
});

test('the row has the calls of all keys by the second, evicted ones too', async () => {
  const hosts = await hostsOf(50, { maxEntries: 50 });
  const { clock, row } = setUp(hosts, 0);
  await clock.advance(1_000);
  for (let i = 50; i < 90; i++) await hosts.execute(async () => i, { key: `h${i}` });
  await fail(hosts, 'h89', 5);
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({ ok: 40, failed: 2, refused: 3, keys: { size: 50, open: 1 } });
});

test('a key that opens is told within 20 ms: its row, its transition, and the count', async () => {
  const hosts = await hostsOf(1_000);
  const { clock, changes } = setUp(hosts);
  await clock.advance(1_500);
  changes.length = 0;
  await fail(hosts, 'h500');
  await clock.advance(20);
  expect(changes).toHaveLength(1);
  expect(changes[0]?.entries).toMatchObject([{ id: 'hosts/h500', from: 'closed', to: 'open' }]);
  expect(changes[0]?.rows).toEqual(
    expect.arrayContaining([
      expect.objectContaining({
        id: 'hosts/h500',
        state: 'open',
        of: 'hosts',
        cause: expect.stringContaining('Error ×2: '),
      }),
      expect.objectContaining({ id: 'hosts', state: 'open' }),
    ]),
  );
  // Its next one is told by its own row, and once.
  hosts.peek('h500')?.reset({ reason: 'fixed' });
  await clock.advance(300);
  const told = changes.slice(1).flatMap(({ entries = [] }) => entries);
  expect(told.map(({ kind, to }) => `${kind} ${to}`).sort()).toEqual(['action closed', 'transition closed']);
  await clock.advance(2_000);
  expect(changes.flatMap(({ gone = [] }) => gone)).toEqual(['hosts/h500']);
});

test('an outage of all keys is a few messages and a few reads', async () => {
  const hosts = await hostsOf(5_000);
  const { clock, changes } = setUp(hosts);
  await clock.advance(1_500);
  changes.length = 0;
  const { metrics } = hosts;
  let reads = 0;
  hosts.metrics = () => {
    reads++;
    return metrics.call(hosts);
  };
  for (let i = 0; i < 5_000; i++) {
    await fail(hosts, `h${i}`);
    if (i % 500 === 0) await clock.advance(10);
  }
  await clock.advance(900);
  expect(reads).toBeLessThan(12);
  expect(changes.length).toBeLessThan(12);
  expect(changes.flatMap(({ rows = [] }) => rows).filter(({ of }) => of !== undefined).length).toBeLessThan(100);
});

test('any key can be looked at and acted on; it has a row for as long as somebody looks', async () => {
  const hosts = await hostsOf(1_000);
  const { clock, feed, ids } = setUp(hosts);
  expect(detailOf(feed, 'hosts/h77')).toMatchObject({ id: 'hosts/h77', row: { state: 'closed', ok: 0 } });
  expect(detailOf(feed, 'hosts/nobody')).toBeUndefined();
  expect(hosts.peek('nobody')).toBeUndefined();
  await clock.advance(50_000);
  expect(ids()).toContain('hosts/h77');
  const order = { id: 'hosts/h77', deed: 'force-open', reason: 'r', by: undefined, instances: undefined } as const;
  expect(perform(feed, { ...order, expiresInMs: 60_000 }, 'ana')).toMatchObject({ done: true, to: 'forced-open' });
  expect(hosts.peek('h77')?.state).toBe('forced-open');
  hosts.peek('h77')?.release();
  await clock.advance(62_000);
  expect(ids()).not.toContain('hosts/h77');
  // However many are looked at, not many have rows.
  for (let i = 0; i < 500; i++) detailOf(feed, `hosts/h${i}`);
  await clock.advance(1_000);
  expect(ids().length).toBeLessThanOrEqual(22);
});

test('a registry as a whole is acted on by the breaker over its keys, if there is one', async () => {
  const order = { id: 'hosts', deed: 'force-open', reason: 'r', by: undefined, instances: undefined } as const;
  const apart = setUp(await hostsOf(3));
  expect(perform(apart.feed, { ...order, expiresInMs: 60_000 }, 'ana')).toMatchObject({
    done: false,
    trouble: expect.stringContaining('act on a key'),
  });
  const hosts = await hostsOf(3, { parent: {} });
  const { feed, clock, row } = setUp(hosts);
  expect(detailOf(feed, 'hosts')).toMatchObject({ keys: { size: 3, parent: true } });
  expect(perform(feed, { ...order, expiresInMs: 60_000 }, 'ana')).toMatchObject({ done: true });
  await clock.advance(20);
  expect(row('hosts')).toMatchObject({ state: 'forced-open', forced: { by: 'ana' }, keys: { open: 0 } });
  expect(detailOf(feed, 'hosts')?.entries).toMatchObject([{ kind: 'action', by: 'ana' }]);
});

test('ten thousand keys that are watched take no more memory and listeners than those that are not', async () => {
  const hosts = await hostsOf(10_000);
  const used = (): number => {
    for (let i = 0; i < 3; i++) globalThis.gc?.();
    return process.memoryUsage().heapUsed;
  };
  const before = used();
  const { clock, feed } = setUp(hosts);
  await clock.advance(5_000);
  expect(used() - before).toBeLessThan(2 * 2 ** 20);
  feed.close();
  expect(channel('recloser:circuit-breaker:opened').hasSubscribers).toBe(false);
});

test('what somebody does to a key that has no row is in its history too, once', async () => {
  const hosts = await hostsOf(1_000);
  const { clock, feed, row } = setUp(hosts);
  await clock.advance(1_500);
  hosts.get('h9').forceOpen({ reason: 'drained', by: 'ana' });
  await clock.advance(300);
  expect(row('hosts/h9')).toMatchObject({ state: 'forced-open', forced: { by: 'ana' } });
  expect(row('hosts')?.keys).toMatchObject({ forced: 1 });
  hosts.get('h9').release();
  await clock.advance(300);
  expect(detailOf(feed, 'hosts/h9')?.entries).toMatchObject([
    { kind: 'action', to: 'forced-open', by: 'ana', reason: 'drained' },
    { kind: 'action', to: 'closed' },
  ]);
});

test('what another registry of the same keys does is not told here', async () => {
  const [hosts, others] = [await hostsOf(100), await hostsOf(100)];
  const { clock, changes } = setUp(hosts);
  await clock.advance(1_500);
  changes.length = 0;
  await fail(others, 'h5');
  await clock.advance(500);
  expect(changes.flatMap(({ entries = [] }) => entries)).toEqual([]);
});

test('what the breaker over all keys refuses is refused by the registry: in its rates, its totals and its curve', async () => {
  const hosts = await hostsOf(3, { parent: {} });
  const { clock, feed, row } = setUp(hosts);
  await clock.advance(1_000);
  hosts.parent?.forceOpen({ reason: 'vendor' });
  for (let i = 0; i < 12; i++) await hosts.execute(async () => i, { key: 'h0' }).catch(() => {});
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({ state: 'forced-open', ok: 0, refused: 12 });
  await clock.advance(1_000);
  const detail = detailOf(feed, 'hosts');
  expect(detail?.metrics).toMatchObject({ totalRequests: 15, rejectedRequests: 12, ignoredRequests: 0 });
  expect(detail?.series.refused).toContain(12);
});

test('a breaker over all keys that lets calls through does not hide keys that are open', async () => {
  const hosts = await hostsOf(3, { parent: {} });
  const { clock, row } = setUp(hosts);
  hosts.parent?.observeOnly({ reason: 'roll-out', by: 'ana' });
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({ state: 'observe-only', parent: 'observe-only', forced: { by: 'ana' } });
  await fail(hosts, 'h1');
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({ state: 'open', parent: 'observe-only', keys: { open: 1 } });
  expect(row('hosts')?.forced).toBeUndefined();
  hosts.parent?.forceOpen({ reason: 'vendor', by: 'ben' });
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({ state: 'forced-open', parent: 'forced-open', forced: { by: 'ben' } });
});

test('of a registry that was disposed it says so, whatever the state of its keys', async () => {
  const hosts = await hostsOf(3);
  const { clock, row } = setUp(hosts);
  hosts.dispose();
  await clock.advance(1_000);
  expect(row('hosts')).toMatchObject({
    ...{ state: 'closed', ending: 'disposed', cause: 'disposed: every new call is refused' },
  });
});

test('a key and a breaker of one id are two rows, and the end of the one is not that of the other', async () => {
  const hosts = await hostsOf(1);
  const alone = circuitBreaker({ name: 'hosts/h0', failureThreshold: 1 });
  await alone.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  const { clock, feed, faults } = setUp(hosts, 20, alone);
  await clock.advance(1_000);
  const shown = () => Object.fromEntries(feed.state().rows.map(({ id, state }) => [id, state]));
  const others = { payments: 'closed', hosts: 'closed', 'hosts/h0#2': 'open' };
  expect(shown()).toEqual({ ...others, 'hosts/h0': 'closed' });
  hosts.delete('h0');
  await clock.advance(1_000);
  expect(shown()).toEqual(others);
  hosts.get('h0');
  await clock.advance(1_000);
  expect(shown()).toMatchObject({ 'hosts/h0': 'closed' });
  expect(faults).toEqual([]);
});

test('a key that is taken out and made anew has its row without a gap', async () => {
  const hosts = await hostsOf(2);
  const { clock, ids } = setUp(hosts);
  await clock.advance(1_000);
  hosts.delete('h0');
  await fail(hosts, 'h0');
  await clock.advance(1_000);
  expect(ids().sort()).toEqual(['hosts', 'hosts/h0', 'hosts/h1', 'payments']);
});
