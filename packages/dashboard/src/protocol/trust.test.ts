import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readChange, readDetail, readIncident, readSnapshot } from './trust.ts';

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
});

test('what is no incident is refused', () => {
  expect(() => readIncident({ hello: 1 })).toThrow('no incident');
  expect(() => readIncident({ format: 'recloser-incident', breakers: [{}] })).toThrow('no breaker');
});
