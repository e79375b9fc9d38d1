import {
  adaptive,
  allOf,
  anyOf,
  consecutiveFailures,
  failureCount,
  failureRate,
  slowCallRate,
  type TripCounter,
  type TripRule,
} from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, setUp, succeed } from '../support/calls.ts';

type Breaker = ReturnType<typeof setUp>['breaker'];

function feed(breaker: Breaker, failures: number, successes: number): void {
  for (let i = 0; i < successes; i++) breaker.acquire()?.success();
  for (let i = 0; i < failures; i++) breaker.acquire()?.failure('x');
}

const rate = (threshold: number, windowCalls: number, minimumCalls = windowCalls) =>
  failureRate({ threshold, windowCalls, minimumCalls });

describe('what combined rules need', () => {
  const timed = failureRate({ threshold: 0.5, windowMs: 1_000 });
  const slow = (slowCallMs: number) => slowCallRate({ threshold: 0.5, windowCalls: 10, slowCallMs });

  test('S18: they read the clock if one of them does, for durations or for the time', () => {
    expect(anyOf(consecutiveFailures(2), rate(0.5, 10)).reads).toBeUndefined();
    expect(anyOf(consecutiveFailures(2), slow(100)).reads).toBe('durations');
    expect(allOf(slow(100), timed).reads).toBe('time');
    expect([timed.reads, slow(100).reads, rate(0.5, 10).reads]).toEqual(['time', 'durations', undefined]);
  });

  test('S18: they learn what is slow if one of them does', () => {
    expect('slowCallMs' in anyOf(consecutiveFailures(2), slow(100)).start(0)).toBe(false);
    expect('slowCallMs' in anyOf(consecutiveFailures(2), adaptive()).start(0)).toBe(true);
  });

  test('S18: a call is slow from the least of their times on', () => {
    expect(anyOf(slow(500), slow(100)).slowCallMs).toBe(100);
    expect(anyOf(rate(0.5, 10), consecutiveFailures(2)).slowCallMs).toBeUndefined();
  });

  test('S24: one that decides speaks for itself, all of them together; one without words goes by its name', () => {
    const mute: TripRule = {
      name: 'mute',
      start: () => ({
        record: () => false,
        measure: () => ({ rule: 'mute', value: 1, threshold: 1, calls: 4 }),
        clear: () => {},
        toJSON: () => null,
      }),
    };
    const said = (trip: TripRule): string => setUp({ trip }).breaker.explain();
    expect(said(anyOf(rate(0.5, 10), consecutiveFailures(2)))).toBe(
      'closed: failure rate 0 % of the last 0 calls, opens at 50 % from 10 calls on',
    );
    expect(said(allOf(rate(0.5, 10), consecutiveFailures(2)))).toBe(
      'closed: failure rate 0 % of the last 0 calls and 0 consecutive failures',
    );
    expect(said(allOf(mute, consecutiveFailures(2)))).toContain('mute and 0 consecutive failures');
    expect(said(anyOf(mute))).toBe('closed: mute at 1, opens at 1');
  });

  test('S24: of any the one speaks that is nearest to its threshold, in whatever order', async () => {
    const rules = [failureCount({ threshold: 100, windowCalls: 100 }), consecutiveFailures(2)];
    for (const trip of [anyOf(...rules), anyOf(...rules.toReversed())]) {
      const { breaker } = setUp({ trip });
      await fail(breaker);
      expect(breaker.explain()).toMatch(/^closed: 1 consecutive failure/);
    }
  });

  test('S24: of rules in rules speaks the one that decided, with its own figures', async () => {
    const why = async (trip: TripRule, calls: string) => {
      const { breaker } = setUp({ trip });
      for (const call of calls) await (call === '+' ? succeed(breaker) : fail(breaker));
      const { evidence } = breaker.toJSON();
      return [breaker.explain().replace(/^open for 0 ms: |, next.*$/g, ''), evidence?.failures];
    };
    const both = () => allOf(failureCount({ threshold: 2, windowCalls: 4 }), rate(0.5, 4));
    const either = () => anyOf(rate(0.5, 4), consecutiveFailures(9));
    const words = '2 failures among the last 4 calls and failure rate 50 % of the last 4 calls (Error ×2)';
    expect(await why(anyOf(both(), consecutiveFailures(50)), '++--')).toEqual([words, 2]);
    expect(await why(anyOf(consecutiveFailures(50), both()), '++--')).toEqual([words, 2]);
    expect(await why(anyOf(allOf(consecutiveFailures(50)), anyOf(both(), either())), '++--')).toEqual([words, 2]);
    expect(await why(allOf(either(), consecutiveFailures(4)), '----')).toEqual([
      'failure rate 100 % of the last 4 calls and 4 consecutive failures (Error ×4)',
      4,
    ]);
    const own = (name: string, record: boolean): TripRule => ({
      name: 'mine',
      describe: () => name,
      start: () => ({
        record: () => record,
        measure: () => ({ rule: 'mine', value: Number(record), threshold: 1, calls: 1 }),
        clear: () => {},
        toJSON: () => null,
      }),
    });
    expect(await why(anyOf(own('the first', false), own('the second', true)), '-')).toEqual([
      'the second (Error ×1)',
      undefined,
    ]);
  });

  test('S24: what another rule had measured before an update is told without the words of this one', async () => {
    const { breaker } = setUp({ trip: rate(0.5, 2) });
    await fail(breaker);
    await fail(breaker);
    breaker.update({ trip: anyOf(consecutiveFailures(2), rate(0.9, 4)) });
    expect(breaker.explain()).toContain('failure rate 100 % of the last 2 calls, threshold 50 %');
    breaker.update({ failureThreshold: 3 });
    expect(breaker.explain()).toContain('failureRate at 100 %, threshold 50 %');
  });

  test('S24: … by all of its rules and by each in its place', async () => {
    const { breaker } = setUp({ trip: anyOf(consecutiveFailures(2), rate(0.9, 4)) });
    await fail(breaker);
    await fail(breaker);
    breaker.update({ trip: allOf(consecutiveFailures(2), rate(0.9, 4)) });
    expect(breaker.explain()).toContain('2 consecutive failures (Error ×2)');
    breaker.update({ trip: anyOf(rate(0.9, 4), consecutiveFailures(2)) });
    expect(breaker.explain()).toContain('consecutiveFailures at 2 (Error ×2)');
    const start = (now: number) => consecutiveFailures(2).start(now);
    const own: TripRule = { name: 'mine', start, describe: () => 'in my words' };
    breaker.update({ trip: anyOf(own, rate(0.9, 4)) });
    expect(breaker.explain()).toContain('consecutiveFailures at 2 (Error ×2)');
  });

  test.each([rate(0.5, 2), slowCallRate({ threshold: 0.5, slowCallMs: 100, windowCalls: 4 }), adaptive()])(
    'S24: … nor after a restore: no rule reads its own figures into those of another (%#)',
    async (trip) => {
      const { breaker } = setUp({ failureThreshold: 2 });
      await fail(breaker);
      await fail(breaker);
      const why = 'open for 0 ms: consecutiveFailures at 2 (Error ×2), next probe in 1 s';
      expect(setUp({ trip, restore: breaker.toJSON() }).breaker.explain()).toBe(why);
      breaker.update({ trip });
      expect(breaker.explain()).toBe(why);
    },
  );
});

describe('combined and own rules', () => {
  const counting = (log: boolean[], tripsAt: number): TripRule => ({
    name: 'mine',
    start: (): TripCounter => {
      let seen = 0;
      return {
        record(failed) {
          log.push(failed);
          seen += failed ? 1 : 0;
          return seen >= tripsAt;
        },
        measure: () => ({ rule: 'mine', value: seen, threshold: tripsAt, calls: log.length }),
        clear: () => {
          seen = 0;
        },
        toJSON: () => seen,
      };
    },
  });

  test('S18: a rule is an interface of at most five members, and users write their own', () => {
    const log: boolean[] = [];
    const { breaker } = setUp({ trip: counting(log, 2) });
    feed(breaker, 1, 1);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
    expect(breaker.toJSON().evidence).toMatchObject({ rule: 'mine', value: 2, threshold: 2, calls: 3 });
    const rule = counting([], 1);
    expect(Object.keys(rule).length).toBeLessThanOrEqual(5);
    expect(Object.keys(rule.start(0)).length).toBeLessThanOrEqual(5);
  });

  test.each([null, undefined, {}, 5])(
    'S18: one that can only say %o of itself opens all the same, and nobody’s call is lost',
    async (measured) => {
      const trip: TripRule = {
        ...counting([], 2),
        start: () => ({ ...counting([], 2).start(0), measure: () => measured as never }),
      };
      const { breaker } = setUp({ trip, maxConcurrent: 1 });
      const own = new Error('own');
      expect([await fail(breaker, own), await fail(breaker, own)]).toEqual([own, own]);
      expect([breaker.state, breaker.metrics().inFlight]).toEqual(['open', 0]);
      expect(breaker.explain()).toContain('mine at 0');
    },
  );

  test('S18: anyOf opens when any rule says so, and each rule counts every call', () => {
    const [first, second]: [boolean[], boolean[]] = [[], []];
    const { breaker } = setUp({ trip: anyOf(counting(first, 1), counting(second, 3)) });
    breaker.forceClosed();
    feed(breaker, 2, 1);
    breaker.release();
    expect(first).toEqual([false, true, true]);
    expect(second).toEqual(first);
    feed(breaker, 0, 1);
    expect(breaker.state).toBe('open');
  });

  test('S18: allOf opens when all rules say so of the same call', () => {
    const { breaker } = setUp({
      trip: allOf(consecutiveFailures(2), failureCount({ threshold: 4, windowCalls: 100 })),
    });
    feed(breaker, 3, 0);
    expect(breaker.state).toBe('closed');
    breaker.acquire()?.success();
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S18: combinations nest', () => {
    const trip = anyOf(
      allOf(consecutiveFailures(3), failureCount({ threshold: 3, windowCalls: 9 })),
      consecutiveFailures(9),
    );
    const { breaker } = setUp({ trip });
    feed(breaker, 2, 0);
    expect(breaker.state).toBe('closed');
    feed(breaker, 1, 0);
    expect(breaker.state).toBe('open');
  });

  test('S18: the evidence names the rule that decided and what each has measured', () => {
    const { breaker } = setUp({ trip: anyOf(consecutiveFailures(9), failureCount({ threshold: 2, windowCalls: 9 })) });
    feed(breaker, 2, 0);
    expect(breaker.toJSON().evidence).toMatchObject({ rule: 'failureCount', value: 2, threshold: 2 });
    const { breaker: all } = setUp({
      trip: allOf(consecutiveFailures(2), failureCount({ threshold: 2, windowCalls: 9 })),
    });
    const opened: unknown[] = [];
    all.on('opened', ({ evidence }) => opened.push(evidence));
    feed(all, 2, 0);
    expect(opened).toMatchObject([
      { rule: 'allOf', value: 2, threshold: 2, parts: [{ rule: 'consecutiveFailures' }, { rule: 'failureCount' }] },
    ]);
  });

  test('S16: a part that has too few calls has not decided, however high its rate', () => {
    const { breaker } = setUp({ trip: anyOf(rate(0.5, 10), consecutiveFailures(2)) });
    feed(breaker, 2, 0);
    expect(breaker.toJSON().evidence).toMatchObject({ rule: 'consecutiveFailures', value: 2, threshold: 2 });
  });

  test('S24: together they have seen as many calls as the one that looks back farthest', () => {
    const { breaker } = setUp({ trip: allOf(consecutiveFailures(2), failureCount({ threshold: 3, windowCalls: 9 })) });
    feed(breaker, 1, 1);
    breaker.acquire()?.success();
    feed(breaker, 2, 0);
    expect(breaker.toJSON().evidence).toMatchObject({ rule: 'allOf', calls: 5, failures: 3 });
  });

  test('S18: one rule serves many breakers, which share nothing of it', () => {
    const trip = anyOf(consecutiveFailures(3), rate(0.5, 10, 10));
    const [a, b] = [setUp({ trip }).breaker, setUp({ trip }).breaker];
    feed(a, 2, 0);
    feed(b, 2, 0);
    expect([a.state, b.state]).toEqual(['closed', 'closed']);
    feed(a, 1, 0);
    expect([a.state, b.state]).toEqual(['open', 'closed']);
  });

  test('S18: combinations need one rule at least, and rules only', () => {
    expect(() => anyOf()).toThrow(RangeError);
    expect(() => allOf()).toThrow(RangeError);
    expect(() => anyOf({} as TripRule, 5 as never)).toThrow(/rule 1 .*rule 2/);
  });
});
