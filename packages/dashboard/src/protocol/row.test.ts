import fc from 'fast-check';
import { expect, test } from 'vitest';
import { patched, patchOf, type Row } from './row.ts';

const row = fc.record(
  {
    id: fc.constant('payments'),
    state: fc.constantFrom('open', 'closed', 'half-open', 'forced-open'),
    ok: fc.nat(3),
    value: fc.double({ min: 0, max: 1, noNaN: true }),
    p95: fc.nat(3),
    explain: fc.string(),
    probes: fc.tuple(fc.nat(2), fc.nat(2)),
    forced: fc.record({ reason: fc.string(), by: fc.string() }, { requiredKeys: [] }),
  },
  { requiredKeys: ['id', 'state', 'ok', 'value'] },
) as unknown as fc.Arbitrary<Row>;

test('a row and the patch to the next one make the next one, over the wire', () => {
  fc.assert(
    fc.property(row, row, (before, after) => {
      const patch = patchOf(before, after);
      const there = patch === undefined ? before : patched(before, JSON.parse(JSON.stringify(patch)));
      expect(JSON.parse(JSON.stringify(there))).toEqual(JSON.parse(JSON.stringify(after)));
    }),
  );
});

test('nothing is told of a row that did not change', () => {
  fc.assert(fc.property(row, (same) => void expect(patchOf(same, structuredClone(same))).toBeUndefined()));
});

test('a new row is told whole', () => {
  fc.assert(fc.property(row, (fresh) => void expect(patchOf(undefined, fresh)).toEqual(fresh)));
});
