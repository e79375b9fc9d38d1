import { getEventListeners } from 'node:events';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection, stateOf } from '../../../../test/support/calls.ts';
import { CallerScope, nobody } from './call/scope.ts';
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

  test('leaves no listener when the time is over', async () => {
    const clock = manualClock();
    const caller = new AbortController();
    const waiting = wait(clock, 100, new CallerScope('x', { signal: caller.signal }));
    await clock.advance(100);
    await waiting;
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });
});
