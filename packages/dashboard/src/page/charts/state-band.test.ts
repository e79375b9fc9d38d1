import { expect, test } from 'vitest';
import type { Entry } from '../../protocol/entry.ts';
import { stretchesOf } from './state-band.tsx';

const change = (at: number, from: Entry['from'], to: Entry['to']): Entry => ({
  id: 'a',
  at,
  from,
  to,
  kind: 'transition',
});

test('the stretches cover the time without gaps, from what it was before the first change on', () => {
  const entries = [change(10, 'closed', 'open'), change(40, 'open', 'half-open'), change(45, 'half-open', 'closed')];
  expect(stretchesOf(entries, 'closed', 0, 100)).toEqual([
    { state: 'closed', from: 0, to: 10 },
    { state: 'open', from: 10, to: 40 },
    { state: 'half-open', from: 40, to: 45 },
    { state: 'closed', from: 45, to: 100 },
  ]);
});

test('what lies outside is cut off, and without changes it is what it is now', () => {
  expect(stretchesOf([change(10, 'closed', 'open')], 'open', 50, 60)).toEqual([{ state: 'open', from: 50, to: 60 }]);
  expect(stretchesOf([], 'forced-open', 0, 5)).toEqual([{ state: 'forced-open', from: 0, to: 5 }]);
});

const force = (at: number, from: Entry['from'], to: Entry['to'], expiresInMs?: number): Entry => ({
  ...change(at, from, to),
  kind: 'action',
  expiresInMs,
});

test('a state that somebody set ends when it expires, though the next call only tells, if one comes', () => {
  const forced = force(10, 'open', 'forced-closed', 20);
  const until30 = [
    { state: 'open', from: 0, to: 10 },
    { state: 'forced-closed', from: 10, to: 30 },
  ];
  const open = { state: 'open', from: 30, to: 60 };
  expect(stretchesOf([forced], 'open', 0, 60)).toEqual([...until30, open]);
  expect(stretchesOf([forced], 'forced-closed', 0, 25)).toEqual([until30[0], { ...until30[1], to: 25 }]);
  const told = [forced, force(50, 'forced-closed', 'open'), change(55, 'open', 'half-open')];
  const halfOpen = { state: 'half-open', from: 55, to: 60 };
  expect(stretchesOf(told, 'half-open', 0, 60)).toEqual([...until30, { ...open, to: 55 }, halfOpen]);
  const again = [forced, force(50, 'open', 'disabled')];
  const disabled = { state: 'disabled', from: 50, to: 60 };
  expect(stretchesOf(again, 'disabled', 0, 60)).toEqual([...until30, { ...open, to: 50 }, disabled]);
  const longer = [forced, force(25, 'forced-closed', 'forced-closed', 30)];
  expect(stretchesOf(longer, 'open', 0, 60)).toEqual([
    until30[0],
    { state: 'forced-closed', from: 10, to: 55 },
    { ...open, from: 55 },
  ]);
});

test('what happens below a state that somebody set is not seen until that ends', () => {
  const entries = [force(10, 'closed', 'observe-only', 30), change(20, 'closed', 'open')];
  const covered = [
    { state: 'closed', from: 0, to: 10 },
    { state: 'observe-only', from: 10, to: 30 },
  ];
  expect(stretchesOf(entries, 'observe-only', 0, 30)).toEqual(covered);
  expect(stretchesOf(entries, 'open', 0, 60)).toEqual([
    covered[0],
    { ...covered[1], to: 40 },
    { state: 'open', from: 40, to: 60 },
  ]);
});
