import { expect, test } from 'vitest';
import { keptSeconds, type Point, Series, SeriesStore } from './series-store.ts';

const point = (ok: number): Point => ({ ok, failed: 0, refused: 0, value: 0.5, threshold: 0.5, p50: 1, p95: 2 });
const read = (store: SeriesStore, series: Series, from: number, to: number): (number | null)[] =>
  Array.from(store.read(series, 'ok', from, to), (n) => (Number.isNaN(n) ? null : n));

test('what is written for a second is read for that second, and nothing for those in between', () => {
  const store = new SeriesStore(2 ** 20);
  const series = new Series();
  store.write(series, 1_000, point(1));
  store.write(series, 1_002, point(3));
  store.write(series, 1_130, point(4));
  expect(read(store, series, 999, 1_004)).toEqual([null, 1, null, 3, null]);
  expect(read(store, series, 1_129, 1_132)).toEqual([null, 4, null]);
  expect(Array.from(store.read(series, 'p95', 1_000, 1_001))).toEqual([2]);
});

test('breakers never see the figures of one another', () => {
  const store = new SeriesStore(2 ** 20);
  const all = Array.from({ length: 50 }, () => new Series());
  for (let second = 0; second < 180; second++)
    for (const [i, series] of all.entries()) store.write(series, second, point(i));
  for (const [i, series] of all.entries()) expect(new Set(read(store, series, 0, 180))).toEqual(new Set([i]));
});

test('however many breakers are busy for however long, the figures take what they may and no more', () => {
  const store = new SeriesStore(3 * 2 ** 20);
  const all = Array.from({ length: 3_000 }, () => new Series());
  for (let second = 0; second < 600; second += 60) for (const series of all) store.write(series, second, point(second));
  expect(store.bytes).toBeLessThanOrEqual(3 * 2 ** 20);
  // The oldest minutes gave way, the newest are all there.
  expect(all.reduce((held, series) => held + series.held.length, 0)).toBeLessThanOrEqual(store.bytes / 1_680);
  expect(all.slice(-1_000).map((series) => read(store, series, 540, 541)[0])).toEqual(Array(1_000).fill(540));
  expect(read(store, all[0] as Series, 0, 60).every((n) => n === null)).toBe(true);
});

test('nothing older than 15 minutes is held, and what was given back is used again', () => {
  const store = new SeriesStore(2 ** 20);
  const series = new Series();
  for (let second = 0; second < 4_000; second++) store.write(series, second, point(second));
  expect(series.held.length).toBeLessThanOrEqual(keptSeconds / 60 + 1);
  expect(read(store, series, 3_999 - keptSeconds + 60, 4_000)).not.toContain(null);
  store.release(series);
  expect(series.held).toEqual([]);
  const other = new Series();
  for (let second = 0; second < 100_000; second += 60) store.write(other, second, point(1));
  expect(store.bytes).toBeLessThanOrEqual(2 ** 20);
});
