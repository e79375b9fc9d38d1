import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RecordingClock } from './recording-clock.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] }));
afterEach(() => void vi.useRealTimers());

/** Lets real time pass, with heartbeats or without. */
function pass(ms: number, clock?: RecordingClock): void {
  for (let i = 0; i < ms; i++) {
    vi.advanceTimersByTime(1);
    clock?.beat();
  }
}

test('time runs at the speed of the replay, from where the replay begins', () => {
  const clock = new RecordingClock(1_000, 5);
  pass(100, clock);
  expect(clock.now()).toBeCloseTo(1_500);
});

test('without heartbeats it stands still, and goes on from there', () => {
  const clock = new RecordingClock(0, 10);
  pass(300);
  const stalled = clock.now();
  expect(stalled).toBeCloseTo(120);
  clock.beat();
  expect(clock.now()).toBe(stalled);
  expect(clock.stoodStillMs).toBeCloseTo(288);
  pass(10, clock);
  expect(clock.now()).toBeCloseTo(stalled + 100);
});

test('a timer waits in the time of the recording', () => {
  const clock = new RecordingClock(0, 10);
  const firedAt: number[] = [];
  clock.setTimeout(() => firedAt.push(clock.now()), 1_000);
  pass(50, clock);
  pass(200);
  expect(firedAt).toEqual([]);
  pass(60, clock);
  expect(firedAt).toHaveLength(1);
  expect(firedAt[0]).toBeGreaterThanOrEqual(1_000);
  expect(firedAt[0]).toBeLessThan(1_100);
});

test('a timer that was called off stays silent', () => {
  const clock = new RecordingClock(0, 1);
  const fired = vi.fn();
  clock.clearTimeout(clock.setTimeout(fired, 10));
  pass(50, clock);
  expect(fired).not.toHaveBeenCalled();
});
