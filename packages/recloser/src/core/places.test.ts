import { expect, test } from 'vitest';
import { Places } from './places.ts';

test('gives as many places as there are, and each again once it is free', () => {
  const places = new Places(2);
  expect([places.take(), places.take(), places.take()]).toEqual([true, true, false]);
  places.release();
  expect([places.taken, places.take(), places.take()]).toEqual([1, true, false]);
});

test('those at work before there was a limit take a place each until they end, whatever the limit', () => {
  const places = new Places(2, 2);
  expect(places.take()).toBe(false);
  expect([places.unplaced(-1), places.taken, places.take()]).toEqual([1, 1, true]);
  expect([places.unplaced(1), places.taken, places.take()]).toEqual([2, 3, false]);
  places.release();
  expect([places.unplaced(-1), places.unplaced(-1), places.taken]).toEqual([1, 0, 0]);
});

test('with a lower limit those at work keep their places, and none is given until enough are free', () => {
  const places = new Places(3);
  for (let i = 0; i < 3; i++) places.take();
  places.limit = 1;
  places.release();
  expect(places.take()).toBe(false);
  places.release();
  expect(places.take()).toBe(false);
  places.release();
  expect(places.take()).toBe(true);
});
