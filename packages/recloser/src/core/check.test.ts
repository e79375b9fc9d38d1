import { describe, expect, test } from 'vitest';
import { type Bounds, Check } from './check.ts';

/** The error of a check, if it found anything. */
function faultOf(look: (check: Check) => unknown, wrongType?: boolean): Error | undefined {
  const check = new Check('thing', wrongType);
  look(check);
  try {
    check.done();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

describe('number', () => {
  const bounds: Bounds = [1, 10];
  const whole: Bounds = [1, 10, true];

  test.each([1, 10, 1.5, 5])('takes %d from 1 to 10, the ends included', (value) => {
    expect(faultOf((check) => expect(check.number('n', value, bounds)).toBe(value))).toBeUndefined();
  });

  test.each([
    [0, '0'],
    [10.001, '10.001'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('refuses %d as out of range', (value, shown) => {
    const fault = faultOf((check) => check.number('n', value, bounds));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe(`thing: n must be a number from 1 to 10, got ${shown}`);
  });

  test('refuses fractions where whole numbers are wanted', () => {
    expect(faultOf((check) => check.number('n', 5, whole))).toBeUndefined();
    expect(faultOf((check) => check.number('n', 5.5, whole))?.message).toBe(
      'thing: n must be an integer from 1 to 10, got 5.5',
    );
  });

  test.each(['5', null, true, {}, 5n])('refuses %s as of the wrong type', (value) => {
    expect(faultOf((check) => check.number('n', value, bounds))).toBeInstanceOf(TypeError);
  });

  test('answers the default for undefined, and requires the value without one', () => {
    expect(faultOf((check) => expect(check.number('n', undefined, bounds, 77)).toBe(77))).toBeUndefined();
    expect(faultOf((check) => check.number('n', undefined, bounds))?.message).toContain('got undefined');
  });

  test('goes on with a number whatever it got', () => {
    const check = new Check('thing');
    expect(check.number('n', 'x', bounds)).toBe(1);
    expect(check.number('n', 99, bounds, 5)).toBe(1);
  });
});

describe('oneOf', () => {
  const words = ['first', 'second'] as const;

  test('takes the words, and the first of them for undefined', () => {
    const fault = faultOf((check) => {
      expect(check.oneOf('w', 'second', words)).toBe('second');
      expect(check.oneOf('w', undefined, words)).toBe('first');
    });
    expect(fault).toBeUndefined();
  });

  test('refuses other words as out of range, other types as such', () => {
    const fault = faultOf((check) => expect(check.oneOf('w', 'third', words)).toBe('first'));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe("thing: w must be one of 'first', 'second', got 'third'");
    expect(faultOf((check) => check.oneOf('w', 5, words))).toBeInstanceOf(TypeError);
  });
});

describe('typed', () => {
  test.each([
    ['string', 'x', 5],
    ['boolean', false, 'false'],
    ['function', () => {}, {}],
  ] as const)('takes a %s and refuses what is none', (type, good, bad) => {
    expect(faultOf((check) => expect(check.typed('o', good, type, undefined)).toBe(good))).toBeUndefined();
    const fault = faultOf((check) => check.typed('o', bad, type, undefined));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toContain(`o must be a ${type}`);
  });

  test('answers the default for undefined, and goes on with it after a fault', () => {
    expect(faultOf((check) => expect(check.typed('o', undefined, 'string', 'd')).toBe('d'))).toBeUndefined();
    expect(faultOf((check) => expect(check.typed('o', 5, 'string', 'd')).toBe('d'))).toBeInstanceOf(TypeError);
    expect(faultOf((check) => check.typed('o', null, 'string', 'd'))).toBeInstanceOf(TypeError);
  });
});

describe('record', () => {
  test('hands out the record, and an empty one for undefined', () => {
    const record = { a: 1 };
    const fault = faultOf((check) => {
      expect(check.record('', record, ['a', 'b'])).toBe(record);
      expect(check.record('', undefined, ['a'])).toEqual({});
    });
    expect(fault).toBeUndefined();
  });

  test.each([[null], [[]], ['text'], [5]])('refuses %o', (value) => {
    const fault = faultOf((check) => expect(check.record('', value)).toEqual({}));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toContain('options must be an object');
    expect(faultOf((check) => check.record('inner', value))?.message).toContain('inner must be an object');
  });

  test('tells unknown keys with those that are known, unless they are undefined', () => {
    const fault = faultOf((check) => check.record('', { a: 1, c: undefined, d: 4 }, ['a', 'b']));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toMatch(/d must be one of a, b/);
    expect(fault?.message).not.toMatch(/\bc\b/);
    expect(faultOf((check) => check.record('inner', { d: 4 }, ['a']))?.message).toContain('inner.d');
  });

  test('asks nothing of the keys where none are named', () => {
    expect(faultOf((check) => check.record('', { anything: 1 }))).toBeUndefined();
  });
});

describe('faults', () => {
  test('are told all together, in the order they were found', () => {
    const fault = faultOf((check) => {
      check.number('a', 0, [1, 2]);
      check.fault('b', 'blue', 'red', false);
    });
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe("thing: a must be a number from 1 to 2, got 0; b must be blue, got 'red'");
  });

  test('are a TypeError as soon as one of them is', () => {
    const mixed = faultOf((check) => {
      check.fault('a', 'x', 1, true);
      check.fault('b', 'x', 1, false);
    });
    expect(mixed).toBeInstanceOf(TypeError);
    expect(faultOf((check) => check.fault('a', 'x', 1))).toBeInstanceOf(TypeError);
    expect(faultOf((check) => check.fault('a', 'x', 1, false), true)).toBeInstanceOf(TypeError);
  });

  test.each([
    ['x'.repeat(100), `'${'x'.repeat(40)}'`],
    [() => {}, 'a function'],
    [[1], 'an array'],
    [{}, 'an object'],
    [null, 'null'],
    [undefined, 'undefined'],
    [Symbol('s'), 'Symbol(s)'],
    [Object.create(null), 'an object'],
  ])('show what was received, shortly (%#)', (value, shown) => {
    const fault = faultOf((check) => check.fault('a', 'b', value));
    expect(fault?.message).toBe(`thing: a must be b, got ${shown}`);
  });
});
