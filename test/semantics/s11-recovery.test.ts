import { describe, expect, test } from 'vitest';
import { fail, rejection, setUp, stampede, succeed } from '../support/calls.ts';

async function recovering(recovery: { rampMs: number; initialShare?: number } | undefined) {
  const made = setUp({ recovery });
  await fail(made.breaker);
  await made.clock.advance(1_000);
  await succeed(made.breaker);
  return made;
}

describe('recovery', () => {
  test('S11: off by default: all calls pass at once', async () => {
    const { breaker } = await recovering(undefined);
    expect(stampede(breaker, 100)).toBe(100);
  });

  test.each([
    [0, 0.1, 100],
    [0, 0.25, 250],
    [0, 0.5, 500],
    [500, 0.1, 550],
    [250, 0.2, 400],
    [900, 0.1, 910],
    [999, 0, 999],
  ])(
    'S11: at %i of 1,000 ms with initial share %d, %i of 1,000 calls pass: exactly the share',
    async (at, share, passed) => {
      const { breaker, clock } = await recovering({ rampMs: 1_000, initialShare: share || 0.001 });
      // The first call of all passes; from then on the share is exact.
      await clock.advance(at);
      const admitted = stampede(breaker, 1_000);
      expect(Math.abs(admitted - passed)).toBeLessThanOrEqual(1);
    },
  );

  test('S11: the share is met all along, not only in the end', async () => {
    const { breaker } = await recovering({ rampMs: 1_000, initialShare: 0.25 });
    const passes = Array.from({ length: 12 }, () => stampede(breaker, 1));
    expect(passes).toEqual([1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]);
  });

  test('S11: the initial share is a tenth unless said', async () => {
    const { breaker } = await recovering({ rampMs: 1_000 });
    expect(Math.abs(stampede(breaker, 200) - 20)).toBeLessThanOrEqual(1);
  });

  test('S11: it rises to 1: from rampMs on every call passes', async () => {
    const { breaker, clock } = await recovering({ rampMs: 1_000 });
    await clock.advance(1_000);
    expect(stampede(breaker, 1_000)).toBe(1_000);
    expect(breaker.toJSON()).not.toHaveProperty('ramp');
  });

  test('S11: refusals say so', async () => {
    const { breaker, clock } = await recovering({ rampMs: 1_000, initialShare: 0.5 });
    await clock.advance(200);
    stampede(breaker, 1);
    const error = await rejection(succeed(breaker));
    expect(error).toMatchObject({ code: 'ERR_CIRCUIT_OPEN', reason: 'recovery', state: 'closed', retryAfterMs: 800 });
    expect((error as Error).message).toContain('the circuit is recovering');
  });

  test('S11: explain says so too', async () => {
    const { breaker, clock } = await recovering({ rampMs: 1_000, initialShare: 0.5 });
    await clock.advance(200);
    expect(breaker.explain()).toMatch(/^closed and recovering.* 800 ms$/);
  });

  test('S11: a failure while recovering is counted and can open again', async () => {
    const { breaker } = await recovering({ rampMs: 1_000 });
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S11: a reset gives all traffic back at once', async () => {
    const { breaker } = await recovering({ rampMs: 1_000 });
    breaker.reset();
    expect(stampede(breaker, 100)).toBe(100);
  });

  test('S11: the refused of the ramp are no samples', async () => {
    const { breaker } = await recovering({ rampMs: 1_000 });
    const before = breaker.metrics();
    for (let i = 0; i < 5; i++) await succeed(breaker).catch(() => {});
    const after = breaker.metrics();
    expect(after.rejectedRequests - before.rejectedRequests).toBe(4);
    expect(after.successfulRequests - before.successfulRequests).toBe(1);
  });
});
