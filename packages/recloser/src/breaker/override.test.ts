import { describe, expect, test } from 'vitest';
import { forcedStates, override, standing } from './override.ts';

describe('override', () => {
  test('says who, why and until when', () => {
    expect(override('disabled', { reason: 'why', by: 'who', expiresInMs: 50 }, 1_000)).toEqual({
      state: 'disabled',
      reason: 'why',
      by: 'who',
      expiresAt: 1_050,
    });
  });

  test('lasts until it is taken off unless said', () => {
    for (const options of [{}, { expiresInMs: undefined as never }]) {
      expect(override('forced-open', options, 5)).toEqual({
        state: 'forced-open',
        reason: undefined,
        by: undefined,
        expiresAt: Number.POSITIVE_INFINITY,
      });
    }
  });

  test.each([
    [{ expiresInMs: 0 }, RangeError],
    [{ expiresInMs: 2 ** 31 }, RangeError],
    [{ expiresInMs: '5' }, TypeError],
    [{ reason: 5 }, TypeError],
    [{ by: null }, TypeError],
    [{ other: 5 }, TypeError],
    [null, TypeError],
  ])('refuses %o', (options, type) => {
    expect(() => override('disabled', options as never, 0)).toThrow(type);
    expect(() => override('disabled', options as never, 0)).toThrow(/^disabled: /);
  });

  test('there are four', () => {
    expect(forcedStates).toEqual(['forced-open', 'forced-closed', 'disabled', 'observe-only']);
  });
});

describe('standing', () => {
  test('is what holds at the time, its end not included', () => {
    const over = override('disabled', { expiresInMs: 50 }, 1_000);
    expect(standing(over, 1_049)).toBe(over);
    expect(standing(over, 1_050)).toBeUndefined();
    expect(standing(over, 9_999)).toBeUndefined();
  });

  test('is for ever what has no end', () => {
    expect(standing(undefined, 0)).toBeUndefined();
    const over = override('disabled', {}, 0);
    expect(standing(over, Number.MAX_VALUE)).toBe(over);
  });
});
