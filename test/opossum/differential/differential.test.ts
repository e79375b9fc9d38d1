// opossum itself and ours live through the same random life, each in the same faked time of its own: everything that can be seen of
// them must be the same, in the same order. What differs on purpose ends the comparison (differences.test.ts).
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holdsInTime } from '../../support/properties.ts';
import { play } from './play.ts';
import { scenarios } from './scenario.ts';

const runs = Number(process.env.RECLOSER_RUNS ?? 2_500);

test('any life: what is answered, told, counted and shown is what opossum answers, tells, counts and shows', {
  timeout: Math.max(120_000, runs * 20),
}, async () => {
  const met = new Map<string, number>();
  let compared = 0;
  let all = 0;
  await holdsInTime(
    fc.asyncProperty(scenarios, async (scenario) => {
      const { theirs, ours, row, after } = await play(scenario);
      met.set(row ?? 'nothing', (met.get(row ?? 'nothing') ?? 0) + 1);
      compared += theirs.length;
      all += theirs.length + after.theirs.length;
      const longer = ours.length > theirs.length ? ours : theirs;
      const at = longer.findIndex((_, i) => !isDeepStrictEqual(ours[i], theirs[i]));
      // The rest would hide it.
      if (at >= 0) expect([theirs.slice(0, at), ours[at]]).toEqual([theirs.slice(0, at), theirs[at]]);
    }),
    runs,
  );
  console.log(`${compared} of ${all} entries compared; ended by`, Object.fromEntries(met));
  expect(compared / all).toBeGreaterThan(0.5);
});
