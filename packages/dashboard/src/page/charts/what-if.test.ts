import { expect, test } from 'vitest';
import type { Detail } from '../../protocol/detail.ts';
import { whatIf } from './what-if.ts';

/** Ten calls a second, an opening at second 100, and what was measured in the seconds before. */
function opening(values: (number | null)[], value: number, more: object = {}): Pick<Detail, 'entries' | 'series'> {
  const seconds = values.map((_, i) => 100 - values.length + i);
  const ten = values.map(() => 10);
  const evidence = {
    rule: 'failureRate',
    value,
    threshold: 0.5,
    calls: 100,
    topErrors: [],
    generation: 2,
    openForMs: 0,
  };
  const entry = { at: 100_000, id: 'a', from: 'closed', to: 'open', kind: 'transition', why: '' } as const;
  const none = values.map(() => 0);
  return {
    entries: [{ ...entry, evidence: { ...evidence, minimumCalls: 20, windowMs: 10_000, ...more } }],
    series: {
      ...{ seconds, ok: ten, failed: none, refused: none, value: values },
      ...{ threshold: values.map(() => 0.5), p50: none, p95: none },
    },
  };
}

test('a lower threshold would have opened when the share was there for good', () => {
  expect(whatIf(opening([0.1, 0.45, 0.2, 0.3, 0.41, 0.44, 0.47], 0.51))).toBe(
    'at 40 % about 3 s earlier, at 60 % later or not at all',
  );
});

test('a share that jumped beyond would have opened at the same moment', () => {
  expect(whatIf(opening([0, 0, 0, 0.1], 0.9))).toBe('at 40 % at the same moment, at 60 % at the same moment');
});

test('before there were calls enough no threshold would have opened', () => {
  expect(whatIf(opening([0.9, 0.9, 0.9, 0.9], 0.9, { minimumCalls: 30 }))).toContain('at 40 % about 2 s earlier');
  expect(whatIf(opening([0.9, 0.9, 0.9, 0.9], 0.9, { minimumCalls: 41 }))).toContain('at 40 % at the same moment');
});

test('of seconds in which another rule was nearest, of other rules and of no opening nothing is said', () => {
  const other = opening([0.45, 0.45], 0.6);
  expect(whatIf({ ...other, series: { ...other.series, threshold: [0.8, 0.8] } })).toContain(
    'at 40 % at the same moment',
  );
  expect(whatIf(opening([0.45], 5, { rule: 'consecutiveFailures', threshold: 5 }))).toBeUndefined();
  expect(whatIf({ ...other, entries: [] })).toBeUndefined();
});
