import fc from 'fast-check';
import type { Clock } from 'recloser';
import { expect, test } from 'vitest';
import type { Ask } from './ask.ts';
import { Lane } from './lane.ts';

/** Time stands still unless a test moves it; no timer fires. */
function handClock(): Clock & { nowMs: number } {
  const clock = { nowMs: 0, now: () => clock.nowMs, setTimeout: () => 0, clearTimeout: () => {} };
  return clock;
}

const answering =
  (status: number): Ask =>
  async () => ({ status, recordedMs: 1 });
const broken: Ask = () => Promise.reject(new Error('ECONNRESET'));
const silent: Ask = () => new Promise(() => {});
const anyAsk = fc.constantFrom<[string, Ask]>(
  ['ok', answering(200)],
  ['ok', answering(404)],
  ['bad', answering(503)],
  ['bad', broken],
  ['silent', silent],
);

test('every call is one of ok, failed and refused, and takes the time it took', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(anyAsk, fc.nat(3_000)), { maxLength: 60 }), async (calls) => {
      const clock = handClock();
      const lane = new Lane('payments', clock);
      for (const [[, ask], gapMs] of calls) {
        clock.nowMs += gapMs;
        const done = Promise.all([lane.callGuarded(ask, {}), lane.callBare(ask, {})]);
        await Promise.race([done, new Promise((resolve) => setImmediate(resolve))]);
      }
      const report = lane.report(clock.nowMs, true);
      expect(report.calls).toBe(calls.length);
      expect(report.ok + report.failures + report.refused).toBe(report.calls);
      expect(report.bareFailures).toBe(calls.filter(([[kind]]) => kind !== 'ok').length);
      expect(report.opened).toBe(report.transitions.filter(({ to }) => to === 'open').length);
      // The silent ones alone took time, and all of it up to now.
      const sentAt = calls.map(
        (
          (at) =>
          ([, gapMs]) =>
            (at += gapMs)
        )(0),
      );
      const silentMs = sentAt.reduce((sum, at, i) => sum + (calls[i]?.[0][0] === 'silent' ? clock.nowMs - at : 0), 0);
      expect(report.bareTimeSpentMs).toBe(silentMs);
      expect(report.timeSpentMs).toBeLessThanOrEqual(silentMs);
    }),
  );
});

test('a client error is the caller’s own fault and opens nothing', async () => {
  const lane = new Lane('payments', handClock());
  for (let i = 0; i < 50; i++) await lane.callGuarded(answering(404), {});
  expect(lane.report(0, true)).toMatchObject({ calls: 50, ok: 50, opened: 0 });
});

test('errors open the circuit, and the report says why', async () => {
  const clock = handClock();
  const lane = new Lane('payments', clock);
  for (let i = 0; i < 8; i++) await lane.callGuarded(answering(503), {});
  const { opened, refused, transitions } = lane.report(0, true);
  expect({ opened, refused: refused > 0 }).toEqual({ opened: 1, refused: true });
  expect(transitions[0]).toMatchObject({ atMs: 0, from: 'closed', to: 'open' });
  expect(transitions[0]?.why).toContain('HTTP 503');
});
