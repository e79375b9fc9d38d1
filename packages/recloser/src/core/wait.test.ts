import { getEventListeners } from 'node:events';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection, stateOf } from '../../../../test/support/calls.ts';
import { CallerScope, nobody } from './call/scope.ts';
import { systemClock } from './time/clock.ts';
import { wait } from './wait.ts';

describe('waiting', () => {
  test('takes as long as it says, on the clock', async () => {
    const clock = manualClock();
    const waiting = wait(clock, 100, nobody);
    await clock.advance(99);
    expect(await stateOf(waiting)).toBe('pending');
    await clock.advance(1);
    expect(await waiting).toBeUndefined();
  });

  test('S22: ends with the caller’s reason at once when the caller gives up, and leaves neither timer nor listener', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const waiting = wait(clock, 100, new CallerScope('x', { signal: caller.signal }));
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(1);
    caller.abort('enough');
    expect(await rejection(waiting)).toBe('enough');
    expect(clock.pending).toBe(0);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test('S22: does not begin for a caller who gave up before', async () => {
    const clock = manualClock();
    expect(await rejection(wait(clock, 100, new CallerScope('x', { signal: AbortSignal.abort('gone') })))).toBe('gone');
    expect(clock.pending).toBe(0);
  });

  test('S21: on a clock of somebody else’s it takes fractions of a millisecond exactly', async () => {
    const clock = manualClock();
    const waiting = wait(clock, 2.5, nobody);
    await clock.advance(2.25);
    expect(await stateOf(waiting)).toBe('pending');
    await clock.advance(0.25);
    expect(await stateOf(waiting)).toBe('fulfilled');
  });

  test('S21: on the system’s clock it is never over early, fractions or not', async () => {
    const early: number[] = [];
    const waits = Array.from({ length: 30 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      const started = performance.now();
      await wait(systemClock, 2.9, nobody);
      const took = performance.now() - started;
      if (took < 2.9) early.push(took);
    });
    await Promise.all(waits);
    expect(early).toEqual([]);
  });

  test('leaves no listener when the time is over', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const waiting = wait(clock, 100, new CallerScope('x', { signal: caller.signal }));
    await clock.advance(100);
    await waiting;
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });
});
