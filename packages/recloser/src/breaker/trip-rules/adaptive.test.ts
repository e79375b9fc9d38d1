import { describe, expect, test } from 'vitest';
import { Dependency, healthy, hour } from '../../../../../test/support/learning.ts';
import { adaptive } from './adaptive.ts';

describe('what is normal', () => {
  test('before anything is known, at most an eighth of the calls is held to fail normally, and none is slow', () => {
    const { measured, slowCallMs } = new Dependency();
    expect(measured).toEqual({
      rule: 'adaptive',
      value: 0,
      threshold: 1,
      calls: 0,
      failures: 0,
      slowCalls: 0,
      normalShare: 3 / 25,
    });
    expect(slowCallMs).toBe(Infinity);
  });

  test('it is known from 20 good calls on from where a call is slow', () => {
    const dependency = healthy(19);
    expect(dependency.slowCallMs).toBe(Infinity);
    dependency.call(20, 50);
    expect(dependency.slowCallMs).toBeLessThan(Infinity);
  });

  test.each([50, 400, 3_000, 60_000])('slow is 4.8 to 5.7 times %d ms where all calls take as long', (ms) => {
    const { slowCallMs } = healthy(200, ms);
    expect(slowCallMs / ms).toBeGreaterThan(4.7);
    expect(slowCallMs / ms).toBeLessThan(5.7);
  });

  test('slow is at least twice what the slowest twentieth takes', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 200; i++) dependency.call(1, i % 10 === 0 ? 700 : 50);
    expect(dependency.slowCallMs).toBeGreaterThanOrEqual(1_400);
    expect(dependency.slowCallMs).toBeLessThan(1_700);
  });

  test('below 5.6 ms nothing is slow, however fast the calls are', () => {
    expect(healthy(200, 0.1).slowCallMs).toBeCloseTo(5.66, 2);
  });

  test('durations beyond all bands do no harm', () => {
    const dependency = healthy(200, 1e9);
    expect(dependency.slowCallMs).toBe(Infinity);
    expect(dependency.call(100, 'fails')).toBe(true);
    expect(healthy().call(100, Infinity)).toBe(true);
  });

  test('the share that fails is learnt as an upper bound, and nothing opens on it', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 2_000; i++) expect(dependency.call(1, i % 12 === 0 ? 'fails' : 50)).toBe(false);
    expect(dependency.measured.normalShare).toBeGreaterThan(1 / 12);
    expect(dependency.measured.normalShare).toBeLessThan(1 / 12 + 0.02);
  });

  test('calls that are slow now and then belong to it as well', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 2_000; i++) expect(dependency.call(1, i % 25 === 0 ? 900 : 50)).toBe(false);
    expect(dependency.slowCallMs).toBeLessThan(300);
    expect(dependency.measured.normalShare).toBeGreaterThan(0.04);
    expect(dependency.measured.normalShare).toBeLessThan(0.06);
  });

  test('it never goes below 2 %: failures come in clusters', () => {
    expect(healthy(100_000).measured.normalShare).toBeCloseTo(0.02, 12);
  });

  test('how long failures take says nothing about good calls', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 1_000; i++) {
      dependency.now += 100;
      dependency.counter.record(i % 12 === 0, i % 12 === 0 ? 30_000 : 50, dependency.now);
    }
    expect(dependency.slowCallMs).toBeLessThan(300);
  });

  test('after six hours half of it is forgotten, so that it can change, but never within 1,000 calls', () => {
    const shareAfter = (hours: number, everyMs: number): number => {
      const dependency = new Dependency();
      for (let i = 0; i < 900; i++) dependency.call(1, i % 9 === 0 ? 'fails' : 50, everyMs);
      dependency.call((hours * hour) / everyMs, 50, everyMs);
      return dependency.measured.normalShare ?? Number.NaN;
    };
    expect(shareAfter(40, 10_000)).toBe(0.02);
    expect(shareAfter(9, 10_000)).toBeLessThan(0.027);
    expect(shareAfter(5, 10_000)).toBeGreaterThan(0.04);
    expect(shareAfter(5, 30_000)).toBeGreaterThan(0.06);
  });
});

describe('what is learnt', () => {
  test('nothing that led to an opening, however often it opens', () => {
    const dependency = healthy();
    const before = [dependency.measured.normalShare, dependency.slowCallMs];
    for (let i = 0; i < 200; i++) {
      expect(dependency.call(20, 'fails')).toBe(true);
      dependency.sleep(0);
      expect(dependency.call(20, 600)).toBe(true);
      dependency.sleep(0);
    }
    dependency.call(200, 50);
    expect([dependency.measured.normalShare, dependency.slowCallMs]).toEqual(before);
  });

  test('nothing of an outage in which the circuit could not open', () => {
    const dependency = healthy();
    const before = JSON.stringify(dependency.counter.toJSON(dependency.now));
    for (let i = 0; i < 1_000; i++) {
      dependency.now += 100;
      dependency.counter.record(i % 10 > 0, 50, dependency.now);
    }
    expect(dependency.measured.value).toBeGreaterThan(0.8);
    const normal = (json: string) => JSON.parse(json).normal.failures;
    expect(normal(JSON.stringify(dependency.counter.toJSON(dependency.now)))).toBe(normal(before));
  });

  test('nothing of a short one either', () => {
    const dependency = healthy();
    const failures = () =>
      (dependency.counter.toJSON(dependency.now) as { normal: { failures: number } }).normal.failures;
    for (let i = 0; i < 20; i++) dependency.call(1, 'fails');
    dependency.call(50, 50);
    expect(dependency.measured.calls).toBe(0);
    expect(failures()).toBe(0);
  });

  test('half of the calls failing is never normal, not even from the first call on', () => {
    const dependency = new Dependency();
    let opened = false;
    for (let i = 0; i < 1_000 && !opened; i++) opened = dependency.call(1, i % 2 ? 50 : 'fails');
    expect(opened).toBe(true);
    const normal = { forMs: hour, calls: 2_000, failures: 1_400, bands: new Array(30).fill(20) };
    const taught = adaptive().start(0, { normal, accepted: 1 });
    expect(taught.measure(0).normalShare).toBe(0.25);
  });

  test('what a suspicion of more than 128 calls was about is not', () => {
    const dependency = healthy();
    const learnt = () => (dependency.counter.toJSON(dependency.now) as { normal: { calls: number } }).normal.calls;
    const before = learnt();
    for (let i = 0; i < 200; i++)
      expect(dependency.call(1, dependency.measured.value < 0.5 ? 'fails' : 50)).toBe(false);
    expect(dependency.measured.calls).toBe(200);
    dependency.call(20, 50);
    expect(dependency.measured.calls).toBe(0);
    expect(learnt() - before).toBeLessThan(20);
  });

  test('two breakers with one rule learn apart', () => {
    const rule = adaptive();
    const [one, other] = [rule.start(0), rule.start(0)];
    for (let i = 1; i <= 100; i++) {
      one.record(false, 5, i * 100);
      other.record(false, 500, i * 100);
    }
    expect(one.slowCallMs?.(10_000)).toBeLessThan(50);
    expect(other.slowCallMs?.(10_000)).toBeGreaterThan(2_000);
  });
});

describe('when it opens', () => {
  test('after five failures in a row at ten calls a second', () => {
    const dependency = healthy();
    expect(dependency.call(4, 'fails')).toBe(false);
    expect(dependency.call(1, 'fails')).toBe(true);
  });

  test('ten failures in a row will do before anything is known', () => {
    expect(new Dependency().call(10, 'fails')).toBe(true);
  });

  test('after as many calls that take ten times as long', () => {
    const dependency = healthy();
    expect(dependency.call(4, 500)).toBe(false);
    expect(dependency.call(1, 500)).toBe(true);
    expect(dependency.measured).toMatchObject({ value: 1, calls: 5, failures: 0, slowCalls: 5 });
  });

  test('failures and slow calls count together, a slow failure once', () => {
    const dependency = healthy();
    dependency.call(3, 500);
    dependency.now += 100;
    expect(dependency.counter.record(true, 500, dependency.now)).toBe(false);
    expect(dependency.measured).toMatchObject({ calls: 4, failures: 1, slowCalls: 3 });
    expect(dependency.call(3, 'fails')).toBe(true);
  });

  test('never on a fifth of the calls, however long that lasts: refusing the other four is no gain', () => {
    const dependency = healthy();
    for (let i = 0; i < 10_000; i++) expect(dependency.call(1, i % 5 === 0 ? 'fails' : 50)).toBe(false);
  });

  test('excess says how much is worth it', () => {
    const opens = (excess: number, every: number): boolean => {
      const counter = adaptive({ excess }).start(0);
      let opened = false;
      for (let i = 1; i <= 1_500 && !opened; i++) opened = counter.record(i > 1_000 && i % every === 0, 50, i * 100);
      return opened;
    };
    expect(opens(0.05, 5)).toBe(true);
    expect(opens(0.6, 2)).toBe(false);
    expect(opens(0.6, 1)).toBe(true);
  });

  test('fewer false alarms cost a few more calls', () => {
    const calls = (falseOpensPerDay: number): number => {
      const counter = adaptive({ falseOpensPerDay }).start(0);
      for (let i = 1; i <= 1_000; i++) counter.record(false, 50, i * 100);
      let n = 1;
      while (!counter.record(true, 0, 100_000 + n * 100)) n++;
      return n;
    };
    expect([100, 1, 0.01, 0.0001].map(calls)).toEqual([3, 4, 5, 7]);
  });

  test('with as many false alarms allowed as there are calls a bad one is evidence enough, and not learnt', () => {
    const counter = adaptive({ falseOpensPerDay: 1_000 }).start(0);
    for (let i = 1; i <= 300; i++) counter.record(false, 6, i * 200_000);
    expect(counter.measure(60_000_000).value).toBe(0);
    const learnt = (now: number) => (counter.toJSON(now) as { normal: { failures: number } }).normal.failures;
    expect(counter.record(true, 6, 60_200_000)).toBe(true);
    expect(counter.measure(60_200_000)).toMatchObject({ value: 1, calls: 1, failures: 1 });
    counter.clear(60_200_000);
    expect(learnt(60_200_000)).toBe(0);
  });

  test('more frequent calls take more of them, for there are more chances to be wrong', () => {
    const calls = (everyMs: number): number => {
      const dependency = healthy(3_000, 50, everyMs);
      let n = 1;
      while (!dependency.call(1, 'fails', everyMs)) n++;
      return n;
    };
    expect([hour, 100_000, 1_000, 10].map(calls)).toEqual([4, 4, 5, 6]);
  });

  test('where it does not open the circuit, it says so as long as it should, and comes down again', () => {
    const dependency = healthy();
    for (let i = 0; i < 500; i++) dependency.call(1, 'fails');
    expect(dependency.measured.value).toBe(1);
    expect(dependency.call(1, 50)).toBe(false);
    dependency.call(20, 50);
    expect(dependency.measured).toMatchObject({ value: 0, calls: 0 });
  });

  test('clear ends the suspicion and keeps what is normal', () => {
    const dependency = healthy();
    const { normalShare } = dependency.measured;
    dependency.call(4, 'fails');
    dependency.counter.clear(dependency.now);
    expect(dependency.measured).toMatchObject({ value: 0, calls: 0, failures: 0, normalShare });
    expect(dependency.call(4, 'fails')).toBe(false);
  });
});

describe('calls that end together', () => {
  test('after a pause of theirs or ours, when all that waited ends within a moment, it stays closed', () => {
    const dependency = healthy(10_000, 20, 10);
    dependency.now += 1_000;
    expect(dependency.call(100, 1_000, 0.01)).toBe(false);
    expect(dependency.call(1_000, 20, 10)).toBe(false);
    expect(dependency.call(100, 1_000, 10)).toBe(true);
  });

  test('a connection that takes 800 calls with it is no outage', () => {
    const dependency = healthy(60_000, 20, 1);
    expect(dependency.call(800, 'fails', 0.005)).toBe(false);
    expect(dependency.call(100, 'fails', 1)).toBe(true);
  });

  test('batches of 50 are seen: the second that fails as a whole opens', () => {
    const dependency = new Dependency();
    const batch = (ms: number | 'fails') => {
      dependency.now += 60_000;
      return dependency.call(50, ms, 0.02);
    };
    for (let i = 0; i < 200; i++) batch(20);
    const opened = [batch('fails'), batch('fails'), batch('fails'), batch('fails'), batch('fails')];
    expect(opened).toEqual([false, true, true, true, true]);
  });

  test('in batches of 50 of which a tenth fails, and ends first, as failures do, it stays closed', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 2_000; i++) {
      dependency.now += 60_000;
      expect(dependency.call(5, 'fails', 0.2)).toBe(false);
      expect(dependency.call(45, 20, 0.4)).toBe(false);
    }
  });

  test('when traffic stops, the slowest come last, in a row: that is no outage', () => {
    const dependency = new Dependency();
    for (let i = 0; i < 3_000; i++) dependency.call(1, i % 25 === 0 ? 3_000 : 50, 10);
    expect(dependency.call(1, 50, 10)).toBe(false);
    for (let i = 1; i <= 30; i++) expect(dependency.call(1, 300 * i + 300, 300)).toBe(false);
    expect(dependency.call(30, 3_000, 10)).toBe(true);
  });

  test('calls that only bad ones have overtaken weigh as much as any', () => {
    const dependency = healthy();
    dependency.now += 10_000;
    let opened = false;
    for (let i = 0; i < 6 && !opened; i++) opened = dependency.call(1, i % 2 ? 3_000 : 6_000, 1_000);
    expect(opened).toBe(true);
  });

  test('where the clock stands still, calls are counted all the same', () => {
    const dependency = healthy(200);
    expect(dependency.call(15, 'fails', 0)).toBe(false);
    expect(dependency.call(10, 'fails', 0)).toBe(true);
  });
});

describe('slowness that stays', () => {
  test('every two minutes of trouble twice the slowness is accepted', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.call(7, 500);
    expect(dependency.slowCallMs).toBe(slowCallMs);
    dependency.now += 120_000;
    expect(dependency.slowCallMs).toBe(2 * slowCallMs);
    dependency.now += 240_000;
    expect(dependency.slowCallMs).toBe(8 * slowCallMs);
    dependency.now += 1_000 * hour;
    expect(dependency.slowCallMs).toBe(2 ** 20 * slowCallMs);
  });

  test('it is the time since the trouble began, whatever calls there are in it', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.call(5, 500);
    dependency.now += 119_900;
    dependency.call(1, 'fails');
    expect(dependency.slowCallMs).toBe(2 * slowCallMs);
  });

  test('what was accepted stays so after closing, and becomes normal', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.call(7, 500);
    dependency.sleep(130_000);
    expect(dependency.call(2_000, 500)).toBe(false);
    expect(dependency.slowCallMs).toBeGreaterThan(2 * slowCallMs);
    expect(dependency.call(20, 50)).toBe(false);
  });

  test('fast calls take it back', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.call(7, 'fails');
    dependency.sleep(600_000);
    expect(dependency.slowCallMs).toBeGreaterThan(30 * slowCallMs);
    dependency.call(300, 50);
    expect(dependency.slowCallMs).toBeLessThan(1.01 * slowCallMs);
    expect(dependency.call(8, 500)).toBe(true);
  });

  test('the time in which nothing was the matter does not count', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.call(2, 'fails');
    dependency.sleep(10 * hour);
    expect(dependency.slowCallMs).toBe(slowCallMs);
  });
});
