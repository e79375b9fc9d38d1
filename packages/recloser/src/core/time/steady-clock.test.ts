import { afterEach, expect, test, vi } from 'vitest';
import { breakableClock } from '../../../../../test/support/clocks.ts';
import { SteadyClock } from './steady-clock.ts';

afterEach(() => {
  vi.useRealTimers();
});

function setUp() {
  const clock = breakableClock();
  const told = vi.fn();
  return { clock, told, steady: new SteadyClock(clock, { name: 'payments', onListenerError: told }) };
}

test('a clock that works is asked each time', async () => {
  const { clock, told, steady } = setUp();
  await clock.advance(100);
  expect(steady.now()).toBe(100);
  const rang = vi.fn();
  steady.clearTimeout(steady.setTimeout(rang, 10));
  steady.setTimeout(rang, 20);
  await clock.advance(30);
  expect(rang).toHaveBeenCalledOnce();
  expect(told).not.toHaveBeenCalled();
});

test('where it throws time stands still until it works again, and that is told', async () => {
  const { clock, told, steady } = setUp();
  await clock.advance(100);
  expect(steady.now()).toBe(100);
  clock.broken = true;
  await clock.advance(100);
  expect(steady.now()).toBe(100);
  clock.broken = false;
  expect(steady.now()).toBe(200);
  clock.broken = true;
  expect(steady.now()).toBe(200);
  expect(told.mock.calls).toEqual([
    [clock.fault, 'clock'],
    [clock.fault, 'clock'],
  ]);
});

test('one that is set back goes on from where it stood, and one that tells no time stands still', () => {
  let time = 1_000;
  const steady = new SteadyClock(
    { ...breakableClock(), now: () => time },
    { name: 'payments', onListenerError: undefined },
  );
  const read = (set: number) => {
    time = set;
    return steady.now();
  };
  expect([1_100, 100, 150, Number.NaN, 160].map(read)).toEqual([1_100, 1_100, 1_150, 1_150, 1_160]);
});

test('where it sets no timer the system’s is set, and called off there, whatever the clock does by then', () => {
  vi.useFakeTimers();
  const { clock, told, steady } = setUp();
  clock.broken = true;
  const rang = vi.fn();
  steady.setTimeout(rang, 10);
  const [one, other] = [steady.setTimeout(rang, 10), steady.setTimeout(rang, 10)];
  steady.clearTimeout(one);
  clock.broken = false;
  steady.clearTimeout(other);
  vi.advanceTimersByTime(10);
  expect(rang).toHaveBeenCalledOnce();
  expect(vi.getTimerCount()).toBe(0);
  expect(told.mock.calls).toEqual(Array(3).fill([clock.fault, 'clock']));
});

test('where it calls none off, that is told', () => {
  const { clock, told, steady } = setUp();
  const timer = steady.setTimeout(() => {}, 10);
  clock.broken = true;
  steady.clearTimeout(timer);
  expect(told.mock.calls).toEqual([[clock.fault, 'clock']]);
});

test('one that does not work at first is not taken', () => {
  const { clock } = setUp();
  clock.broken = true;
  expect(() => new SteadyClock(clock, { name: 'payments', onListenerError: undefined })).toThrow(clock.fault);
});
