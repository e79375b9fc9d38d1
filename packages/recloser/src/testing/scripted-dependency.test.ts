import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { manualClock, scriptedDependency } from './index.ts';

describe('scriptedDependency', () => {
  test('does what its script says, in the order of the calls, the last outcome again beyond it', async () => {
    const clock = manualClock();
    const error = new Error('scripted');
    const dependency = scriptedDependency(clock, [{ value: 1 }, { error }, { value: 3 }]);
    expect(await dependency()).toBe(1);
    await expect(dependency()).rejects.toBe(error);
    expect([await dependency(), await dependency()]).toEqual([3, 3]);
    expect([dependency.calls, dependency.inFlight]).toEqual([4, 0]);
  });

  test('after 0 ms is at once: no clock has to be advanced', async () => {
    expect(await scriptedDependency(manualClock(), [{ value: 1, afterMs: 0 }])()).toBe(1);
  });

  test('takes its time on the clock it was given', async () => {
    const clock = manualClock();
    const dependency = scriptedDependency(clock, [
      { value: 'slow', afterMs: 50 },
      { error: 'late', afterMs: 20 },
    ]);
    const ends: unknown[] = [];
    void dependency().then((value) => ends.push(value, clock.now()));
    void dependency().catch((reason: unknown) => ends.push(reason, clock.now()));
    expect(dependency.inFlight).toBe(2);
    await clock.advance(20);
    expect(dependency.inFlight).toBe(1);
    await clock.advance(30);
    expect(ends).toEqual(['late', 20, 'slow', 50]);
    expect(dependency.inFlight).toBe(0);
  });

  test('a hung call stays at work', async () => {
    const clock = manualClock();
    const dependency = scriptedDependency(clock, [{ hang: true }]);
    void dependency();
    await clock.advance(1e9);
    expect([dependency.calls, dependency.inFlight]).toEqual([1, 1]);
  });

  test('with honoursAbort a call rejects with the reason, once, whatever its script says, and leaves no timer', async () => {
    const clock = manualClock();
    const dependency = scriptedDependency(clock, [{ hang: true }, { value: 1, afterMs: 50 }], { honoursAbort: true });
    const controller = new AbortController();
    const calls = [dependency({ signal: controller.signal }), dependency({ signal: controller.signal })];
    controller.abort('enough');
    for (const call of calls) await expect(call).rejects.toBe('enough');
    expect(clock.pending).toBe(0);
    await clock.advance(50);
    expect(dependency.inFlight).toBe(0);
  });

  test('without it the work goes on, as most work does', async () => {
    const clock = manualClock();
    const dependency = scriptedDependency(clock, [{ value: 1, afterMs: 50 }]);
    const controller = new AbortController();
    const call = dependency({ signal: controller.signal });
    controller.abort();
    await clock.advance(50);
    expect(await call).toBe(1);
  });

  test('an abort after the end changes nothing: nobody listens any more', async () => {
    const clock = manualClock();
    const dependency = scriptedDependency(clock, [{ value: 1 }], { honoursAbort: true });
    const controller = new AbortController();
    expect(await dependency({ signal: controller.signal })).toBe(1);
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
    controller.abort();
    expect(dependency.inFlight).toBe(0);
  });

  test('a signal that is aborted already is honoured as well', async () => {
    const dependency = scriptedDependency(manualClock(), [{ value: 1 }], { honoursAbort: true });
    await expect(dependency({ signal: AbortSignal.abort('before') })).rejects.toBe('before');
    expect([dependency.calls, dependency.inFlight]).toEqual([1, 0]);
  });

  test('an empty script is none', () => {
    expect(() => scriptedDependency(manualClock(), [])).toThrow(TypeError);
  });
});
