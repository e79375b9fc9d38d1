import { expect, test } from 'vitest';
import { planRun } from './plan.ts';
import { parseRecording } from './recording/parse.ts';

type Call = readonly [at: number, name: string, took?: number, outcome?: string];
const recordingOf = (calls: readonly Call[]) =>
  parseRecording(
    [
      't_ms,dependency,operation,duration_ms,outcome,status',
      ...calls.map(([at, name, took = 10, outcome = 'ok']) => `${at},${name},,${took},${outcome},`),
    ].join('\n'),
  );
const steady = (seconds: number, perSecond: number, call: (at: number) => Call = (at) => [at, 'a']) =>
  recordingOf(Array.from({ length: seconds * perSecond }, (_, i) => call((i * 1000) / perSecond)));
const realSeconds = ({ fromMs, toMs, speed }: { fromMs: number; toMs: number; speed: number }) =>
  (toMs - fromMs) / speed / 1000;

test('a short recording plays as fast as it was', () => {
  expect(planRun(steady(20, 10), {})).toMatchObject({ first: 0, end: 200, speed: 1, fromMs: 0, notes: [] });
});

test('a recording of one call ends with it, or when its caller gives up', () => {
  expect(planRun(recordingOf([[0, 'a', 250]]), {})).toMatchObject({ first: 0, end: 1, fromMs: 0, toMs: 250, speed: 1 });
  expect(planRun(recordingOf([[0, 'a', 60_000]]), {})).toMatchObject({ toMs: 5_000, speed: 1 });
});

test.each([60, 187, 400, 599, 600])('a recording of %i s fits into 44 s', (seconds) => {
  const plan = planRun(steady(seconds, 10), {});
  expect(plan.end).toBe(seconds * 10);
  expect(realSeconds(plan)).toBeLessThanOrEqual(44);
  expect(plan.notes).toEqual([]);
});

test('a longer one plays its most eventful ten minutes and says which', () => {
  const hour = steady(3_600, 2, (at) => [
    at,
    at % 1000 === 0 ? 'a' : 'b',
    10,
    at % 1000 === 0 && at >= 1_800_000 && at < 1_900_000 ? 'error' : 'ok',
  ]);
  const plan = planRun(hour, {});
  expect(plan.toMs - plan.fromMs).toBe(600_000);
  // The event is not at the edge.
  expect(plan.fromMs).toBeLessThan(1_700_000);
  expect(plan.toMs).toBeGreaterThan(2_000_000);
  expect(plan.notes.join()).toMatch(
    /60 min with 7200 calls are too long to be played honestly: this is the most eventful window, \d+:\d\d to \d+:\d\d/,
  );
});

test('of a dependency that stays down for hours, the minutes of going down are the event', () => {
  const plan = planRun(
    steady(7_200, 2, (at) => [at, 'a', 10, at < 3_600_000 ? 'ok' : 'error']),
    {},
  );
  expect(plan.fromMs).toBeLessThan(3_600_000);
  expect(plan.toMs).toBeGreaterThan(3_600_000);
});

test('where calls are days apart, the outage that hit most dependencies is the event', () => {
  const names = ['a', 'b', 'c', 'd'];
  const days = Array.from({ length: 10 }, (_, day) =>
    names.map((name, i): Call => [day * 86_400_000 + i * 1000, name, 900]),
  );
  const outage = names.map((name, i): Call => [4.5 * 86_400_000 + i * 1000, name, 0, 'error']);
  const plan = planRun(recordingOf([...days.flat(), ...outage]), {});
  expect(plan.fromMs).toBeLessThanOrEqual(4.5 * 86_400_000);
  expect(plan.toMs).toBeGreaterThan(4.5 * 86_400_000 + 3000);
});

test('one too dense for two small cores is shortened too', () => {
  const plan = planRun(steady(100, 500), {});
  expect(plan.end - plan.first).toBeLessThanOrEqual(650 * 44);
  expect(realSeconds(plan)).toBeLessThanOrEqual(44);
  expect(plan).toMatchObject({ fromMs: Math.floor(plan.fromMs), toMs: Math.floor(plan.toMs) });
  expect(plan.notes.join()).toContain('too dense');
});

test('with a speed, all of it plays at that speed, and it is said what that means', () => {
  expect(planRun(steady(700, 2), { speed: 20 })).toMatchObject({ first: 0, end: 1_400, speed: 20, notes: [] });
  expect(planRun(steady(700, 2), { speed: 5 }).notes.join()).toContain('takes 2.3 min');
  expect(planRun(steady(700, 2), { speed: 100 }).notes.join()).toContain('counts as 100 ms');
});

test('from and to bound the calls that are played, both inclusive', () => {
  expect(planRun(steady(10, 1), { fromMs: 2_000, toMs: 4_000 })).toMatchObject({
    first: 2,
    end: 5,
    fromMs: 2_000,
    toMs: 4_000,
  });
  expect(planRun(steady(10, 1), { fromMs: 2_500 })).toMatchObject({ first: 3, end: 10, fromMs: 2_500, toMs: 9_010 });
  expect(planRun(steady(10, 1), { toMs: 1e9 })).toMatchObject({ end: 10, toMs: 9_010 });
});

test('a part without calls is refused', () => {
  expect(() => planRun(steady(10, 1), { fromMs: 20_000 })).toThrow(
    '--from 20000 to 9000: no call of the recording begins there; it goes from 0 to 9000 ms',
  );
  expect(() => planRun(steady(10, 1), { fromMs: 2_100, toMs: 2_900 })).toThrow('no call of the recording begins there');
});
