import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRecording } from './parse.ts';
import { draw } from './random.ts';
import { sampler } from './sample.ts';

const recordingOf = (...calls: [at: number, name: string, took?: number][]) =>
  parseRecording(
    [
      't_ms,dependency,operation,duration_ms,outcome,status',
      ...calls.map(([at, name, took = 1]) => `${at},${name},,${took},ok,`),
    ].join('\n'),
  );

const anyCalls = fc.array(
  fc
    .tuple(fc.integer({ min: 0, max: 20_000 }), fc.constantFrom('a', 'b', 'c'))
    .map(([at, name]): [number, string] => [at, name]),
  { minLength: 1 },
);

test('a sample is a call of that dependency, no further than a second away unless none is nearer', () => {
  fc.assert(
    fc.property(anyCalls, fc.integer({ min: 0, max: 25_000 }), fc.nat(), fc.nat(), (calls, at, call, seed) => {
      const recording = recordingOf(...calls);
      const sample = sampler(recording, seed);
      recording.dependencies.forEach((_name, dependency) => {
        const row = sample(dependency, at, call);
        const distance = (one: number) => Math.abs((recording.startMs[one] as number) - at);
        const own = [...recording.dependency.keys()].filter((one) => recording.dependency[one] === dependency);
        expect(own).toContain(row);
        expect(distance(row)).toBeLessThanOrEqual(Math.max(1_000, Math.min(...own.map(distance))));
      });
    }),
  );
});

test('the same seed draws the same call, another one sooner or later another', () => {
  const recording = recordingOf(...Array.from({ length: 50 }, (_, i): [number, string] => [i * 10, 'a']));
  const drawn = (seed: number) => Array.from({ length: 50 }, (_, call) => sampler(recording, seed)(0, call * 10, call));
  expect(drawn(7)).toEqual(drawn(7));
  expect(drawn(7)).not.toEqual(drawn(8));
});

test('draws are spread evenly', () => {
  for (const seed of [0, 1, 42, 2 ** 32 - 1]) {
    const bins = new Array<number>(10).fill(0);
    for (let call = 0; call < 10_000; call++) bins[Math.floor(draw(seed, call) * 10)]!++;
    for (const bin of bins) expect(bin).toBeGreaterThan(850);
    for (const bin of bins) expect(bin).toBeLessThan(1_150);
  }
});

test('a step in the recording stays where it was, to the second', () => {
  const recording = recordingOf(
    ...Array.from({ length: 400 }, (_, i): [number, string, number] => [i * 50, 'a', i < 200 ? 5 : 30_000]),
  );
  const sample = sampler(recording, 1);
  for (let call = 0; call < 400; call++) {
    const at = call * 50;
    if (Math.abs(at - 10_000) <= 1_000) continue;
    expect(recording.durationMs[sample(0, at, call)]).toBe(at < 10_000 ? 5 : 30_000);
  }
});
