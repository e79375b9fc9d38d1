import fc from 'fast-check';
import { expect, test } from 'vitest';
import { markdownOf } from '../incident/markdown.ts';
import { snapshotOf } from '../incident/open.ts';
import type { Detail } from './detail.ts';
import type { Entry } from './entry.ts';
import type { Row } from './row.ts';
import { readChange, readDetail, readIncident, readOutcome, readSnapshot } from './trust.ts';

const shape = fc.oneof(
  fc.jsonValue(),
  fc.record({ instances: fc.jsonValue(), entries: fc.jsonValue(), rows: fc.jsonValue() }),
);

test('whatever another process says, reading it ends in something of the right shape', () => {
  fc.assert(
    fc.property(shape, (value) => {
      for (const each of readSnapshot(value).instances) expect(typeof each.name).toBe('string');
      for (const each of readChange(value).rows ?? []) expect(typeof each.id).toBe('string');
      const detail = readDetail({ ...(value as object), id: 'a', row: value, metrics: value, series: value });
      expect(Array.isArray(detail.series.ok)).toBe(true);
      for (const each of detail.configuration) expect(typeof each.value).not.toBe('object');
    }),
  );
});

test('unknown fields, wrong types and endless texts do not get through', () => {
  const { rows } = readChange({
    rows: [{ id: 'a', ok: 'many', value: Number.POSITIVE_INFINITY, explain: 'x'.repeat(9_999), evil: 1 }, 7],
  });
  expect(rows).toEqual([{ id: 'a', value: 0, explain: 'x'.repeat(500) }]);
  expect(readOutcome({ done: 'yes', to: {}, trouble: 'x'.repeat(9_999), instance: 'other' }, 'b')).toEqual({
    ...{ instance: 'b', done: false, to: 'unknown', trouble: 'x'.repeat(500) },
  });
});

test('a state is one word, whoever tells it: what the page does with it is nobody else to decide', () => {
  const told = { id: 'a', under: 7, state: '(a|a)*$x', from: '# x', to: '<img src=x>', kind: ['action'] };
  const { rows, entries } = readChange({ rows: [told, { id: 'b', state: 'half-open' }], entries: [told] });
  expect(rows).toMatchObject([{ state: 'unknown', under: 'unknown' }, { state: 'half-open' }]);
  expect(entries).toMatchObject([{ from: 'unknown', to: 'unknown', kind: 'unknown' }]);
  expect(readOutcome({ to: 'a\nb', trouble: 'no\n2026-11-29 WARN forged' }, 'b')).toMatchObject({
    ...{ to: 'unknown', trouble: 'no 2026-11-29 WARN forged' },
  });
});

const row: Row = {
  ...{ id: 'a', state: 'open', since: 1, downSince: 1, ok: 1, failed: 2, refused: 3, inFlight: 0, explain: 'open' },
  ...{ rule: 'failureRate', value: 1, threshold: 0.5, calls: 20, nextProbeMs: 5, probes: [0, 2], p50: 1, p95: 2 },
  forced: { reason: 'r', by: 'ana', expiresInMs: 5 },
  ...{ ending: 'draining', parent: 'open' },
};
const happened: Entry = {
  ...{ at: 1_000, id: 'a', from: 'closed', to: 'open', kind: 'transition', why: 'because', sleepMs: 5 },
  evidence: { rule: 'failureRate', value: 1, threshold: 0.5, calls: 20, topErrors: [{ name: 'E', count: 2 }] } as never,
};
const seconds = { seconds: [1], ok: [1], failed: [null], refused: [1], value: [1], threshold: [1], p50: [1], p95: [1] };
const whole: Detail = {
  ...{ instance: 'here', id: 'a', at: 1_000, row, explain: 'open', series: seconds },
  metrics: { totalRequests: 9, rejectedRequests: 3, circuitOpenTimeMs: 7 } as never,
  entries: [happened],
  errors: [{ at: 1, name: 'E', message: 'm' }],
  configuration: [{ option: 'timeoutMs', value: 5, source: 'given', at: 1 }],
};

/** All places in a value, as paths. */
const placesIn = (value: unknown, path: string[] = []): string[][] =>
  typeof value !== 'object' || value === null
    ? [path]
    : [path, ...Object.entries(value).flatMap(([key, each]) => placesIn(each, [...path, key]))];

const spoilt = [null, undefined, '', 'x', -1, 8.7e15, 1e300, Number.NaN, true, [], {}, [null], '__proto__'];

test('an incident with anything spoilt in it still opens, and can be put into words', () => {
  for (const path of placesIn(whole).filter(({ length }) => length > 0)) {
    for (const value of spoilt) {
      const given = { format: 'recloser-incident', recordedAt: 8.7e15, breakers: [structuredClone(whole)] };
      let place = given.breakers[0] as unknown as Record<string, unknown>;
      for (const key of path.slice(0, -1)) place = place[key] as Record<string, unknown>;
      place[path.at(-1) as string] = value;
      if (path[0] === 'id' && typeof value !== 'string') continue;
      if (path[0] === 'id' && value === '') continue;
      const incident = readIncident(given);
      const [{ row, entries, errors, metrics, series }] = incident.breakers as [Detail];
      const where = `${path.join('.')} = ${String(value)}`;
      expect(markdownOf(incident), where).toContain('#');
      expect(snapshotOf(incident).instances, where).toHaveLength(1);
      for (const figure of [row.ok, row.value, row.calls, metrics.rejectedRequests])
        expect(figure, where).toBeTypeOf('number');
      expect(row.forced === null || row.probes === null, where).toBe(false);
      for (const { at } of [...entries, ...errors, { at: row.since ?? 0 }]) {
        expect(() => new Date(at).toISOString(), where).not.toThrow();
      }
      for (const second of series.seconds) {
        expect(() => new Date((second + 3_600) * 1_000).toISOString(), where).not.toThrow();
      }
    }
  }
});

test('what is no incident is refused', () => {
  expect(() => readIncident({ hello: 1 })).toThrow('no incident');
  expect(() => readIncident({ format: 'recloser-incident', breakers: [{}] })).toThrow('no breaker');
});
