// In which microtask events come and callers hear: code that awaits calls beside other things sees the order.
import { expect, test } from 'vitest';
import { type Construct, ours, type Subject, theirs } from './subject.ts';

const outcomes: Record<string, () => unknown> = {
  'a value': () => 1,
  'a falsy value': () => 0,
  'a resolved promise': () => Promise.resolve(1),
  'a promise of undefined': () => Promise.resolve(undefined),
  'an async function': async () => 1,
  'an async function that throws': async () => Promise.reject(new Error('failed')),
  'a rejected promise': () => Promise.reject(new Error('failed')),
  'a rejection of undefined': () => Promise.reject(undefined),
  'a throw': () => {
    throw new Error('failed');
  },
};
const options = {
  nothing: {},
  cache: { cache: true },
  coalesce: { coalesce: true },
  both: { cache: true, coalesce: true },
  'no timeout': { timeout: false },
  filter: { errorFilter: () => true },
};
const fallbacks: Record<string, (() => unknown) | undefined> = {
  none: undefined,
  value: () => 'instead',
  promise: async () => 'instead',
  rejection: () => Promise.reject(new Error('of the fallback')),
  throw: outcomes['a throw'],
  slow: () => new Promise((resolve) => queueMicrotask(() => queueMicrotask(() => resolve('instead')))),
};
const heard = 'fire success failure reject fallback open close cacheHit cacheMiss coalesceCacheHit coalesceCacheMiss';

async function turns(construct: Construct, outcome: string, given: object, fallback: string, isOpen: boolean) {
  const trace: unknown[] = [];
  const breaker = new construct(outcomes[outcome], given);
  if (fallbacks[fallback]) breaker.fallback(fallbacks[fallback]);
  if (isOpen) (breaker as Subject & { open(): void }).open();
  for (const event of heard.split(' ')) breaker.on(event, () => trace.push(event));
  const call = (name: string): void => {
    breaker.fire().then(
      () => trace.push(`${name} fulfilled`),
      () => trace.push(`${name} rejected`),
    );
    trace.push(`${name} fired`);
  };
  call('first');
  call('second');
  for (let turn = 0; turn < 20; turn++) {
    trace.push(turn);
    if (turn === 9) call('third');
    await null;
  }
  breaker.shutdown();
  return trace;
}

const cases = Object.keys(options).flatMap((option) => Object.keys(fallbacks).map((fallback) => [option, fallback]));

test.each(cases)('option: %s; fallback: %s', async (option, fallback) => {
  for (const outcome of Object.keys(outcomes)) {
    for (const [isOpen, errorThresholdPercentage] of [
      [false, 0],
      [false, 100],
      [true, 0],
    ] as const) {
      const live = (construct: Construct) => {
        // opossum keeps its caches in the options.
        const given = { ...options[option as 'nothing'], errorThresholdPercentage };
        return turns(construct, outcome, given, fallback as string, isOpen);
      };
      expect([outcome, isOpen, await live(ours)]).toEqual([outcome, isOpen, await live(theirs)]);
    }
  }
});
