// What code that looks at a breaker finds: names, defaults, types, and what the constructor refuses.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import { afterEach, expect, test } from 'vitest';
import { type Construct, ours, type Subject, theirs } from './subject.ts';

const built: Subject[] = [];
const make = (construct: Construct, options?: object): Subject => {
  const breaker = new construct(async function action() {}, options);
  built.push(breaker);
  return breaker;
};
afterEach(() => {
  for (const breaker of built.splice(0)) breaker.shutdown();
});

/** Names and how each is defined: a value, a getter, and whether loops find it. */
function described(target: object, but: readonly string[] = []): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of Object.getOwnPropertyNames(target)) {
    const { get, value, enumerable } = Object.getOwnPropertyDescriptor(target, name) ?? {};
    if (!but.includes(name)) found[name] = `${get ? 'getter' : typeof value}${enumerable ? ', enumerable' : ''}`;
  }
  return found;
}

test('own properties and those of the class are the same, but for what the package keeps to itself', () => {
  expect(described(make(ours))).toEqual(described(make(theirs)));
  const mine = described(ours.prototype, ['eventNames']);
  expect(mine).toEqual(described(theirs.prototype, ['_renewAbortControllerIfNeeded']));
  const added = ['Status', 'Semaphore', 'MemoryCache', 'default'];
  expect(described(ours, added)).toEqual(described(theirs));
});

test('names, enumeration and kinds', () => {
  for (const see of [
    (breaker: Subject) => Object.keys(breaker),
    (breaker: Subject) => breaker instanceof EventEmitter,
    (breaker: Subject) => String(breaker),
    (breaker: Subject) => breaker.constructor.name,
    (breaker: Subject) => breaker.eventNames(),
    (breaker: Subject) => Object.keys(breaker.toJSON()),
    (breaker: Subject) => Object.keys(breaker.toJSON().status),
    (breaker: Subject) => Object.keys(breaker.semaphore),
    (breaker: Subject) => JSON.stringify(breaker.status),
  ]) {
    expect(see(make(ours))).toEqual(see(make(theirs)));
  }
  const { lastTimerAt: _, ...flags } = make(theirs).toJSON().state;
  expect(make(ours).toJSON().state).toMatchObject(flags);
});

test('defaults are the same; only ours has a clock, and says what opossum leaves out', () => {
  const on = { cache: true, coalesce: true, autoRenewAbortController: true };
  for (const given of [{}, on]) {
    const plain = ({ options }: Subject) =>
      Object.fromEntries(
        Object.entries(options).filter(
          ([, value]) => typeof value !== 'object' && typeof value !== 'function' && value !== undefined,
        ),
      );
    expect(plain(make(ours, { ...given }))).toEqual({ volumeThreshold: 0, ...plain(make(theirs, { ...given })) });
  }
});

const given = {
  timeout: 50,
  resetTimeout: 60,
  errorThresholdPercentage: 70,
  rollingCountTimeout: 800,
  rollingCountBuckets: 8,
  rollingPercentilesEnabled: false,
  capacity: 7,
  volumeThreshold: 5,
  allowWarmUp: true,
  enabled: false,
  name: 'a name',
  group: 'a group',
  errorFilter: () => true,
  cache: true,
  cacheTTL: 90,
  cacheSize: 11,
  cacheGetKey: () => 'key',
  coalesce: true,
  coalesceTTL: 95,
  coalesceSize: 12,
  coalesceResetOn: ['error'],
  autoRenewAbortController: true,
  enableSnapshots: false,
  rotateBucketController: new EventEmitter(),
  cacheTransport: { get: () => 1, set: () => {}, flush: () => {} },
  abortController: new AbortController(),
  state: { enabled: false, closed: false },
  status: { fires: 3 },
};

test.each(Object.entries(given))('an inherited `%s` counts as one of the object itself does', (name, value) => {
  // A cache only where one is asked for.
  const own = /^cache./.test(name) ? { cache: true } : /^coalesce./.test(name) ? { coalesce: true } : {};
  const see = (construct: Construct, options: object): unknown => {
    const breaker = make(construct, Object.assign(options, own));
    const { lastTimerAt: _, name: known, ...state } = breaker.toJSON().state;
    const { maxEntries } = Object(breaker.options.cacheTransport ?? breaker.options.coalesceCache);
    const sizes = [breaker.status.window.length, breaker.semaphore.count, breaker.volumeThreshold, maxEntries];
    const isNamed = known === 'a name';
    return [state, isNamed, breaker.group === 'a group', breaker.stats, sizes, breaker.options[name] === value];
  };
  for (const construct of [theirs, ours]) {
    expect(see(construct, Object.create({ [name]: value }))).toEqual(see(construct, { [name]: value }));
  }
  // opossum, which writes defaults into the object, can't take it.
  class Getter {
    get [name](): unknown {
      return value;
    }
  }
  expect(see(ours, new Getter())).toEqual(see(ours, { [name]: value }));
});

const lib = createRequire(import.meta.url);
test.each([
  ['Status', lib('opossum/lib/status.js'), ['sum', 'calls', 'letBy', 'on', 'addListener', 'prependListener']],
  ['MemoryCache', lib('opossum/lib/cache.js'), []],
])('%s: the same methods', (name, their, added) => {
  const our = (ours as unknown as Record<string, typeof their>)[name];
  expect(described(our.prototype, added)).toEqual(described(their.prototype));
});

const refusals: [what: string, action: unknown, options: unknown][] = [
  ['no action', undefined, {}],
  ['an action of null', null, undefined],
  ['an abort controller without `abort`', 'a', { abortController: {} }],
  ['a cache transport without methods', 'a', { cache: true, cacheTransport: {} }],
  ['a cache transport with one method', 'a', { cache: true, cacheTransport: { get: () => 1 } }],
];
test.each(refusals)('refused in the same words: %s', (_, action, options) => {
  const refusal = (construct: Construct): unknown => {
    try {
      new construct(action, options);
      return undefined;
    } catch (error) {
      return [(error as Error).name, (error as Error).message];
    }
  };
  expect(refusal(theirs)).toBeDefined();
  expect(refusal(ours)).toEqual(refusal(theirs));
});

test.each([
  ['a status that is none', { status: 5 }],
  ['no abort controller', { abortController: null }],
])('taken alike: %s', (_, options) => {
  const see = (construct: Construct): unknown => {
    const breaker = make(construct, { ...options });
    return [breaker.stats, breaker.getSignal(), breaker.getAbortController()];
  };
  expect(see(ours)).toEqual(see(theirs));
});

test('health checks and their intervals are refused in the same words', () => {
  const refused = (construct: Construct): unknown[] =>
    [[undefined], ['text'], [() => Promise.resolve(), 'text'], [() => Promise.resolve(), {}]].map(([check, every]) => {
      try {
        return make(construct).healthCheck(check, every);
      } catch (error) {
        return [(error as Error).name, (error as Error).message];
      }
    });
  expect(refused(ours)).toEqual(refused(theirs));
});

test('opossum counts by listeners of its own, we do not', () => {
  expect([theirs, ours].map((construct) => make(construct).listenerCount('failure'))).toEqual([1, 0]);
});

test('`isOurError` takes anything, and `newStatus` needs no options', () => {
  expect(() => theirs.isOurError(undefined)).toThrow(TypeError);
  expect(ours.isOurError(undefined)).toBe(false);
  const [their, our] = [theirs, ours].map((construct) => construct.newStatus as (options?: object) => unknown);
  expect(() => their?.()).toThrow(TypeError);
  expect(() => our?.()).not.toThrow();
});
