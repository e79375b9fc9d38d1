import { describe, expect, test } from 'vitest';
import {
  also,
  anything,
  callback,
  flag,
  having,
  list,
  number,
  oneOf,
  optionsOf,
  type Reader,
  read,
  record,
  stored,
  text,
} from './check.ts';

/** A member that must be there, read as options are. */
const member = (reader: Reader, value: unknown): unknown => read('thing', { m: value }, record({ m: reader })).m;

/** The error of a reading, if it found a fault. */
function faultOf(look: () => unknown): Error | undefined {
  try {
    look();
  } catch (error) {
    return error as Error;
  }
  return undefined;
}

describe('number', () => {
  const bounds = number(1, 10);
  const whole = number(1, 10, true);

  test.each([1, 10, 1.5, 5])('takes %d from 1 to 10, the ends included', (value) => {
    expect(member(bounds, value)).toBe(value);
  });

  test.each([
    [0, '0'],
    [10.001, '10.001'],
    [-1, '-1'],
    [Number.NaN, 'NaN'],
    [Number.POSITIVE_INFINITY, 'Infinity'],
  ])('refuses %d as out of range', (value, shown) => {
    const fault = faultOf(() => member(bounds, value));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe(`thing: m must be a number from 1 to 10, got ${shown}`);
  });

  test('refuses fractions where whole numbers are wanted', () => {
    expect(member(whole, 5)).toBe(5);
    expect(faultOf(() => member(whole, 5.5))?.message).toBe('thing: m must be an integer from 1 to 10, got 5.5');
  });

  test.each(['5', null, true, {}, 5n, undefined])('refuses %s as of the wrong type', (value) => {
    expect(faultOf(() => member(bounds, value))).toBeInstanceOf(TypeError);
  });
});

describe('oneOf', () => {
  const words = oneOf('first', 'second');

  test('takes the words', () => {
    expect(member(words, 'first')).toBe('first');
    expect(member(words, 'second')).toBe('second');
  });

  test('refuses other words as out of range, other types as such', () => {
    const fault = faultOf(() => member(words, 'third'));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe("thing: m must be one of 'first', 'second', got 'third'");
    expect(faultOf(() => member(words, 5))).toBeInstanceOf(TypeError);
  });
});

describe('values of JavaScript’s own types', () => {
  test.each([
    ['string', text, 'x', 5],
    ['boolean', flag, false, 'false'],
    ['function', callback, () => {}, {}],
    ['string', text, '', null],
  ] as const)('takes a %s and refuses what is none', (type, reader, good, bad) => {
    expect(member(reader, good)).toBe(good);
    const fault = faultOf(() => member(reader, bad));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toContain(`m must be a ${type}`);
  });

  test.each([null, 5, undefined])('anything is taken: %s', (value) => {
    expect(member(anything, value)).toBe(value);
  });
});

describe('having', () => {
  const door = having('a door', { open: 'function', name: 'string' });

  test('takes the very object, or function, that has the members, its own or inherited', () => {
    class Door {
      name = 'a';
      open(): void {}
    }
    const given = new Door();
    expect(member(door, given)).toBe(given);
    const callable = Object.assign(() => {}, { open: () => {} });
    expect(member(door, callable)).toBe(callable);
  });

  test.each([null, undefined, 5, {}, { open: () => {} }, { open: 1, name: 'a' }])('refuses %o', (value) => {
    const fault = faultOf(() => member(door, value));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toContain('m must be a door with');
  });

  test('says what is missing', () => {
    expect(faultOf(() => member(door, { name: 'a' }))?.message).toBe(
      'thing: m must be a door with open, got an object',
    );
  });
});

describe('list', () => {
  test('takes over so many members, each as it is read', () => {
    expect(member(list(number(0, 9)), [1, 2, 3])).toEqual([1, 2, 3]);
    expect(member(list(number(0, 9), 2), [1, 2, 'beyond'])).toEqual([1, 2]);
  });

  test('refuses what is no list, and members that do not fit', () => {
    expect(faultOf(() => member(list(anything), { length: 0 }))?.message).toBe(
      'thing: m must be a list, got an object',
    );
    expect(faultOf(() => member(list(number(0, 9)), [1, 10, 11]))?.message).toMatch(/got 10; .*got 11/);
  });
});

describe('record', () => {
  const known = { a: number(0, 9) };

  test('takes over what is named, of what may be absent only what is there', () => {
    const given = { a: 1, b: 2, c: undefined, other: 5 };
    const taken = read('thing', given, record(known, { b: anything, c: anything, d: anything }));
    expect(taken).toStrictEqual({ a: 1, b: 2 });
    expect(taken).not.toBe(given);
  });

  test('what is needed must be there', () => {
    expect(faultOf(() => read('thing', {}, record(known)))?.message).toContain(
      'a must be a number from 0 to 9, got undefined',
    );
  });

  test.each([[null], [[]], ['text'], [5], [undefined]])('refuses %o', (value) => {
    const fault = faultOf(() => read('thing', value, record(known)));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toContain('options must be an object');
    expect(faultOf(() => read('thing', { inner: value }, record({ inner: record(known) })))?.message).toContain(
      'inner must be an object',
    );
  });

  test('names the path of a fault', () => {
    const nested = record({ inner: record({ innermost: record(known) }) });
    expect(faultOf(() => read('thing', { inner: { innermost: { a: 10 } } }, nested))?.message).toContain(
      'inner.innermost.a must be',
    );
  });
});

describe('options', () => {
  const known = optionsOf({}, { a: anything, b: anything, inner: optionsOf({}, { a: anything }) });

  test('unknown ones are faults that name those that are known, unless they are undefined', () => {
    const fault = faultOf(() => read('thing', { a: 1, c: undefined, d: 4 }, known));
    expect(fault).toBeInstanceOf(TypeError);
    expect(fault?.message).toMatch(/unknown option d must be one of a, b, inner, got 'd'/);
    expect(fault?.message).not.toMatch(/\bc\b/);
    expect(faultOf(() => read('thing', { inner: { d: 4 } }, known))?.message).toContain('inner.d');
  });

  test.each(['constructor', 'toString', 'hasOwnProperty'])('what every object has is unknown as well: %s', (key) => {
    expect(faultOf(() => read('thing', { [key]: 1 }, known))?.message).toContain(`unknown option ${key}`);
    expect(read('thing', {}, known)).toStrictEqual({});
  });
});

describe('also', () => {
  const ordered = also(record({ low: number(0, 9), high: number(0, 9) }), ({ low, high }, fault, isSound) => {
    if (isSound && low > high) fault('high', 'at least low', high, false);
  });

  test('adds a rule over several members', () => {
    expect(read('thing', { low: 1, high: 2 }, ordered)).toEqual({ low: 1, high: 2 });
    const fault = faultOf(() => read('thing', { low: 2, high: 1 }, ordered));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe('thing: high must be at least low, got 1');
  });

  test('asks it after a fault too, and says so; of what is no record there is nothing to ask', () => {
    const apart = also(record({}, { a: text, b: text }), ({ a, b }, fault, isSound) => {
      fault('both', `${isSound}`, a !== undefined && b !== undefined);
    });
    expect(faultOf(() => read('thing', { a: 'a', b: 5 }, apart))?.message).toBe(
      'thing: b must be a string, got 5; both must be false, got true',
    );
    expect(faultOf(() => read('thing', {}, apart))?.message).toBe('thing: both must be true, got false');
    expect(faultOf(() => read('thing', 5, apart))?.message).toBe('thing: options must be an object, got 5');
  });
});

describe('faults', () => {
  const two = record({ a: number(1, 2), b: number(1, 2) });

  test('are told all together, in the order they were found', () => {
    const fault = faultOf(() => read('thing', { a: 0, b: 3 }, two));
    expect(fault).toBeInstanceOf(RangeError);
    expect(fault?.message).toBe('thing: a must be a number from 1 to 2, got 0; b must be a number from 1 to 2, got 3');
  });

  test('are a TypeError as soon as one of them is, or where the data was stored', () => {
    expect(faultOf(() => read('thing', { a: '1', b: 3 }, two))).toBeInstanceOf(TypeError);
    expect(faultOf(() => read('thing', { a: 0, b: '1' }, two))).toBeInstanceOf(TypeError);
    expect(faultOf(() => read('thing', { a: 0, b: 1 }, stored(two)))).toBeInstanceOf(TypeError);
    const own: Reader = (value, path, fault) => fault(path, 'x', value);
    expect(faultOf(() => member(own, 1))).toBeInstanceOf(TypeError);
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
    const never: Reader = (received, path, fault) => fault(path, 'b', received);
    expect(faultOf(() => member(never, value))?.message).toBe(`thing: m must be b, got ${shown}`);
  });
});
