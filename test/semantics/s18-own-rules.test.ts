import {
  allOf,
  anyOf,
  consecutiveFailures,
  failureCount,
  slowCallRate,
  type TripCounter,
  type TripRule,
} from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, slow, succeed } from '../support/calls.ts';

const quiet: TripCounter = {
  record: () => false,
  measure: () => ({ rule: 'mine', value: 0, threshold: 1, calls: 0 }),
  clear: () => {},
  toJSON: () => null,
};

const ruleOf = (members: Partial<TripCounter>): TripRule => ({
  name: 'mine',
  reads: 'time',
  start: () => ({ ...quiet, ...members }),
});

const broken = (): never => {
  throw new Error('of the rule');
};

const watched = (members: Partial<TripCounter>) => watching(ruleOf(members));

function watching(trip: TripRule) {
  const faults: unknown[] = [];
  const onListenerError = (fault: unknown, source: string): void => {
    faults.push([(fault as Error).message, source]);
  };
  return { ...setUp({ trip, latency: false, onListenerError }), faults };
}

describe('a rule of the user’s that throws', () => {
  test('S18: when it records, opens nothing, is reported, and the caller gets what the function said', async () => {
    const { breaker, faults } = watched({ record: broken });
    const own = new Error('own');
    expect([await succeed(breaker, 'own'), await fail(breaker, own)]).toEqual(['own', own]);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1, inFlight: 0 });
    expect(faults).toEqual([
      ['of the rule', 'trip'],
      ['of the rule', 'trip'],
    ]);
  });

  test('S18: when it is asked for its figures, says no more than its name', () => {
    const { breaker, faults } = watched({ measure: broken });
    expect(breaker.metrics().window).toEqual({ rule: 'mine', value: 0, threshold: 0, calls: 0 });
    expect(faults).toEqual([['of the rule', 'trip']]);
  });

  test('S18: … or says no value, which is 0 then', () => {
    const { breaker } = watched({ measure: () => ({ rule: 'by another name', calls: 3 }) as never });
    expect(breaker.metrics().window).toEqual({ rule: 'by another name', value: 0, threshold: 0, calls: 3 });
  });

  test('S18: when it says from when on calls are slow, makes none slow', async () => {
    const { breaker, clock, faults } = watched({ slowCallMs: broken });
    await slow(breaker, clock, 60_000);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, slowRequests: 0 });
    expect(faults[0]).toEqual(['of the rule', 'trip']);
  });

  test('S18: when it says so by a getter, loses no call', async () => {
    let says: () => undefined = () => undefined;
    const counter = Object.defineProperty({ ...quiet }, 'slowCallMs', { get: () => says() });
    const trip: TripRule = { name: 'mine', reads: 'time', start: () => counter };
    const { breaker } = setUp({ trip, maxConcurrent: 1, onListenerError: () => {} });
    says = broken;
    const own = new Error('own');
    expect([await succeed(breaker, 'own'), await fail(breaker, own)]).toEqual(['own', own]);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1, inFlight: 0 });
  });

  test('S18: as a part of a combined rule keeps no other from counting, and is reported', async () => {
    const own = ruleOf({ record: broken, measure: broken, clear: broken, slowCallMs: broken });
    for (const trip of [anyOf(consecutiveFailures(2), own), anyOf(own, anyOf(own, consecutiveFailures(2)))]) {
      const faults: string[] = [];
      const { breaker } = setUp({ trip, latency: true, onListenerError: (_fault, where) => faults.push(where) });
      await succeed(breaker);
      await fail(breaker);
      expect(breaker.metrics().window).toMatchObject({ rule: 'consecutiveFailures', value: 1 });
      await fail(breaker);
      expect(breaker.explain()).toContain('2 consecutive failures (Error ×2)');
      breaker.reset();
      expect(breaker.metrics().window.value).toBe(0);
      breaker.update({ trip: allOf(consecutiveFailures(1), own) });
      await fail(breaker);
      expect(breaker.state).toBe('closed');
      expect(new Set(faults)).toEqual(new Set(['trip']));
      const restored = setUp({ trip, onListenerError: () => {}, restore: JSON.parse(JSON.stringify(breaker)) });
      await fail(restored.breaker);
      await fail(restored.breaker);
      expect(restored.breaker.state).toBe('open');
    }
  });

  test.each([
    ['record', async ({ breaker }) => fail(breaker)],
    ['slowCallMs', async ({ breaker }) => succeed(breaker)],
    ['measure', async ({ breaker }) => breaker.metrics()],
    ['clear', async ({ breaker }) => breaker.reset()],
  ] as [keyof TripCounter, (scene: ReturnType<typeof setUp>) => Promise<unknown>][])(
    'S18: as a part of a combined rule is reported whatever it was asked: %s',
    async (member, ask) => {
      const trip = anyOf(consecutiveFailures(9), ruleOf({ [member]: broken }));
      const { faults, ...scene } = watching(trip);
      await ask(scene);
      expect(faults.length).toBeGreaterThan(0);
      expect(new Set(faults.map(String))).toEqual(new Set(['of the rule,trip']));
      // By itself it has nobody to report to.
      const counter = trip.start(0);
      const asked: Record<string, () => unknown> = {
        record: () => counter.record(true, 0, 0),
        slowCallMs: () => counter.slowCallMs?.(0),
        measure: () => counter.measure(0),
        clear: () => counter.clear(0),
      };
      expect(asked[member]).toThrow('of the rule');
    },
  );

  test('S18: that counts in the parts it hands out may go on with that', async () => {
    for (const combined of [false, true]) {
      const inner = { rule: 'inner', value: 0, threshold: 2, calls: 0 };
      const part = { rule: 'part', value: 0, threshold: 2, calls: 0, parts: [inner] };
      const mine = ruleOf({
        record: (failed) => failed && ++part.value > 0 && ++inner.value > 0,
        measure: () => (combined ? part : { ...part, rule: 'mine', parts: [part] }),
      });
      const { breaker, clock } = setUp({ trip: combined ? anyOf(mine, consecutiveFailures(9)) : mine });
      for (let i = 1; i <= 3; i++) {
        await fail(breaker);
        expect([breaker.state, part.value, inner.value]).toEqual(['open', i, i]);
        const { evidence } = breaker.toJSON();
        expect(evidence?.parts?.[0]).toMatchObject({ value: i, parts: [{ value: i }] });
        expect(Object.isFrozen(evidence?.parts?.[0]?.parts?.[0])).toBe(true);
        await clock.advance(1_000);
        await succeed(breaker);
      }
    }
  });

  test('S18: when it is to forget, is reported, and the circuit closes all the same', async () => {
    const { breaker, faults } = watched({ record: (failed) => failed, clear: broken });
    await fail(breaker);
    expect(breaker.state).toBe('open');
    breaker.reset();
    expect(breaker.state).toBe('closed');
    expect(faults).toEqual([['of the rule', 'trip']]);
  });

  test('S26: when it can’t go on with the figures of the one before, begins anew', () => {
    const started: unknown[] = [];
    const trip: TripRule = {
      name: 'mine',
      start: (_now, saved) => {
        started.push(saved);
        if (saved !== undefined) throw new TypeError('not mine');
        return { ...quiet, toJSON: () => 'figures' };
      },
    };
    const { breaker } = setUp({ trip });
    breaker.update({ trip: { ...trip } });
    expect(started).toEqual([undefined, 'figures', undefined]);
    expect(breaker.state).toBe('closed');
  });
});

test.each(['time', undefined] as const)(
  'S18: a rule may open on a good call, whether it reads the clock or not (%s)',
  async (reads) => {
    const { breaker } = setUp({ trip: { ...ruleOf({ record: () => true }), reads } });
    const told: string[] = [];
    breaker.on('opened', ({ from, to }) => told.push(from, to));
    expect(await succeed(breaker, 'own')).toBe('own');
    expect([breaker.state, ...told]).toEqual(['open', 'closed', 'open']);
  },
);

describe('the errors in the evidence', () => {
  const code = (name: string) => Object.assign(new Error(name), { code: name });

  test('S24: of combined rules are those of the one that has counted most', async () => {
    const parts = [consecutiveFailures(2), failureCount({ threshold: 4, windowCalls: 100 })];
    const { breaker } = setUp({ trip: anyOf(...parts) });
    breaker.forceClosed();
    await fail(breaker, code('EARLY'));
    await fail(breaker, code('EARLY'));
    await succeed(breaker);
    breaker.release();
    await fail(breaker, code('LATE'));
    await fail(breaker, code('LATE'));
    const { evidence } = breaker.toJSON() as { evidence: { rule: string; topErrors: unknown } };
    expect(evidence.rule).toBe('consecutiveFailures');
    expect(evidence.topErrors).toEqual([
      { name: 'LATE', count: 2 },
      { name: 'EARLY', count: 2 },
    ]);
  });

  test('S24: … and the slowest is that of the part that has counted most slow calls', async () => {
    const slowness = { threshold: 0.5, slowCallMs: 100, minimumCalls: 2 };
    const parts = [slowCallRate({ ...slowness, windowCalls: 2 }), slowCallRate({ ...slowness, windowCalls: 4 })];
    for (const trip of [anyOf(...parts), anyOf(...parts.toReversed())]) {
      const { breaker, clock } = setUp({ trip });
      breaker.forceClosed();
      for (const ms of [700, 300, 0]) await slow(breaker, clock, ms);
      breaker.release();
      await slow(breaker, clock, 200);
      expect(breaker.toJSON()).toMatchObject({ state: 'open', evidence: { slowestMs: 700 } });
    }
  });

  test('S24: of a rule that has counted only slow calls are none, though calls failed', async () => {
    const trip = slowCallRate({ threshold: 0.5, windowCalls: 2, slowCallMs: 100 });
    const { breaker, clock } = setUp({ trip });
    await fail(breaker, code('QUICK'));
    await slow(breaker, clock, 150);
    const { evidence } = breaker.toJSON() as { evidence: object };
    expect(evidence).toMatchObject({ rule: 'slowCallRate', topErrors: [], slowestMs: 150 });
  });

  test('S24: what is slow to a rule without a time of its own is what the option says', async () => {
    const trip = ruleOf({
      record: (failed) => failed,
      measure: () => ({ rule: 'mine', value: 1, threshold: 1, calls: 4, failures: 0, slowCalls: 1 }),
    });
    const { breaker, clock } = setUp({ trip, slowCallMs: 100 });
    for (const ms of [150, 100]) await slow(breaker, clock, ms);
    const quick = hold(breaker);
    await clock.advance(99);
    quick.reject(new Error('down'));
    await quick.result;
    expect(breaker.toJSON()).toMatchObject({ state: 'open', evidence: { slowestMs: 100 } });
  });

  test('S24: of a rule that tells no failures are those of all its calls', async () => {
    const trip = ruleOf({ record: () => true, measure: () => ({ rule: 'mine', value: 1, threshold: 1, calls: 1 }) });
    const { breaker } = setUp({ trip });
    await fail(breaker, code('OWN'));
    expect(breaker.toJSON()).toMatchObject({ evidence: { topErrors: [{ name: 'OWN', count: 1 }] } });
  });
});
