import { describe, expect, test } from 'vitest';
import { Dependency, healthy } from '../../../../../test/support/learning.ts';
import { adaptive } from './adaptive.ts';

describe('as JSON', () => {
  const saved = (dependency: Dependency): unknown =>
    JSON.parse(JSON.stringify(dependency.counter.toJSON(dependency.now)));

  test('S1: what was learnt, a suspicion and its verdict go on in another process, where it is another time', () => {
    const dependency = healthy();
    dependency.call(3, 'fails');
    const before = saved(dependency);
    dependency.counter = dependency.rule.start(7, before);
    dependency.now = 7;
    expect(saved(dependency)).toEqual(before);
    expect(dependency.call(1, 'fails')).toBe(false);
    expect(dependency.call(1, 'fails')).toBe(true);
    const { slowCallMs } = dependency;
    dependency.now += 60_000;
    dependency.counter = dependency.rule.start(-5, saved(dependency));
    dependency.now = -5;
    expect(dependency.slowCallMs).toBeCloseTo(slowCallMs * Math.SQRT2, 6);
    dependency.now += 60_000;
    expect(dependency.slowCallMs).toBeCloseTo(slowCallMs * 2, 6);
  });

  test('a suspicion that was restored is not learnt, whatever comes of it', () => {
    const dependency = healthy();
    const learnt = () => (saved(dependency) as { normal: { failures: number; calls: number } }).normal;
    dependency.call(2, 'fails');
    const before = learnt();
    dependency.counter = dependency.rule.start(dependency.now, saved(dependency));
    dependency.call(10, 50);
    expect(dependency.measured.calls).toBe(0);
    expect(learnt().failures).toBe(before.failures);
    expect(learnt().calls).toBeLessThan(before.calls + 10);
  });

  test('another sensitivity takes up what was learnt', () => {
    const dependency = healthy();
    const { slowCallMs } = dependency;
    dependency.counter = adaptive({ falseOpensPerDay: 100 }).start(0, saved(dependency));
    expect(dependency.slowCallMs).toBe(slowCallMs);
    dependency.now = 0;
    expect(dependency.call(3, 'fails')).toBe(true);
  });

  test.each([
    ['null', null],
    ['a string', 'x'],
    ['a list', []],
    ['nothing of it', {}],
    ['no normal', { accepted: 1 }],
    ['a negative time', { forMs: -1 }],
    ['calls that are no number', { calls: '5' }],
    ['infinite failures', { failures: Infinity }],
    ['NaN', { failures: Number.NaN }],
    ['no bands', { bands: undefined }],
    ['bands with null', { bands: new Array(88).fill(null) }],
    ['bands that are a text', { bands: 'x'.repeat(88) }],
    ['a negative band', { bands: new Array(88).fill(-1) }],
  ])('S1: %s is a TypeError', (_what, wrong) => {
    const good = saved(healthy()) as { normal: object };
    const state =
      typeof wrong === 'object' && wrong !== null && Object.keys(wrong).length === 1 && !('accepted' in wrong)
        ? { ...good, normal: { ...good.normal, ...wrong } }
        : wrong;
    expect(() => adaptive().start(0, state)).toThrow(TypeError);
  });

  test.each([
    ['accepted', 0.5],
    ['accepted', 2 ** 21],
    ['accepted', undefined],
    ['guiltyMs', -1],
    ['guiltyMs', 'x'],
    ['suspicion', 5],
    ['suspicion', { sum: 1, calls: 1, failures: 1 }],
    ['suspicion', { sum: -1, calls: 1, failures: 1, slowCalls: 0 }],
    ['suspicion', { sum: Infinity, calls: 1, failures: 1, slowCalls: 0 }],
  ])('S1: %s of %j is a TypeError that names the rule', (key, wrong) => {
    const dependency = healthy();
    dependency.call(20, 'fails');
    const good = saved(dependency) as object;
    expect(() => adaptive().start(0, good)).not.toThrow();
    expect(() => adaptive().start(0, { ...good, [key]: wrong })).toThrow(/^adaptive: /);
    expect(() => adaptive().start(0, { ...good, [key]: wrong })).toThrow(TypeError);
  });

  test('bands that are missing are empty, those that are too many are left out', () => {
    const dependency = healthy();
    const good = saved(dependency) as { normal: { bands: number[] } };
    const { slowCallMs } = dependency;
    const restored = (bands: number[]) => adaptive().start(0, { ...good, normal: { ...good.normal, bands } });
    const { bands } = good.normal;
    const full = [...bands, ...new Array(88 - bands.length).fill(0)];
    expect(restored(full).slowCallMs?.(0)).toBe(slowCallMs);
    expect(restored([...full, 1e9]).slowCallMs?.(0)).toBe(slowCallMs);
    expect(restored(new Array(88)).slowCallMs?.(0)).toBe(Infinity);
  });

  test('a suspicion beyond what opens is no more than what opens', () => {
    const dependency = healthy();
    const suspicion = { sum: 1e15, calls: 1, failures: 1, slowCalls: 0 };
    dependency.counter = adaptive().start(0, { ...(saved(dependency) as object), suspicion });
    dependency.now = 0;
    dependency.call(30, 50);
    expect(dependency.measured.value).toBe(0);
  });
});

describe('options and words', () => {
  test('S26: all faults are told together', () => {
    expect(() => adaptive({ falseOpensPerDay: 0, excess: 1 })).toThrow(
      new RangeError(
        'adaptive: falseOpensPerDay must be a number from 0.000001 to 1000, got 0; excess must be a number from 0.05 to 0.9, got 1',
      ),
    );
    expect(() => adaptive({ threshold: 0.5 } as never)).toThrow(TypeError);
    expect(() => adaptive(null as never)).toThrow(TypeError);
    expect(() => adaptive({ excess: 0.05, falseOpensPerDay: 1_000 })).not.toThrow();
    expect(() => adaptive({ excess: 0.9, falseOpensPerDay: 1e-6 })).not.toThrow();
    expect(() => adaptive({ excess: undefined } as never)).not.toThrow();
  });

  test('it says what is normal, what was seen, and how sure it is', () => {
    const dependency = new Dependency();
    const said = () => dependency.rule.describe?.(dependency.measured);
    expect(said()).toBe('normally at most 12 % of calls fail; 0 % of the evidence it takes');
    dependency.call(1, 'fails');
    expect(said()).toMatch(/^1 of 1 call failed, normally at most 12 %; \d+\.?\d* % of the evidence it takes$/);
    dependency.call(1_000, 50);
    expect(said()).toBe('normally at most 2 % of calls fail or take 256 ms or more; 0 % of the evidence it takes');
    dependency.call(2, 500);
    dependency.call(3, 'fails');
    expect(said()).toBe(
      '3 of 5 calls failed, 2 took 256 ms or more, normally at most 2 %; by chance 0.01 times a day at most',
    );
  });
});

describe('at the edges', () => {
  test('a call is slow that takes exactly as long as is slow', () => {
    const dependency = healthy();
    dependency.call(1, dependency.slowCallMs);
    expect(dependency.measured.slowCalls).toBe(1);
    const other = healthy();
    other.call(1, other.slowCallMs - 0.001);
    expect(other.measured.calls).toBe(0);
  });

  test('good calls under suspicion are not slow ones', () => {
    const dependency = healthy();
    dependency.call(3, 'fails');
    dependency.call(1, 50);
    expect(dependency.measured).toMatchObject({ calls: 4, failures: 3, slowCalls: 0 });
  });

  test('without a suspicion none is saved', () => {
    const dependency = healthy();
    expect(dependency.counter.toJSON(dependency.now)).not.toHaveProperty('suspicion');
    dependency.call(1, 'fails');
    expect(dependency.counter.toJSON(dependency.now)).toHaveProperty('suspicion.calls', 1);
  });
});
