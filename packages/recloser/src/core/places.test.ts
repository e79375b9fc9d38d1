import { expect, test } from 'vitest';
import { Places } from './places.ts';

test('gives as many places as there are, and each again once it is free', () => {
  const places = new Places(2);
  expect([places.take(), places.take(), places.take()]).toEqual([true, true, false]);
  places.release();
  expect([places.taken, places.take(), places.take()]).toEqual([1, true, false]);
});

test('those at work before there was a limit take places until no more are at work than have one', () => {
  const places = new Places(2, 2);
  expect(places.take()).toBe(false);
  expect([places.fit(1), places.taken, places.take()]).toEqual([1, 1, true]);
  expect(places.fit(2)).toBe(1);
  places.release();
  expect([places.fit(0), places.taken]).toEqual([0, 0]);
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
