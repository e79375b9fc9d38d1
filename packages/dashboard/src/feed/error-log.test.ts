import { expect, test } from 'vitest';
import { ErrorLog } from './error-log.ts';

const log = () => new ErrorLog((message) => message.replace('secret', '…'));

test('it holds the last twenty, by code or name, with what should not be shown taken out', () => {
  const errors = log();
  for (let i = 0; i < 30; i++) {
    errors.renew();
    errors.add(Object.assign(new Error(`secret ${i}`), i % 2 ? { code: 'ECONNRESET' } : {}), { at: () => i });
  }
  const seen = errors.list();
  expect(seen).toHaveLength(20);
  expect(seen.at(-1)).toEqual({ at: 29, name: 'ECONNRESET', message: '… 29' });
  expect(seen.at(-2)).toEqual({ at: 28, name: 'Error', message: '… 28' });
});

test('of a storm it holds a few a second', () => {
  const errors = log();
  for (let i = 0; i < 10_000; i++) errors.add(new Error('x'), { at: () => i });
  expect(errors.list()).toHaveLength(5);
});

test('what a storm says is looked through once, and again when it says something else', () => {
  const looked: string[] = [];
  const errors = new ErrorLog((message) => {
    looked.push(message.slice(0, 9));
    return message.toUpperCase();
  });
  for (const message of ['a', 'a', 'b', 'b', 'a', 'x'.repeat(5_000), 'x'.repeat(5_000)]) {
    errors.renew();
    errors.add(new Error(message), { at: () => 1 });
  }
  expect(looked).toEqual(['a', 'b', 'a', 'xxxxxxxxx', 'xxxxxxxxx']);
  expect(errors.list().map(({ message }) => message.slice(0, 2))).toEqual(['A', 'A', 'B', 'B', 'A', 'XX', 'XX']);
});

test('whatever was thrown, it does not throw', () => {
  const bad = {
    get name(): string {
      throw new Error('no');
    },
  };
  for (const thrown of [undefined, null, 7, 'text', Symbol('x'), bad, { message: {} }, Object.create(null)]) {
    const errors = log();
    errors.add(thrown, { at: () => 1 });
    expect(errors.list()).toHaveLength(1);
  }
});
