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
