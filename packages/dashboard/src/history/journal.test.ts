import { expect, test } from 'vitest';
import type { Entry } from '../protocol/entry.ts';
import { Journal, keptMs } from './journal.ts';

const entry = (id: string, at: number): Entry => ({
  id,
  at,
  from: 'closed',
  to: 'open',
  kind: 'transition',
  why: `${at}`,
});
const moments = (entries: readonly Entry[]): number[] => entries.map(({ at }) => at);

test('it tells of each breaker and of all, the newest last', () => {
  const journal = new Journal();
  for (let at = 1; at <= 6; at++) journal.add(entry(at % 2 ? 'odd' : 'even', at));
  expect(moments(journal.of('odd', 6))).toEqual([1, 3, 5]);
  expect(moments(journal.latest(4, 6))).toEqual([3, 4, 5, 6]);
  expect(journal.ids(6)).toEqual(['odd', 'even']);
  expect(journal.of('another', 6)).toEqual([]);
});

test('six hours later it is forgotten', () => {
  const journal = new Journal();
  journal.add(entry('a', 0));
  journal.add(entry('a', 1_000));
  expect(moments(journal.of('a', keptMs + 500))).toEqual([1_000]);
  expect(journal.ids(keptMs + 1_001)).toEqual([]);
  expect(journal.size).toBe(0);
});

test('a flapping breaker pushes out its own past, not that of others', () => {
  const journal = new Journal(10, 100);
  journal.add(entry('quiet', 0));
  for (let at = 1; at <= 5_000; at++) journal.add(entry('flapping', at));
  expect(moments(journal.of('quiet', 5_000))).toEqual([0]);
  expect(moments(journal.of('flapping', 5_000))).toEqual([
    4_991, 4_992, 4_993, 4_994, 4_995, 4_996, 4_997, 4_998, 4_999, 5_000,
  ]);
  expect(journal.size).toBe(11);
});

test('with thousands of breakers the oldest of all give way', () => {
  const journal = new Journal(10, 100);
  for (let at = 0; at < 10_000; at++) journal.add(entry(`tenant-${at}`, at));
  expect(journal.size).toBe(100);
  expect(journal.ids(10_000)).toHaveLength(100);
  expect(moments(journal.latest(1_000, 10_000))[0]).toBe(9_900);
});
