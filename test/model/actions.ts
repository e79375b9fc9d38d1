import fc from 'fast-check';
import { type Config, type Deed, type FallbackKind, type Forced, type Outcome, outcomes } from './config.ts';
import { highestBound, type RuleSpec } from './naive-rules.ts';

/** What happens to both breakers. `nth` picks one of the calls that it can happen to, so that every list makes sense. */
export type Action =
  | {
      readonly do: 'call';
      readonly ends?: Outcome;
      readonly how?: How;
      readonly with?: CallWith;
      readonly inside?: Deed;
    }
  | { readonly do: 'work-ends'; readonly nth: number; readonly as: Outcome }
  | { readonly do: 'abort'; readonly nth: number; readonly because: Reason }
  | { readonly do: 'acquire' }
  | {
      readonly do: 'permit';
      readonly nth: number;
      readonly how: PermitEnd;
      readonly error?: Outcome;
      readonly ms?: number;
    }
  | { readonly do: 'advance'; readonly ms: number }
  /** To the next instant at which something is due, and so much beyond it or short of it. */
  | { readonly do: 'advance-to-next'; readonly off: number }
  | { readonly do: 'deed'; readonly deed: Deed; readonly expiresInMs?: number }
  /** Once, when that event is told. */
  | { readonly do: 'on'; readonly event: (typeof events)[number]; readonly deed: Deed }
  | { readonly do: 'save' }
  | { readonly do: 'update'; readonly changes: Partial<Config> }
  /** Another breaker goes on from what was saved last; the calls of the old one end there. */
  | { readonly do: 'restore'; readonly changes: Partial<Config> };

type How = 'sync' | 'thenable';
/** Why a caller gives up: for no reason, because its time is up, or because somebody else refused it. */
export type Reason = 'whim' | 'deadline' | 'refusal';
/** Those that a listener of the tests can act on. */
export const events = [
  ...(['opened', 'half-opened', 'closed', 'succeeded', 'failed', 'ignored'] as const),
  ...(['rejected', 'timed-out', 'late', 'forced', 'released', 'updated'] as const),
];
export type PermitEnd = 'success' | 'failure' | 'ignore';

/** Options of one call; a `key` is given with any of them. */
export interface CallWith {
  readonly signal?: 'later' | 'aborted' | 'past-deadline';
  readonly fallback?: FallbackKind;
  /** The function gives up when its signal is aborted. */
  readonly heeds?: true;
}

const from = <T>(...values: readonly T[]): fc.Arbitrary<T> => fc.constantFrom(...values);
const some = { noNullPrototype: true, requiredKeys: [] };

const few = from(1, 2, 3, 4);
/** Windows whose buckets are exact numbers, so that both breakers see the same edges. */
const size: fc.Arbitrary<Pick<RuleSpec, 'windowCalls' | 'windowMs' | 'buckets'>> = fc.oneof(
  fc.record({ windowCalls: from(1, 2, 3, 4, 6) }),
  from({ windowMs: 20, buckets: 1 }, { windowMs: 20, buckets: 2 }, { windowMs: 40, buckets: 4 }, { windowMs: 100 }),
);
const leaf: fc.Arbitrary<RuleSpec> = fc.oneof(
  fc.record({ rule: fc.constant('consecutiveFailures' as const), threshold: few }),
  fc
    .tuple(
      size,
      from('failureRate' as const, 'slowCallRate' as const),
      from(0.1, 0.25, 0.3, 0.5, 0.6, 1),
      from(1, 2, 3, 5, undefined),
      from(undefined, undefined, undefined, 0.5 as const, 0.8 as const, 0.95 as const),
    )
    .map(([window, rule, threshold, minimumCalls, confidence]) => ({
      ...{ rule, ...window, threshold },
      ...(minimumCalls === undefined ? {} : { minimumCalls }),
      ...(confidence !== undefined && highestBound(confidence, window.windowCalls) >= threshold ? { confidence } : {}),
      ...(rule === 'slowCallRate' ? { slowCallMs: 5 } : {}),
    })),
  fc.tuple(size, few, from(1, 2, 5)).map(([window, count, minimumCalls]) => {
    const threshold = Math.min(count, window.windowCalls ?? count);
    return { rule: 'failureCount' as const, ...window, threshold, minimumCalls };
  }),
);
const combined = (part: fc.Arbitrary<RuleSpec>): fc.Arbitrary<RuleSpec> =>
  fc.record({ rule: from('anyOf' as const, 'allOf' as const), parts: fc.array(part, { minLength: 1, maxLength: 3 }) });
const trip: fc.Arbitrary<RuleSpec> = fc.oneof(
  { weight: 6, arbitrary: leaf },
  { weight: 2, arbitrary: combined(leaf) },
  { weight: 1, arbitrary: combined(fc.oneof(leaf, combined(leaf))) },
);

const fallback = from<FallbackKind>('value', 'throws', 'chain', 'lastGood', 'slow');
const changeable = {
  trip,
  successThreshold: from(1, 2, 3),
  timeoutMs: from(5, 10, 20),
  sleepWindowMs: fc.oneof(
    from(10, 25, 0, 60_000),
    from({ list: [10, 0, 35] }, { list: [Number.NaN, 10] }, { list: [-5, Infinity] }, { list: [5, 10, 20, 40] }),
    from({ doubling: 5 }),
  ),
  maxSleepWindowMs: from(1, 30, 100),
  maxConcurrent: from(1, 2, 3),
  release: from('on-settle' as const, 'on-timeout' as const),
  abandonAfterMs: from(1, 15, 40),
  halfOpen: fc.record(
    {
      maxConcurrent: from(1, 2, 3),
      probeTimeoutMs: from(4, 10, 15),
      sample: from(
        { calls: 1, failureRate: 1 },
        { calls: 2, failureRate: 0.5 },
        { calls: 3, failureRate: 0.5 },
        { calls: 4, failureRate: 0.75 },
      ),
    },
    some,
  ),
  recovery: fc.record(
    { rampMs: from(10, 40, 100), initialShare: from(0.1, 0.25, 0.5, 1) },
    { ...some, requiredKeys: ['rampMs'] },
  ),
  slowCallMs: from(3, 10),
  latency: fc.boolean(),
  fallback,
};
const forced = from<Forced>('forced-open', 'forced-closed', 'disabled', 'observe-only');

const all = { ...changeable, classify: fc.constant(true as const) };
const { trip: _, ...optional } = all;

/** Few options are as likely as many: the shortest ways through a breaker are those of the plain ones. */
export const config: fc.Arbitrary<Config> = fc
  .tuple(
    fc.record(all, { noNullPrototype: true }),
    fc.subarray(Object.keys(optional) as (keyof typeof optional)[]),
    fc.option(forced, { nil: undefined, freq: 8 }),
  )
  .map(([values, keys, start]) => ({
    trip: values.trip,
    ...Object.fromEntries(keys.map((key) => [key, values[key]])),
    ...(start === undefined ? {} : { start }),
  }));

const change: fc.Arbitrary<Partial<Config>> = fc.oneof(
  ...Object.entries(changeable).map(([key, value]) => ({
    weight: key === 'trip' ? 4 : 1,
    arbitrary: fc.record({ [key]: value }, { noNullPrototype: true }),
  })),
);
const changes = fc.oneof(
  change,
  fc.tuple(change, change).map(([a, b]) => ({ ...a, ...b })),
);

/** Nothing comes after a disposal, so it is rare. */
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 8, arbitrary: forced },
  { weight: 5, arbitrary: from('release' as const, 'reset' as const, 'probe' as const) },
  { weight: 6, arbitrary: from('acquire-success' as const, 'acquire-slow' as const, 'acquire-failure' as const) },
  { weight: 1, arbitrary: from('dispose' as const, 'drain' as const) },
);
const nth = fc.nat(9);
const outcome = fc.oneof(
  { weight: 5, arbitrary: fc.constant<Outcome>('ok') },
  { weight: 5, arbitrary: fc.constant<Outcome>('boom') },
  { weight: 3, arbitrary: from(...outcomes) },
);
const ms = from(1, 5, 10, 2, 4, 20, 50, 0, 200, 70_000, 400_000);
const callWith: fc.Arbitrary<CallWith> = fc.record(
  {
    signal: from('later' as const, 'later' as const, 'aborted' as const, 'past-deadline' as const),
    fallback,
    heeds: fc.constant(true as const),
  },
  some,
);
const act = (name: Action['do'], required: object = {}, optional: object = {}): fc.Arbitrary<Action> =>
  fc.record(
    { do: fc.constant(name), ...required, ...optional },
    { noNullPrototype: true, requiredKeys: ['do', ...Object.keys(required)] as never },
  ) as fc.Arbitrary<never>;
const weighted = (...list: readonly [weight: number, arbitrary: fc.Arbitrary<Action>][]): fc.Arbitrary<Action> =>
  fc.oneof({ withCrossShrink: true }, ...list.map(([weight, arbitrary]) => ({ weight, arbitrary })));

const action = weighted(
  [12, act('call', { ends: outcome })],
  [6, act('call')],
  [5, act('call', {}, { ends: outcome, how: from('sync', 'thenable'), with: callWith })],
  [10, act('work-ends', { nth, as: outcome })],
  [7, act('advance', { ms })],
  [9, act('advance-to-next', { off: from(0, 0, 1, -1) })],
  [3, act('abort', { nth, because: from<Reason>('whim', 'deadline', 'refusal') })],
  [3, act('acquire')],
  [3, act('permit', { nth, how: from('success', 'failure', 'ignore') }, { error: outcome, ms: from(0, 3, 50) })],
  [4, act('deed', { deed }, { expiresInMs: from(5, 20, 100) })],
  [
    1,
    act('on', {
      event: from(...events),
      deed: fc.oneof({ weight: 3, arbitrary: deed }, { weight: 1, arbitrary: fc.constant('drain') }),
    }),
  ],
  [3, act('update', { changes })],
  [2, act('save')],
  [
    2,
    act('restore', { changes: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: changes }) }),
  ],
  [
    1,
    weighted(
      [1, act('deed', { deed: fc.constant('drain') })],
      [9, act('call', {}, { ends: outcome, how: from('sync', 'thenable'), inside: deed })],
    ),
  ],
);

export const actions: fc.Arbitrary<Action[]> = fc.array(action, { maxLength: 80, size: 'max' });
