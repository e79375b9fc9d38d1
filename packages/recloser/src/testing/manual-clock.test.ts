import { describe, expect, test } from 'vitest';
import { manualClock } from './index.ts';

describe('manualClock', () => {
  test('stands still until it is advanced, and begins where it is told', async () => {
    const clock = manualClock(500);
    expect(clock.now()).toBe(500);
    await clock.advance(20.5);
    expect(clock.now()).toBe(520.5);
    expect(manualClock().now()).toBe(0);
  });

  test('runs due timers in order, each at its own time', async () => {
    const clock = manualClock();
    const seen: [string, number][] = [];
    clock.setTimeout(() => seen.push(['c', clock.now()]), 30);
    clock.setTimeout(() => seen.push(['a', clock.now()]), 10);
    clock.setTimeout(() => seen.push(['b', clock.now()]), 10);
    clock.setTimeout(() => seen.push(['never', clock.now()]), 31);
    await clock.advance(30);
    expect(seen).toEqual([
      ['a', 10],
      ['b', 10],
      ['c', 30],
    ]);
    expect([clock.now(), clock.pending]).toEqual([30, 1]);
  });

  test('runs timers that others set, if they come due', async () => {
    const clock = manualClock();
    const seen: number[] = [];
    const again = (): void => {
      seen.push(clock.now());
      clock.setTimeout(again, 10);
    };
    clock.setTimeout(again, 10);
    await clock.advance(35);
    expect(seen).toEqual([10, 20, 30]);
  });

  test('runs a hundred thousand timers of one moment in a time that grows with their number', async () => {
    const clock = manualClock();
    let ran = 0;
    for (let i = 0; i < 100_000; i++) clock.setTimeout(() => ran++, 10);
    await clock.advance(10);
    expect([ran, clock.pending]).toEqual([100_000, 0]);
  });

  test('lets promises settle before, between and after timers', async () => {
    const clock = manualClock();
    const seen: string[] = [];
    const deep = async (name: string): Promise<void> => {
      for (let i = 0; i < 50; i++) await undefined;
      seen.push(name);
    };
    void deep('before');
    clock.setTimeout(() => {
      seen.push('timer 1');
      void deep('between');
    }, 10);
    clock.setTimeout(() => {
      seen.push('timer 2');
      void deep('after');
    }, 20);
    await clock.advance(20);
    expect(seen).toEqual(['before', 'timer 1', 'between', 'timer 2', 'after']);
  });

  test('a promise that a timer settles can set the next one in time', async () => {
    const clock = manualClock();
    const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
    const seen: number[] = [];
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await sleep(10);
        seen.push(clock.now());
      }
    })();
    await clock.advance(30);
    expect(seen).toEqual([10, 20, 30]);
  });

  test('a cleared timer does not run, not even if another of the same time clears it', async () => {
    const clock = manualClock();
    const seen: string[] = [];
    const handle = clock.setTimeout(() => seen.push('cleared'), 10);
    clock.setTimeout(() => clock.clearTimeout(second), 20);
    const second = clock.setTimeout(() => seen.push('second'), 20);
    clock.clearTimeout(handle);
    clock.clearTimeout(undefined);
    await clock.advance(50);
    expect(seen).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test('negative and zero delays come due at once, when it is advanced', async () => {
    const clock = manualClock(100);
    const seen: number[] = [];
    clock.setTimeout(() => seen.push(clock.now()), -50);
    clock.setTimeout(() => seen.push(clock.now()), 0);
    expect(seen).toEqual([]);
    await clock.advance(0);
    expect(seen).toEqual([100, 100]);
  });

  test('a delay that is no number comes due at once, as with the timers of the system', async () => {
    const clock = manualClock();
    const seen: unknown[] = [];
    for (const ms of [Number.NaN, undefined]) clock.setTimeout(() => seen.push(ms), ms as number);
    await clock.advance(0);
    expect(seen).toEqual([Number.NaN, undefined]);
    expect(clock.pending).toBe(0);
  });

  test('what a timer throws is what advance rejects with; time stops there, and the rest comes with the next', async () => {
    const clock = manualClock();
    const seen: number[] = [];
    clock.setTimeout(() => {
      throw new Error('of a timer');
    }, 5);
    clock.setTimeout(() => seen.push(clock.now()), 6);
    await expect(clock.advance(10)).rejects.toThrow('of a timer');
    expect([clock.now(), clock.pending]).toEqual([5, 1]);
    await clock.advance(5);
    expect(seen).toEqual([6]);
  });

  test('never goes back: of two advances at once the longer counts', async () => {
    const clock = manualClock();
    await Promise.all([clock.advance(100), clock.advance(50)]);
    expect(clock.now()).toBe(100);
  });

  test.each([-1, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined])('can’t be advanced by %s', async (ms) => {
    await expect(manualClock().advance(ms as number)).rejects.toThrow(RangeError);
  });
});
