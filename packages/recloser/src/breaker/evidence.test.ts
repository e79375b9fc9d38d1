import { describe, expect, test } from 'vitest';
import { evidence, noFacts, TroubleLog } from './evidence.ts';

const named = (name: string): Error => Object.assign(new Error(`${name}!`), { name });

describe('evidence', () => {
  test('S24: shares nothing with what it was made of', () => {
    const measured = { rule: 'allOf', value: 1, threshold: 1, calls: 3 };
    const made = evidence(measured, noFacts, 4, 5);
    expect(made).toEqual({ ...measured, topErrors: [], generation: 4, openForMs: 5 });
    measured.value = 99;
    expect(made.value).toBe(1);
  });
});

describe('TroubleLog', () => {
  test('counts the classes of the newest failures', () => {
    const log = new TroubleLog();
    for (const name of ['old', 'A', 'B', 'A']) log.add(true, false, named(name), 0);
    expect(log.facts(3, 0)).toEqual({
      topErrors: [
        { name: 'A', count: 2 },
        { name: 'B', count: 1 },
      ],
      lastError: { name: 'A', message: 'A!' },
      slowestMs: 0,
    });
  });

  test('names the most frequent first, five at most', () => {
    const log = new TroubleLog();
    for (const name of ['D', 'E', 'F', 'C', 'C', 'A', 'A', 'A', 'B', 'B']) log.add(true, false, named(name), 0);
    expect(log.facts(10, 0).topErrors.map(({ name, count }) => `${name} ${count}`)).toEqual([
      'A 3',
      ...['B 2', 'C 2', 'F 1', 'E 1'],
    ]);
  });

  test('takes the slowest of those that count, failed or slow', () => {
    const log = new TroubleLog();
    log.add(false, true, undefined, 900);
    log.add(true, false, named('A'), 50);
    log.add(false, true, undefined, 200);
    expect(log.facts(1, 0).slowestMs).toBe(50);
    expect(log.facts(0, 1).slowestMs).toBe(200);
    expect(log.facts(1, 2).slowestMs).toBe(900);
    expect(log.facts(0, 0)).toEqual({ topErrors: [], slowestMs: 0 });
  });

  test('slow calls are no errors, and a call may be both', () => {
    const log = new TroubleLog();
    log.add(true, true, named('A'), 70);
    log.add(false, true, undefined, 80);
    expect(log.facts(1, 2)).toEqual({
      topErrors: [{ name: 'A', count: 1 }],
      lastError: { name: 'A', message: 'A!' },
      slowestMs: 80,
    });
    expect(log.facts(0, 2)).toEqual({ topErrors: [], slowestMs: 80 });
  });

  test('S29: looks back over 32 calls at most', () => {
    const log = new TroubleLog();
    for (let i = 0; i < 100; i++) log.add(true, false, named(i < 68 ? 'old' : 'new'), 1);
    expect(log.facts(1_000, 0).topErrors).toEqual([{ name: 'new', count: 32 }]);
    log.add(true, false, named('newest'), 1);
    expect(log.facts(2, 0)).toMatchObject({
      topErrors: [{ name: 'newest' }, { name: 'new' }],
      lastError: { name: 'newest' },
    });
  });

  test('is empty where nothing was added', () => {
    expect(new TroubleLog().facts(5, 5)).toEqual({ topErrors: [], slowestMs: 0 });
  });

  const throwing = Object.defineProperty({}, 'name', {
    get() {
      throw new Error('getter');
    },
  });
  test.each([
    [named('HttpError'), 'HttpError', 'HttpError!'],
    [Object.assign(named('X'), { code: 'ECONNRESET' }), 'ECONNRESET', 'X!'],
    [Object.assign(named('X'), { code: 500 }), 'X', 'X!'],
    [Object.assign(named('X'), { code: '' }), 'X', 'X!'],
    [Object.assign(named('TimeoutError'), { code: 23 }), 'TimeoutError', 'TimeoutError!'],
    [Object.assign(named('TimeoutError'), { code: 'ERR_TIMEOUT' }), 'TimeoutError', 'TimeoutError!'],
    ['text', 'thrown string', 'text'],
    [7, 'thrown number', '7'],
    [null, 'thrown null', 'null'],
    [undefined, 'failure without error', undefined],
    [Symbol('s'), 'thrown symbol', 'Symbol(s)'],
    [{ message: 5 }, 'unknown error', '5'],
    [throwing, 'unknown error', undefined],
    [{ name: '' }, 'unknown error', undefined],
  ])('has a class and a message for whatever was thrown (%#)', (thrown, name, message) => {
    const log = new TroubleLog();
    expect(() => log.add(true, false, thrown, 0)).not.toThrow();
    const { topErrors, lastError } = log.facts(1, 0);
    expect(topErrors).toEqual([{ name, count: 1 }]);
    expect(lastError?.name).toBe(name);
    if (message !== undefined) expect(lastError?.message).toBe(message);
  });

  test('S29: long texts are cut', () => {
    const log = new TroubleLog();
    log.add(true, false, Object.assign(new Error('m'.repeat(1_000)), { code: 'c'.repeat(1_000) }), 0);
    const { topErrors, lastError } = log.facts(1, 0);
    expect(topErrors[0]?.name).toBe(`${'c'.repeat(60)}…`);
    expect(lastError?.message).toBe(`${'m'.repeat(200)}…`);
    log.add(true, false, Object.assign(new Error('m'.repeat(200)), { code: 'c'.repeat(60) }), 0);
    expect(log.facts(1, 0).lastError).toEqual({ name: 'c'.repeat(60), message: 'm'.repeat(200) });
  });
});
