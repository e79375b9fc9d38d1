import { expect, test } from 'vitest';
import { many, percent, span } from './words.ts';

test.each([
  [0, '0 ms'],
  [0.4, '0 ms'],
  [850, '850 ms'],
  [999.4, '999 ms'],
  [999.5, '1 s'],
  [1_000, '1 s'],
  [12_300, '12.3 s'],
  [12_345, '12.3 s'],
  [59_900, '59.9 s'],
  [59_950, '1 min'],
  [59_999, '1 min'],
  [60_000, '1 min'],
  [250_000, '4 min 10 s'],
  [3_599_400, '59 min 59 s'],
  [3_599_600, '1 h'],
  [3_600_000, '1 h'],
  [7_500_000, '2 h 5 min'],
  [86_400_000, '24 h'],
])('%d ms are %s', (ms, text) => {
  expect(span(ms)).toBe(text);
});

test.each([
  [0, '0 %'],
  [1, '100 %'],
  [0.5, '50 %'],
  [1 / 3, '33.3 %'],
  [0.001, '0.1 %'],
  [0.495, '49.5 %'],
])('a share of %d is %s', (share, text) => {
  expect(percent(share)).toBe(text);
});

test('one thing is one, others are many', () => {
  expect([many(0, 'call'), many(1, 'call'), many(2, 'call')]).toEqual(['0 calls', '1 call', '2 calls']);
});
