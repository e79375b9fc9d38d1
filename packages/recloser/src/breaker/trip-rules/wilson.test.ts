import { expect, test } from 'vitest';
import { standardScore, wilsonLowerBound } from './wilson.ts';

test.each([
  [0.5, 0.67449],
  [0.8, 1.281552],
  [0.9, 1.644854],
  [0.95, 1.959964],
  [0.99, 2.575829],
  [0.999, 3.290527],
  [0.9999, 3.890592],
])('confidence %d reaches %d standard deviations', (confidence, z) => {
  expect(standardScore(confidence)).toBeCloseTo(z, 3);
});

// 81 of 263, 15 of 148 and 1 of 29 are those of Newcombe (1998), table I; the others were computed apart.
test.each([
  [1, 10, 0.017876],
  [5, 10, 0.236593],
  [8, 10, 0.490162],
  [10, 10, 0.722467],
  [1, 1, 0.206549],
  [4, 4, 0.510109],
  [50, 100, 0.403832],
  [81, 263, 0.255289],
  [15, 148, 0.062386],
  [1, 29, 0.006113],
  [500, 1_000, 0.46907],
])('the lower end for %d of %d at 95 %% is %d', (hits, calls, bound) => {
  expect(wilsonLowerBound(hits, calls, 1.959964)).toBeCloseTo(bound, 5);
});

test('of no hits, and of no calls, it is 0, not noise', () => {
  for (const calls of [0, 1, 5, 7, 1_000]) {
    for (const z of [0.67449, 1.959964, 3.89]) expect(wilsonLowerBound(0, calls, z)).toBe(0);
  }
});

test('it is below the share, rises with the hits, and nears the share with many calls', () => {
  for (const calls of [1, 5, 20, 100]) {
    let before = 0;
    for (let hits = 1; hits <= calls; hits++) {
      const bound = wilsonLowerBound(hits, calls, 1.96);
      expect(bound).toBeLessThan(hits / calls);
      expect(bound).toBeGreaterThan(before);
      before = bound;
    }
  }
  expect(wilsonLowerBound(500_000, 1_000_000, 1.96)).toBeCloseTo(0.499, 3);
});
