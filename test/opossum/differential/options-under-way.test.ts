// opossum reads most of `breaker.options` at each call: what a program changes there counts from the next one on.
import { expect, test } from 'vitest';
import { type Construct, ours, theirs } from './subject.ts';

const transport = () => {
  const kept = new Map<string, unknown>();
  return {
    get: (key: string) => kept.get(key),
    set: (key: string, value: unknown) => kept.set(key, value),
    flush: () => {},
  };
};

const changes: [what: string, given: () => object, change: object][] = [
  ['a cache turned off', () => ({ cache: true }), { cache: false }],
  ['a cache turned on', () => ({ cacheTransport: transport() }), { cache: true }],
  ['coalescing turned off', () => ({ coalesce: true }), { coalesce: false }],
  ['cacheGetKey', () => ({ cache: true }), { cacheGetKey: () => 'key' }],
  ['coalesceResetOn', () => ({ coalesce: true }), { coalesceResetOn: ['success', 'error'] }],
  ['errorFilter', () => ({}), { errorFilter: () => true }],
  ['errorThresholdPercentage', () => ({}), { errorThresholdPercentage: 0 }],
];

async function live(construct: Construct, given: object, change: object): Promise<unknown[]> {
  const seen: unknown[] = [];
  let calls = 0;
  const action = async (outcome: string): Promise<number> => {
    if (outcome === 'fail') throw new Error(`failure ${++calls}`);
    return ++calls;
  };
  const breaker = new construct(action, { errorThresholdPercentage: 90, ...given });
  const call = (outcome: string) =>
    breaker.fire(outcome).then(
      (value) => seen.push(value),
      (error: Error) => seen.push(error.message),
    );
  await call('ok');
  await call('ok');
  Object.assign(breaker.options, change);
  for (const outcome of ['ok', 'ok', 'other', 'fail', 'fail']) await call(outcome);
  const { latencyTimes: _, latencyMean: __, percentiles: ___, ...counts } = breaker.stats;
  seen.push(breaker.opened, counts);
  breaker.shutdown();
  return seen;
}

test.each(changes)('%s', async (_, given, change) => {
  const their = await live(theirs, given(), change);
  expect(await live(ours, given(), change)).toEqual(their);
  expect(their).not.toEqual(await live(theirs, given(), {}));
});
