import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CountWindow } from './count-window.ts';

const fill = (size: number, hits: readonly boolean[]): CountWindow => {
  const window = new CountWindow(size);
  for (const hit of hits) window.add(hit);
  return window;
};

const seeded = { seed: Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31)), numRuns: 300 };
console.log(`seed ${seeded.seed}`);

describe('the last N calls', () => {
  test('S15: against a list', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 12 }), fc.array(fc.boolean(), { maxLength: 60 }), (size, hits) => {
        const last = hits.slice(-size);
        const window = fill(size, hits);
        expect(window.count()).toEqual({ calls: last.length, hits: last.filter(Boolean).length });
        expect([window.calls, window.hits]).toEqual([last.length, last.filter(Boolean).length]);
        expect(window.toJSON()).toBe(last.map(Number).join(''));
      }),
      seeded,
    );
  });

  test('clear empties it, and nothing of before comes back', () => {
    const window = fill(3, [true, true, true, true]);
    window.clear();
    expect(window.count()).toEqual({ calls: 0, hits: 0 });
    for (const hit of [false, false, false, false]) window.add(hit);
    expect(window.count()).toEqual({ calls: 3, hits: 0 });
    expect(window.toJSON()).toBe('000');
  });
});

describe('restoring', () => {
  test('S1: what was written goes on as before, in a window of the same size', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        fc.array(fc.boolean(), { maxLength: 30 }),
        (size, before, after) => {
          const window = fill(size, before);
          const restored = CountWindow.restore(size, window.toJSON());
          for (const hit of after) {
            window.add(hit);
            restored.add(hit);
          }
          expect(restored.toJSON()).toBe(window.toJSON());
          expect(restored.count()).toEqual(window.count());
        },
      ),
      seeded,
    );
  });

  test('of a longer window the newest calls are taken up, of a shorter one all', () => {
    expect(CountWindow.restore(2, '11100').toJSON()).toBe('00');
    expect(CountWindow.restore(9, '101').toJSON()).toBe('101');
  });

  test.each([undefined, null, 5, '012', 'x', [], {}, '1 1', '1\n'])('%o was written by no window', (saved) => {
    expect(() => CountWindow.restore(5, saved)).toThrow(TypeError);
  });
});
