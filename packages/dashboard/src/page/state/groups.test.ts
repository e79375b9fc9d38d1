import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Row } from '../../protocol/row.ts';
import { byUrgency, filtered, grouped, nearnessOf, tally } from './groups.ts';

const row = (id: string, fields: Partial<Row> = {}): Row => ({
  id,
  state: 'closed',
  ok: 0,
  failed: 0,
  refused: 0,
  inFlight: 0,
  rule: 'failureRate',
  value: 0,
  threshold: 0.5,
  calls: 100,
  ...fields,
});
const instance = (name: string, ...rows: Row[]) => ({ name, rows: new Map(rows.map((each) => [each.id, each])) });
const order = (...rows: Row[]): string[] =>
  grouped([instance('a', ...rows)])
    .sort(byUrgency)
    .map(({ id }) => id);

test('worst first: state, then calls refused, then nearness to the threshold, then the name', () => {
  expect(
    order(
      row('d'),
      row('c'),
      row('near', { value: 0.45 }),
      row('half', { state: 'half-open' }),
      row('open', { state: 'open', refused: 1 }),
      row('open, dear', { state: 'open', refused: 300 }),
      row('forced', { state: 'forced-open', refused: 999 }),
      row('watched', { state: 'observe-only' }),
    ),
  ).toEqual(['open, dear', 'open', 'forced', 'half', 'watched', 'near', 'c', 'd']);
});

test('small changes of a figure move no row', () => {
  const before = order(row('a', { state: 'open', refused: 100 }), row('b', { state: 'open', refused: 90 }));
  const after = order(row('a', { state: 'open', refused: 95 }), row('b', { state: 'open', refused: 104 }));
  expect(after).toEqual(before);
});

test('the order is one order, whatever the rows', () => {
  const any = fc.record({
    state: fc.constantFrom('open', 'closed', 'half-open', 'disabled'),
    refused: fc.double({ min: 0, noNaN: true }),
    value: fc.double(),
  });
  fc.assert(
    fc.property(fc.array(any, { maxLength: 8 }), (fields) => {
      const rows = fields.map((each, i) => row(`r${i}`, each as Partial<Row>));
      expect(order(...rows.toReversed())).toEqual(order(...rows));
    }),
  );
});

test('too few calls to decide are not near to anything', () => {
  expect(nearnessOf(row('a', { value: 1, calls: 3, minimumCalls: 20 }))).toBe(0);
  expect(nearnessOf(row('a', { value: 0.25 }))).toBe(0.5);
});

test('over several instances a breaker is one row: the worst state, the sums, and how many agree', () => {
  const [group] = grouped([
    instance('a', row('x', { ok: 5, p95: 10 })),
    instance('b', row('x', { state: 'open', refused: 7, p95: 900 })),
    instance('c', row('x', { state: 'open', refused: 1 })),
    instance('d', row('x', { state: 'half-open' })),
  ]);
  expect(group).toMatchObject({
    count: 4,
    agreeing: 2,
    instance: 'b',
    ok: 5,
    refused: 8,
    p95: 900,
    row: { state: 'open' },
  });
});

test('filters go by state and by every word of the text', () => {
  const groups = grouped([
    instance(
      'a',
      row('payments eu', { state: 'open', explain: 'open for 2 s: ETIMEDOUT' }),
      row('payments us'),
      row('search', { state: 'disabled' }),
    ),
  ]);
  const ids =
    (...states: ('open' | 'closed' | 'forced')[]) =>
    (query: string) =>
      filtered(groups, new Set(states), query).map(({ id }) => id);
  expect(ids()('')).toHaveLength(3);
  expect(ids('forced')('')).toEqual(['search']);
  expect(ids()('pay etimedout')).toEqual(['payments eu']);
  expect(ids('closed')('payments')).toEqual(['payments us']);
  expect(tally(groups)).toEqual({ open: 1, 'half-open': 0, forced: 1, closed: 1 });
});

test('a registry counts by its keys, and those with rows of their own are in it already', () => {
  const keys = { size: 10_000, open: 30, halfOpen: 2, forced: 1 };
  const rows = [
    row('hosts', { state: 'open', keys }),
    row('hosts/a', { state: 'open', of: 'hosts' }),
    row('payments', { state: 'half-open' }),
  ];
  expect(tally(grouped([instance('a', ...rows)]))).toEqual({ open: 30, 'half-open': 3, forced: 1, closed: 9_967 });
  expect(order(...rows, row('dear', { state: 'open', refused: 9 }))[0]).toBe('hosts');
  const two = grouped([instance('a', ...rows), instance('b', ...rows)]);
  expect(two.find(({ id }) => id === 'hosts')?.keys).toEqual({ size: 20_000, open: 60, halfOpen: 4, forced: 2 });
});

test('the breaker over the keys of a registry counts too where it is not closed: it refuses calls of keys that are', () => {
  const keys = { size: 40, open: 1, halfOpen: 0, forced: 0 };
  const counted = (fields: Partial<Row>) => tally(grouped([instance('a', row('hosts', { ...fields, keys }))]));
  const counts = { open: 1, 'half-open': 0, forced: 0, closed: 39 };
  expect(counted({ state: 'open' })).toEqual(counts);
  expect(counted({ state: 'open', parent: 'closed' })).toEqual(counts);
  expect(counted({ state: 'open', parent: 'open' })).toEqual({ ...counts, open: 2 });
  expect(counted({ state: 'half-open', parent: 'half-open' })).toEqual({ ...counts, 'half-open': 1 });
  expect(counted({ state: 'open', parent: 'observe-only' })).toEqual({ ...counts, forced: 1 });
});

test('one that takes no calls any more counts as forced, and stands for the others only where all are such', () => {
  const ended = row('x', { state: 'open', ending: 'disposed', refused: 9 });
  const all = [ended, row('hosts', { ending: 'disposed', keys: { size: 40, open: 1, halfOpen: 0, forced: 0 } })];
  const alone = grouped([instance('a', ...all)]);
  expect(tally(alone)).toEqual({ open: 0, 'half-open': 0, forced: 2, closed: 0 });
  expect(filtered(alone, new Set(['open']), '')).toEqual([]);
  expect(filtered(alone, new Set(['forced']), '')).toHaveLength(2);
  for (const two of [
    [instance('a', ended), instance('b', row('x'))],
    [instance('b', row('x')), instance('a', ended)],
  ]) {
    const groups = grouped(two);
    expect(groups).toMatchObject([{ instance: 'b', row: { state: 'closed' }, count: 2, agreeing: 1, refused: 9 }]);
    expect(tally(groups)).toEqual({ open: 0, 'half-open': 0, forced: 0, closed: 1 });
  }
  expect(grouped([instance('a', row('x', { ending: 'draining' })), instance('b', row('x'))])).toMatchObject([
    { instance: 'b', agreeing: 1 },
  ]);
});
