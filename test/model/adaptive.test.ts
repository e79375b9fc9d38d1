import fc from 'fast-check';
import { adaptive, type TripCounter } from 'recloser';
import { describe, expect, test } from 'vitest';
import { chance } from '../support/chance.ts';
import { holds } from '../support/properties.ts';

interface Dependency {
  readonly perSecond: number;
  /** The share of calls that fail. */
  readonly failing: number;
  readonly medianMs: number;
  /** Of the logarithm of durations. */
  readonly spread: number;
  readonly seed: number;
}

const dependency = fc.record<Dependency>({
  perSecond: fc.double({ min: -1, max: 4, noNaN: true }).map((exponent) => 10 ** exponent),
  failing: fc.double({ min: 0, max: 0.1, noNaN: true }),
  medianMs: fc.double({ min: 0, max: 3.5, noNaN: true }).map((exponent) => 10 ** exponent),
  spread: fc.double({ min: 0, max: 0.8, noNaN: true }),
  seed: fc.integer(),
});

/** A clock and chance of its own; `change` makes an outage of it. */
class Traffic {
  now = 0;
  readonly #of: Dependency;
  readonly #chance: ReturnType<typeof chance>;

  constructor(of: Dependency) {
    this.#of = of;
    this.#chance = chance(of.seed);
  }

  call(counter: TripCounter, change: Partial<Dependency> = {}): boolean {
    const { perSecond, failing, medianMs, spread } = { ...this.#of, ...change };
    this.now += this.#chance.gap(perSecond);
    const failed = this.#chance.unit() < failing;
    return counter.record(failed, medianMs * Math.exp(spread * this.#chance.normal()), this.now);
  }

  /** A thousand calls, or two seconds if there are more in them. */
  warmUp(counter: TripCounter): void {
    for (let i = 0; i < 1_000 || this.now < 2_000; i++) this.call(counter);
  }

  /** How many calls until it opens, at most so many. */
  callsToOpen(counter: TripCounter, change: Partial<Dependency>, most: number): number {
    let calls = 1;
    while (!this.call(counter, change) && calls <= most) calls++;
    return calls;
  }
}

describe('adaptive', { timeout: 30_000 }, () => {
  /** Poisson's: more events than this come to less than once in 10,000 runs. */
  const most = (expected: number) => expected + 4 * Math.sqrt(expected) + 4;

  test.each([10, 100])(
    'on a steady dependency it opens no more than the %d times a day that are allowed',
    (allowed) => {
      let [opened, days] = [0, 0];
      holds(
        fc.property(dependency, (of) => {
          const traffic = new Traffic(of);
          const counter = adaptive({ falseOpensPerDay: allowed }).start(0);
          for (let i = 0; i < 5_000; i++) {
            if (!traffic.call(counter)) continue;
            opened++;
            traffic.now += 30_000;
            counter.clear(traffic.now);
          }
          days += traffic.now / 86_400_000;
        }),
        60,
      );
      expect(days).toBeGreaterThan(0.5);
      expect(opened).toBeLessThan(most(allowed * days));
    },
  );

  test('with nothing set it stays closed on a steady dependency', () => {
    holds(
      fc.property(dependency, (of) => {
        const traffic = new Traffic(of);
        const counter = adaptive().start(0);
        for (let i = 0; i < 5_000; i++) if (traffic.call(counter)) return false;
        return true;
      }),
      60,
    );
  });

  /** Calls, or those of so many milliseconds where there are more. */
  const within = (calls: number, ms: number, { perSecond }: Dependency) => Math.max(calls, (ms * perSecond) / 1_000);

  test.each([
    ['everything hangs until its timeout', { failing: 1 }, 20, 250],
    ['half of the calls fail', { failing: 0.5 }, 250, 2_000],
  ])('it opens soon when %s', (_what, change, calls, ms) => {
    holds(
      fc.property(dependency, (of) => {
        const traffic = new Traffic(of);
        const counter = adaptive().start(0);
        traffic.warmUp(counter);
        const limit = within(calls, ms, of);
        return traffic.callsToOpen(counter, change, limit) <= limit;
      }),
      60,
    );
  });

  test('it opens soon when everything takes ten times as long', () => {
    holds(
      fc.property(dependency, (of) => {
        const traffic = new Traffic(of);
        const counter = adaptive().start(0);
        traffic.warmUp(counter);
        const limit = within(250, 2_000, of);
        return traffic.callsToOpen(counter, { medianMs: 10 * of.medianMs }, limit) <= limit;
      }),
      60,
    );
  });

  const call = fc.record({
    failed: fc.boolean(),
    ms: fc.oneof(fc.double({ min: 0, max: 1e7, noNaN: true }), fc.constantFrom(0, Infinity, Number.NaN, 2 ** 31)),
    afterMs: fc.oneof(fc.constant(0), fc.double({ min: 0, max: 1e6, noNaN: true })),
    clears: fc.boolean(),
  });
  const anyTraffic = fc.array(call, { maxLength: 300 });

  function play(
    counter: TripCounter,
    traffic: readonly (typeof call extends fc.Arbitrary<infer T> ? T : never)[],
  ): number {
    let now = 0;
    for (const { failed, ms, afterMs, clears } of traffic) {
      now += afterMs;
      if (counter.record(failed, ms, now) && clears) counter.clear(now);
    }
    return now;
  }

  test('S1: its JSON goes on as it was, wherever it is cut', () => {
    holds(
      fc.property(anyTraffic, fc.double({ min: -1e9, max: 1e9, noNaN: true }), (traffic, elsewhere) => {
        const rule = adaptive();
        const counter = rule.start(0);
        const now = play(counter, traffic);
        const once = rule.start(0, JSON.parse(JSON.stringify(counter.toJSON(now))));
        // It has judged anew by all it knows; from there on nothing changes on the way.
        const saved = JSON.parse(JSON.stringify(once.toJSON(0)));
        const again = rule.start(0, JSON.parse(JSON.stringify(saved)));
        expect(JSON.parse(JSON.stringify(again.toJSON(0)))).toEqual(saved);
        expect(again.measure(0)).toEqual(once.measure(0));
        expect(rule.start(elsewhere, saved).measure(elsewhere).value).toBeCloseTo(once.measure(0).value, 6);
        for (const { failed, ms } of traffic) expect(again.record(failed, ms, 1)).toBe(once.record(failed, ms, 1));
      }),
    );
  });

  test('S3: measuring, saving and asking what is slow change nothing', () => {
    holds(
      fc.property(anyTraffic, (traffic) => {
        const [read, left] = [adaptive().start(0), adaptive().start(0)];
        const now = play(read, traffic);
        play(left, traffic);
        read.measure(now + 1e6);
        read.slowCallMs?.(now + 1e6);
        read.toJSON(now + 1e6);
        expect(read.toJSON(now)).toEqual(left.toJSON(now));
      }),
    );
  });

  test('S29: whatever comes, its state is finite and no larger than 5 kB', () => {
    holds(
      fc.property(anyTraffic, (traffic) => {
        const counter = adaptive().start(0);
        const now = play(counter, traffic);
        const { value, normalShare = Number.NaN } = counter.measure(now);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(normalShare).toBeGreaterThan(0);
        expect(normalShare).toBeLessThanOrEqual(0.25);
        expect(counter.slowCallMs?.(now)).toBeGreaterThan(5);
        const text = JSON.stringify(counter.toJSON(now));
        expect(text).not.toContain('null');
        expect(text.length).toBeLessThan(5_000);
      }),
    );
  });

  test('S1: of any JSON it makes a counter that works, or a TypeError', () => {
    const good = adaptive().start(0);
    for (let i = 1; i < 200; i++) good.record(i > 190, 50, i * 100);
    const state = good.toJSON(20_000) as Record<string, Record<string, unknown>>;
    const paths = [
      ['accepted'],
      ['guiltyMs'],
      ...['forMs', 'calls', 'failures', 'bands'].map((key) => ['normal', key]),
      ...['sum', 'calls', 'failures', 'slowCalls'].map((key) => ['suspicion', key]),
    ];
    const wrong = fc.oneof(fc.jsonValue(), fc.constantFrom(1e15, 1e16, -1, 1e308, [1e15], new Array(1_000).fill(1e15)));
    const mutated = fc.tuple(fc.constantFrom(...paths), wrong).map(([[first, second], value]) => ({
      ...state,
      [first as string]: second === undefined ? value : { ...state[first as string], [second]: value },
    }));
    holds(
      fc.property(fc.oneof(fc.jsonValue(), mutated), (saved) => {
        let counter: TripCounter;
        try {
          counter = adaptive().start(0, saved);
        } catch (error) {
          expect(error).toBeInstanceOf(TypeError);
          return;
        }
        for (let i = 1; i < 50; i++) counter.record(i % 3 === 0, 50, i * 10);
        const { value, normalShare } = counter.measure(500);
        expect(value).toBeGreaterThanOrEqual(0);
        expect(value).toBeLessThanOrEqual(1);
        expect(normalShare).toBeLessThanOrEqual(0.25);
      }),
      1_000,
    );
  });
});
