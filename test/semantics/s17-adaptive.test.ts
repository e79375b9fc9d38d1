import { adaptive, allOf, anyOf, circuitBreaker, consecutiveFailures, slowCallRate, type TripRule } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { fail, setUp, slow } from '../support/calls.ts';

type SetUp = ReturnType<typeof setUp>;

async function calls({ breaker, clock }: SetUp, count: number, ms: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.advance(10);
    await slow(breaker, clock, ms);
  }
}

/** Its normal is known: calls take 50 ms; slow is 256 ms. */
async function healthy(trip: TripRule = adaptive(), options = {}): Promise<SetUp> {
  const made = setUp({ trip, ...options });
  await calls(made, 100, 50);
  return made;
}

async function down({ breaker, clock }: SetUp, count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await clock.advance(20);
    await fail(breaker, Object.assign(new Error('x'), { code: 'ECONNRESET' }));
  }
}

describe('a rule that learns what is slow', () => {
  test('S17: calls are slow, and counted so, from where the rule has learnt', async () => {
    const made = await healthy();
    await calls(made, 1, 255);
    expect(made.breaker.metrics().slowRequests).toBe(0);
    await calls(made, 1, 257);
    expect(made.breaker.metrics()).toMatchObject({ slowRequests: 1, successfulRequests: 102 });
  });

  test('S17: the option slowCallMs goes before it in the figures, not in the rule', async () => {
    const made = await healthy(adaptive(), { slowCallMs: 60 });
    await calls(made, 20, 100);
    expect(made.breaker.metrics().slowRequests).toBe(20);
    expect(made.breaker.state).toBe('closed');
    await calls(made, 6, 500);
    expect(made.breaker.state).toBe('open');
  });

  test('S17: a probe that is slow by what was learnt does not close, until it is accepted that calls stay slow', async () => {
    const made = await healthy();
    const { breaker, clock } = made;
    await calls(made, 6, 500);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    await slow(breaker, clock, 500);
    expect(breaker.toJSON()).toMatchObject({ state: 'open', attempt: 2, evidence: { rule: 'probe', slowestMs: 500 } });
    await clock.advance(120_000);
    await slow(breaker, clock, 500);
    expect(breaker.state).toBe('closed');
    await calls(made, 50, 500);
    expect(breaker.state).toBe('closed');
  });

  test('S17: a probe that is fast closes, and what was normal before the outage still is', async () => {
    const made = await healthy();
    const { breaker, clock } = made;
    const before = breaker.metrics().window;
    await down(made, 10);
    expect(breaker.state).toBe('open');
    await clock.advance(1_000);
    await slow(breaker, clock, 50);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().window).toMatchObject({ calls: 0, value: 0, normalShare: before.normalShare });
  });

  test('S18: among combined rules the lowest of what was told and what was learnt decides', async () => {
    const told = slowCallRate({ threshold: 1, slowCallMs: 5_000, windowCalls: 5 });
    const made = await healthy(anyOf(adaptive(), told));
    const { breaker, clock } = made;
    await calls(made, 6, 500);
    expect(breaker.state).toBe('open');
    expect(breaker.toJSON().evidence).toMatchObject({ rule: 'adaptive', value: 1, slowCalls: 6 });
    await clock.advance(1_000);
    await slow(breaker, clock, 500);
    expect(breaker.state).toBe('open');
  });

  test('S18: under allOf it waits for the others and does not open once it was all over', async () => {
    const made = await healthy(allOf(adaptive(), consecutiveFailures(30)));
    await down(made, 29);
    expect(made.breaker.state).toBe('closed');
    await calls(made, 30, 50);
    await down(made, 4);
    expect(made.breaker.metrics().window.value).toBe(0);
    await down(made, 26);
    expect(made.breaker.state).toBe('open');
  });

  test('S18: what a rule of the user’s throws when asked what is slow is reported, and says nothing', async () => {
    const onListenerError = vi.fn();
    const trip: TripRule = {
      name: 'mine',
      reads: 'durations',
      start: () => ({
        record: () => false,
        measure: () => ({ rule: 'mine', value: 0, threshold: 1, calls: 0 }),
        clear: () => {},
        toJSON: () => 0,
        slowCallMs: () => {
          throw new Error('no idea');
        },
      }),
    };
    const { breaker, clock } = setUp({ trip, onListenerError });
    await slow(breaker, clock, 500);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, slowRequests: 0, inFlight: 0 });
    expect(onListenerError.mock.calls[0]).toEqual([new Error('no idea'), 'trip']);
  });
});

describe('people', () => {
  test('S24: explain and the evidence say what was normal, what was seen, and how sure it is', async () => {
    const made = await healthy();
    const { breaker } = made;
    expect(breaker.explain()).toBe(
      'closed: normally at most 2.5 % of calls fail or take 256 ms or more; 0 % of the evidence it takes, opens at 100 %',
    );
    await down(made, 2);
    expect(breaker.explain()).toMatch(
      /^closed: 2 of 2 calls failed, 0 took 256 ms or more, normally at most 2\.5 %; 3\d(\.\d)? % of the evidence it takes, opens at 100 %$/,
    );
    await down(made, 4);
    expect(breaker.explain()).toBe(
      'open for 0 ms: 6 of 6 calls failed, 0 took 256 ms or more, normally at most 2.5 %; by chance 0.01 times a day at most (ECONNRESET ×6), next probe in 1 s',
    );
    expect(breaker.toJSON().evidence).toMatchObject({
      rule: 'adaptive',
      value: 1,
      threshold: 1,
      calls: 6,
      failures: 6,
      slowCalls: 0,
      slowCallMs: 256,
      normalShare: expect.closeTo(0.025, 3),
      topErrors: [{ name: 'ECONNRESET', count: 6 }],
    });
  });

  test('S1: the breaker goes on with what was learnt in another process, also from its evidence in words', async () => {
    const made = await healthy();
    await down(made, 6);
    const restored = circuitBreaker({
      trip: adaptive(),
      clock: manualClock(77),
      restore: JSON.parse(JSON.stringify(made.breaker)),
    });
    expect(restored.explain()).toContain('6 of 6 calls failed, 0 took 256 ms or more, normally at most 2.5 %');
    const learnt = ({ breaker }: Pick<SetUp, 'breaker'>) =>
      (breaker.toJSON().trip.counter as { normal: object }).normal;
    expect(learnt({ breaker: restored })).toEqual(learnt(made));
    expect(restored.metrics().window).toMatchObject({ value: 1, calls: 6, slowCallMs: 256 });
  });

  test('S26: another sensitivity under way keeps what was learnt', async () => {
    const made = await healthy();
    made.breaker.update({ trip: adaptive({ falseOpensPerDay: 100 }) });
    expect(made.breaker.metrics().window).toMatchObject({ slowCallMs: 256 });
    await down(made, 4);
    expect(made.breaker.state).toBe('open');
  });

  test('S23: forced closed through an outage, it has not learnt it', async () => {
    const made = await healthy();
    const { breaker } = made;
    breaker.forceClosed();
    await down(made, 500);
    await calls(made, 50, 50);
    breaker.release();
    expect(breaker.metrics().window).toMatchObject({ value: 0, normalShare: expect.closeTo(0.02, 2) });
    await down(made, 6);
    expect(breaker.state).toBe('open');
  });
});
