import { expect, test } from 'vitest';
import { Tokens } from './token.ts';

const hour = 3_600_000;

test('a token is good for its user, for 12 to 24 hours, in this process', () => {
  let now = 100 * hour;
  const tokens = new Tokens(() => now);
  const token = tokens.issue('ana');
  expect(tokens.isGood(token, 'ana')).toBe(true);
  expect(tokens.isGood(token, 'bob')).toBe(false);
  expect(tokens.isGood(token, undefined)).toBe(false);
  expect(new Tokens(() => now).isGood(token, 'ana')).toBe(false);
  now += 11 * hour;
  expect(tokens.isGood(token, 'ana')).toBe(true);
  now += 13 * hour;
  expect(tokens.isGood(token, 'ana')).toBe(false);
});

test.each([undefined, '', '.', '8.', 'x.y', '1e1.a', `8.${'a'.repeat(43)}`, 'Infinity.x', 'NaN.x'])(
  '%j is none',
  (token) => {
    expect(new Tokens(() => 100 * hour).isGood(token, undefined)).toBe(false);
  },
);
