import { AsyncLocalStorage } from 'node:async_hooks';
import { type CircuitBreaker, circuitBreaker, registry } from 'recloser';
import { health } from 'recloser/telemetry';
import { manualClock } from 'recloser/testing';
import { afterEach, expect, test } from 'vitest';
import { perform } from '../actions/perform.ts';
import type { Change } from '../protocol/messages.ts';
import { detailOf } from './detail.ts';
import { Feed } from './feed.ts';
import type { BreakerSource } from './roster.ts';

const feeds: Feed[] = [];
afterEach(() => {
  for (const feed of feeds.splice(0)) feed.close();
});

function setUp(breakers: BreakerSource = [], more: { readonly traceId?: () => string | undefined } = {}) {
  const clock = manualClock(1_000);
  const changes: Change[] = [];
  const faults: unknown[] = [];
  const options = {
    breakers,
    instance: 'here',
    clock,
    historyBytes: 2 ** 20,
    report: (fault: unknown) => void faults.push(fault),
    ...more,
  };
  const feed = new Feed(options, (change) => void changes.push(change));
  feeds.push(feed);
  return { clock, changes, feed, faults };
}

const fail = (breaker: CircuitBreaker, error = new Error('down')) =>
  breaker.execute(() => Promise.reject(error)).catch(() => {});
const succeed = (breaker: CircuitBreaker) => breaker.execute(async () => 1);

test('each second it tells the rates of that second, and only the rows that changed', async () => {
  const [busy, idle] = [circuitBreaker({ name: 'busy' }), circuitBreaker({ name: 'idle' })];
  const { clock, changes } = setUp([busy, idle]);
  await clock.advance(1_000);
  changes.length = 0;
  await Promise.all([succeed(busy), succeed(busy), fail(busy)]);
  await clock.advance(1_000);
  expect(changes).toHaveLength(1);
  expect(changes[0]).toMatchObject({
    instance: 'here',
    second: true,
    rows: [{ id: 'busy', ok: 2, failed: 1, value: 1 }],
  });
  expect(changes[0]?.process?.heapMb).toBeGreaterThan(0);
  await clock.advance(1_000);
  expect(changes[1]?.rows).toEqual([{ id: 'busy', ok: 0, failed: 0 }]);
});

test('a transition is told within 20 ms, with its evidence and the state after it', async () => {
  const breaker = circuitBreaker({ name: 'payments', failureThreshold: 2 });
  const { clock, changes } = setUp([breaker]);
  await clock.advance(1_000);
  changes.length = 0;
  await fail(breaker, Object.assign(new Error('to https://ana:pw@host/'), { code: 'ETIMEDOUT' }));
  await fail(breaker, Object.assign(new Error('to https://ana:pw@host/'), { code: 'ETIMEDOUT' }));
  await clock.advance(20);
  expect(changes).toHaveLength(1);
  const [{ entries, rows }] = changes as [Change];
  expect(entries).toMatchObject([
    { id: 'payments', kind: 'transition', from: 'closed', to: 'open', why: expect.stringContaining('ETIMEDOUT ×2') },
  ]);
  expect(entries?.[0]?.evidence).toMatchObject({ failures: 2, lastError: { message: 'to https://…@host/' } });
  expect(rows).toMatchObject([{ id: 'payments', state: 'open', explain: expect.stringContaining('next probe in') }]);
});

test('a transition has the trace of the call that it happened in', async () => {
  const trace = new AsyncLocalStorage<string>();
  const breaker = circuitBreaker({ name: 'payments', failureThreshold: 2 });
  const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 } });
  const key = hosts.get('a.example');
  const { feed } = setUp([breaker, hosts], { traceId: () => trace.getStore() });
  await Promise.all(['7f3a', '81bc'].map((id) => trace.run(id, () => fail(breaker))));
  await trace.run('99ff', () => fail(key));
  expect(key.state).toBe('open');
  expect(feed.journal.of('payments', feed.at()).map(({ traceId }) => traceId)).toEqual(['81bc']);
  expect(feed.journal.of('hosts/a.example', feed.at()).map(({ traceId }) => traceId)).toEqual(['99ff']);
  breaker.reset();
  expect(feed.journal.of('payments', feed.at()).at(-1)).not.toHaveProperty('traceId');
});

test('page, readiness and refusals say the same of what is left of a sleep, also when it was ended before its time', async () => {
  const breakers: CircuitBreaker[] = [];
  const { clock, feed } = setUp(() => breakers);
  const make = (name: string) => circuitBreaker({ name, clock, failureThreshold: 1, sleepWindowMs: 10_000 });
  const [sleeping, woken] = [make('sleeping'), make('woken')];
  breakers.push(sleeping, woken);
  await Promise.all(breakers.map((breaker) => fail(breaker)));
  const check = health({ policies: breakers });
  const told = async (ms: number) => {
    await clock.advance(ms);
    const shown = feed.state().rows.map(({ nextProbeMs }) => nextProbeMs);
    expect(check().breakers.map(({ retryAfterMs }) => retryAfterMs)).toEqual(shown);
    const copies = breakers.map((breaker) => circuitBreaker({ clock, restore: breaker.toJSON() }));
    expect(copies.map((copy) => (copy.acquire() ? 0 : copy.refusal()?.retryAfterMs))).toEqual(shown);
    return shown;
  };
  const before = await told(3_000);
  woken.probe();
  expect([before, await told(1_000), await told(7_000)]).toEqual([
    [7_000, 7_000],
    [6_000, 0],
    [0, 0],
  ]);
});

test('of a breaker that was disposed or is draining it says so, and promises no probe', async () => {
  const [open, closed] = [circuitBreaker({ name: 'open', failureThreshold: 1 }), circuitBreaker({ name: 'closed' })];
  const { clock, feed } = setUp([open, closed]);
  await fail(open);
  const work = closed.execute(() => new Promise<void>((resolve) => void clock.setTimeout(resolve, 5_000)));
  const drained = closed.drain();
  open.dispose();
  await clock.advance(1_000);
  const { rows } = feed.state();
  expect(rows).toMatchObject([
    { state: 'open', ending: 'disposed', cause: 'disposed: every new call is refused' },
    {
      state: 'closed',
      ending: 'draining',
      explain: expect.stringMatching(/^draining: every new call is refused; it was closed: /),
    },
  ]);
  expect(rows[0]).not.toHaveProperty('nextProbeMs');
  expect(detailOf(feed, 'open')?.explain).toMatch(/^disposed: every new call is refused; it was open for /);
  await clock.advance(5_000);
  await Promise.all([work, drained]);
});

test('nothing can be done to a breaker that takes no calls any more, and the order says so', () => {
  const breaker = circuitBreaker({ name: 'gone' });
  const { feed } = setUp([breaker]);
  breaker.dispose();
  const order = { id: 'gone', deed: 'force-closed', reason: 'r', by: undefined, instances: undefined } as const;
  expect(perform(feed, { ...order, expiresInMs: 60_000 }, 'ana')).toEqual({
    ...{ instance: 'here', done: false, from: 'closed' },
    trouble: 'it is disposed: every new call is refused, whatever its state',
  });
  expect(breaker.state).toBe('closed');
});

test('a thousand transitions at once are a few messages', async () => {
  const breakers = Array.from({ length: 1_000 }, (_, i) => circuitBreaker({ name: `b${i}`, failureThreshold: 1 }));
  const { clock, changes } = setUp(breakers);
  await clock.advance(1_000);
  changes.length = 0;
  await Promise.all(breakers.map((breaker) => fail(breaker)));
  await clock.advance(20);
  expect(changes).toHaveLength(1);
  expect(changes[0]?.entries).toHaveLength(200);
  expect(changes[0]?.rows).toHaveLength(1_000);
});

test('many breakers are read a hundred at a time, all within the second', async () => {
  const breakers = Array.from({ length: 1_250 }, (_, i) => circuitBreaker({ name: `b${i}` }));
  const { clock, changes } = setUp(breakers);
  await clock.advance(1_000);
  const reads: number[] = [];
  breakers.forEach((breaker) => {
    const { metrics } = breaker;
    breaker.metrics = function (this: CircuitBreaker) {
      reads.push(clock.now());
      return metrics.call(this);
    };
  });
  await clock.advance(1_000);
  await clock.advance(1_000);
  const moments = [...new Set(reads)];
  expect(moments.length).toBeGreaterThanOrEqual(24);
  for (const moment of moments) expect(reads.filter((read) => read === moment).length).toBeLessThanOrEqual(100);
  expect(changes.filter(({ second }) => second)).toHaveLength(2);
});

test('breakers come and go with what lists them', async () => {
  const breakers = new Set([circuitBreaker({ name: 'a' }), circuitBreaker({ name: 'a' })]);
  const { clock, changes, feed } = setUp(() => breakers);
  expect([...feed.watches.keys()]).toEqual(['a', 'a#2']);
  const [first] = breakers;
  breakers.delete(first as CircuitBreaker);
  breakers.add(circuitBreaker({ name: 'b' }));
  await clock.advance(1_000);
  expect([...feed.watches.keys()]).toEqual(['a#2', 'b']);
  expect(changes.at(-1)?.gone).toEqual(['a']);
});

test('a breaker that is disposed and made anew keeps its id, and is told as gone before it is told as new', async () => {
  const made = () => circuitBreaker({ name: 'a' });
  let breakers = [made(), made()];
  const { clock, changes, feed } = setUp(() => breakers);
  for (const change of [() => [made(), breakers[1]], () => [breakers[0], made()], () => [made(), made()]]) {
    breakers = change() as CircuitBreaker[];
    changes.length = 0;
    await clock.advance(1_000);
    expect([...feed.watches.keys()].sort()).toEqual(['a', 'a#2']);
    const shown = new Set(['a', 'a#2']);
    for (const { rows = [], gone = [] } of changes) {
      for (const { id } of rows) shown.add(id);
      for (const id of gone) shown.delete(id);
    }
    expect(shown.size).toBe(2);
    expect(changes.flatMap(({ gone = [] }) => gone)).not.toEqual([]);
    for (const [i, id] of ['a', 'a#2'].entries()) {
      const watch = feed.watches.get(id);
      expect(watch?.breaker).toBe(breakers[i]);
    }
  }
});

test('an iterator that can be walked once is walked once', async () => {
  const { clock, feed } = setUp(new Map([['x', circuitBreaker({ name: 'x' })]]).values());
  await clock.advance(3_000);
  expect(feed.watches.size).toBe(1);
});

test('a list or a breaker that throws is reported, and the rest goes on', async () => {
  const [good, bad] = [circuitBreaker({ name: 'good' }), circuitBreaker({ name: 'bad' })];
  const { clock, faults, changes } = setUp([bad, good]);
  bad.metrics = () => {
    throw new Error('no figures');
  };
  await succeed(good);
  await clock.advance(1_000);
  expect(faults).toHaveLength(1);
  expect(changes.at(-1)?.rows).toContainEqual(expect.objectContaining({ id: 'good', ok: 1 }));
});

test('what is no breaker keeps no other from coming or going', async () => {
  const [gone, good] = [circuitBreaker({ name: 'gone' }), circuitBreaker({ name: 'good' })];
  let breakers: unknown[] = [gone];
  const { clock, faults, feed } = setUp(() => breakers as CircuitBreaker[]);
  breakers = [undefined, { name: 'bad' }, good];
  await clock.advance(3_000);
  expect([...feed.watches.keys()]).toEqual(['good']);
  expect(faults).toHaveLength(6);
  breakers = [circuitBreaker({ name: 'bad' })];
  await clock.advance(1_000);
  expect([...feed.watches.keys()]).toEqual(['bad']);
});

test('ten thousand breakers of one name are taken up in no time, and their numbers are used again', async () => {
  const breakers = new Set(Array.from({ length: 10_000 }, () => circuitBreaker({ name: 'same' })));
  const began = performance.now();
  const { feed, clock } = setUp(() => breakers);
  expect(performance.now() - began).toBeLessThan(2_000);
  expect(feed.watches.has('same#10000')).toBe(true);
  breakers.clear();
  await clock.advance(1_000);
  breakers.add(circuitBreaker({ name: 'same' }));
  await clock.advance(1_000);
  expect([...feed.watches.keys()]).toEqual(['same']);
});

test('what people do is in the journal, with who and why, and ends by itself in the row', async () => {
  const breaker = circuitBreaker({ name: 'payments', clock: manualClock() });
  const { feed, clock, changes } = setUp([breaker]);
  breaker.forceOpen({ reason: 'vendor incident', by: 'ana', expiresInMs: 60_000 });
  await clock.advance(1_000);
  expect(changes[0]?.entries).toMatchObject([
    { kind: 'action', action: 'forced', to: 'forced-open', by: 'ana', expiresInMs: 60_000 },
  ]);
  expect(feed.watches.get('payments')?.row).toMatchObject({
    state: 'forced-open',
    under: 'closed',
    forced: { by: 'ana', expiresInMs: 60_000 },
  });
  breaker.update({ timeoutMs: 5_000 });
  expect(detailOf(feed, 'payments')?.entries.at(-1)).toMatchObject({ kind: 'update', changed: ['timeoutMs'] });
  expect(detailOf(feed, 'payments')?.configuration.find(({ option }) => option === 'timeoutMs')).toMatchObject({
    source: 'updated',
  });
});

test('a row says why it opened, the error first, however many probes have failed since', async () => {
  const own = manualClock();
  const breaker = circuitBreaker({ name: 'a', failureThreshold: 2, sleepWindowMs: 1_000, clock: own });
  const { feed, clock } = setUp([breaker]);
  const row = () => feed.watches.get('a')?.row;
  await fail(breaker, Object.assign(new Error('down'), { code: 'ETIMEDOUT' }));
  await fail(breaker, Object.assign(new Error('down'), { code: 'ETIMEDOUT' }));
  await clock.advance(20);
  const cause = 'ETIMEDOUT ×2: 2 consecutive failures';
  expect(row()?.cause).toContain(cause);
  expect(row()).not.toHaveProperty('failedProbes');
  for (let i = 0; i < 3; i++) {
    await own.advance(10_000);
    await fail(breaker, new Error('still down'));
  }
  expect(row()?.cause).toContain(cause);
  expect(row()?.failedProbes).toBe(3);
  // Whoever begins to look now knows how many, though not with what it began.
  expect(setUp([breaker]).feed.watches.get('a')?.row).toMatchObject({ failedProbes: 3 });
  breaker.reset();
  expect(row()).not.toHaveProperty('cause');
  expect(row()).not.toHaveProperty('failedProbes');
});

test('what was open before anybody looked has its age', async () => {
  const own = manualClock();
  const breaker = circuitBreaker({ name: 'old', failureThreshold: 1, clock: own });
  await fail(breaker);
  await own.advance(12_000);
  const { feed } = setUp([breaker]);
  const { since = 0, downSince } = feed.watches.get('old')?.row ?? {};
  expect(feed.at() - since).toBeCloseTo(12_000, -1);
  expect(downSince).toBe(since);
});

test('the series has a value for each second since the first busy one', async () => {
  const breaker = circuitBreaker({ name: 'a' });
  const { clock, feed } = setUp([breaker]);
  for (let i = 1; i <= 5; i++) {
    for (let n = 0; n < i; n++) await succeed(breaker);
    await clock.advance(1_000);
  }
  await clock.advance(1_000);
  const values = detailOf(feed, 'a')?.series.ok.filter((n) => n !== null);
  expect(values?.slice(0, 5)).toEqual([1, 2, 3, 4, 5]);
});

test('closed, it listens to nobody and keeps no timer', async () => {
  const breaker = circuitBreaker({ name: 'a', failureThreshold: 1 });
  const { clock, changes, feed } = setUp([breaker]);
  feed.close();
  await fail(breaker);
  await clock.advance(60_000);
  expect(changes).toEqual([]);
});
