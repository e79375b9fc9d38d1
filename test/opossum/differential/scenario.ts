// What may happen to a breaker: every documented option, every way a call can end, every method, and time.
import fc from 'fast-check';

export type Outcome =
  | 'return'
  | 'falsy'
  | 'throw'
  | 'resolve'
  | 'reject'
  | 'rejectNoError'
  | 'hang'
  | 'resolveLater'
  | 'rejectLater'
  | 'filtered'
  | 'throwFiltered'
  | 'thenable'
  | 'bareThenable'
  | 'undefined'
  | 'null';

export type FallbackKind =
  | 'value'
  | 'undefined'
  | 'throw'
  | 'resolve'
  | 'reject'
  | 'resolveLater'
  | 'rejectLater'
  | 'breaker';

export interface Fire {
  readonly do: 'fire' | 'call';
  readonly outcome: Outcome;
  readonly key: number;
  readonly ms: number;
}

export type Command =
  | Fire
  | { readonly do: 'wait' }
  | { readonly do: 'open' | 'close' | 'enable' | 'disable' | 'shutdown' | 'clearCache' | 'rotate' }
  | { readonly do: 'fallback'; readonly kind: FallbackKind }
  | { readonly do: 'healthCheck'; readonly every: number | undefined; readonly kind: 'ok' | 'fail' | 'flip' }
  | { readonly do: 'restart'; readonly state: boolean; readonly status: 'none' | 'newStatus' | 'raw' };

/** A command, and the milliseconds that pass after it; `undefined`: the next comes before anything else can run. */
export interface Step {
  readonly command: Command;
  readonly afterMs: number | undefined;
}

/** A listener that does something to its breaker, the first time it hears the event. */
export interface Reaction {
  readonly on: string;
  readonly does: Command;
}

export interface Drawn {
  readonly timeout?: number | false | undefined;
  readonly errorThresholdPercentage?: number | undefined;
  readonly resetTimeout?: number | undefined;
  readonly rollingCountTimeout?: number | undefined;
  readonly rollingCountBuckets?: number | undefined;
  readonly rollingPercentilesEnabled?: boolean | undefined;
  readonly capacity?: number | undefined;
  readonly volumeThreshold?: number | undefined;
  readonly allowWarmUp?: boolean | undefined;
  readonly enabled?: boolean | undefined;
  readonly maxFailures?: number | undefined;
  readonly name?: string | undefined;
  readonly group?: string | undefined;
  readonly errorFilter?: 'status' | 'all' | 'arguments' | 'timeouts' | 'throws' | undefined;
  readonly cache?: boolean | undefined;
  readonly cacheTTL?: number | undefined;
  readonly cacheSize?: number | undefined;
  readonly cacheGetKey?: 'key' | 'constant' | 'throws' | undefined;
  readonly cacheTransport?: 'map' | undefined;
  readonly coalesce?: boolean | undefined;
  readonly coalesceTTL?: number | undefined;
  readonly coalesceSize?: number | undefined;
  readonly coalesceResetOn?: readonly string[] | undefined;
  readonly abortController?: boolean | undefined;
  readonly autoRenewAbortController?: boolean | undefined;
  readonly enableSnapshots?: boolean | undefined;
  readonly rotateBucketController?: boolean | undefined;
  readonly state?: (Readonly<Record<string, unknown>> & { readonly sinceMs?: number }) | undefined;
  readonly status?:
    | { readonly kind: 'newStatus' | 'raw'; readonly stats: Readonly<Record<string, unknown>> }
    | undefined;
}

export interface Scenario {
  readonly options: Drawn;
  readonly action: 'function' | 'anonymous' | 'value';
  readonly hearsSnapshots: boolean;
  readonly reactions: readonly Reaction[];
  readonly steps: readonly Step[];
}

const tens = (most: number): fc.Arbitrary<number> => fc.nat(most).map((n) => n * 10);

/** Unlikely ones are known to differ: what follows them is not compared. */
const outcomes = fc.oneof(
  {
    weight: 60,
    arbitrary: fc.constantFrom<Outcome>(
      'return',
      'falsy',
      'throw',
      'resolve',
      'reject',
      'rejectNoError',
      'hang',
      'resolveLater',
      'resolveLater',
      'rejectLater',
      'rejectLater',
      'filtered',
      'throwFiltered',
    ),
  },
  { weight: 2, arbitrary: fc.constantFrom<Outcome>('thenable', 'thenable', 'bareThenable', 'undefined', 'null') },
);

const fires: fc.Arbitrary<Fire> = fc.record({
  do: fc.constantFrom('fire', 'fire', 'fire', 'call'),
  outcome: outcomes,
  key: fc.nat(2),
  ms: tens(20),
});

const commands: fc.Arbitrary<Command> = fc.oneof(
  { weight: 30, arbitrary: fires },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('wait') }) },
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constantFrom('open', 'close', 'enable', 'disable', 'clearCache', 'rotate', 'rotate'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('fallback'),
      kind: fc.constantFrom<FallbackKind>(
        'value',
        'undefined',
        'throw',
        'resolve',
        'reject',
        'resolveLater',
        'rejectLater',
        'breaker',
      ),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('healthCheck'),
      every: fc.constantFrom(undefined, 150, 470),
      kind: fc.constantFrom('ok', 'fail', 'flip'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('shutdown') }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('restart'),
      state: fc.boolean(),
      status: fc.constantFrom('none', 'newStatus', 'raw'),
    }),
  },
);

const steps: fc.Arbitrary<Step> = fc.record({
  command: commands,
  afterMs: fc.oneof(
    { weight: 2, arbitrary: fc.constant(undefined) },
    { weight: 2, arbitrary: fc.constant(0) },
    { weight: 3, arbitrary: tens(20) },
    { weight: 1, arbitrary: tens(90) },
  ),
});

const reactions: fc.Arbitrary<Reaction> = fc.record({
  on: fc.constantFrom('fire', 'success', 'failure', 'timeout', 'reject', 'fallback', 'open', 'halfOpen', 'close'),
  does: fc.oneof(
    fires,
    fc.record({ do: fc.constantFrom('open', 'close', 'enable', 'disable', 'shutdown', 'clearCache') }),
  ),
});

const figures = fc.record(
  {
    fires: fc.nat(20),
    failures: fc.nat(10),
    successes: fc.nat(10),
    timeouts: fc.nat(2),
    rejects: fc.nat(5),
    latencyTimes: fc.array(tens(10), { maxLength: 5 }),
  },
  { requiredKeys: [] },
);

const states = fc.oneof(
  fc.constant({ closed: true, open: false, halfOpen: false }),
  fc.constant({ closed: true, open: false, halfOpen: false, warmUp: true }),
  fc.constant({ closed: true, open: false, halfOpen: false, enabled: false }),
  fc.constant({ closed: false, open: true, halfOpen: false }),
  fc.constant({ closed: false, open: true, halfOpen: false, sinceMs: 0 }),
  fc.constant({ closed: false, open: true, halfOpen: false, sinceMs: 100 }),
  fc.constant({ closed: false, open: true, halfOpen: false, sinceMs: 10_000 }),
  fc.constant({ closed: false, open: false, halfOpen: true }),
  fc.constant({ closed: false, open: false, halfOpen: false, shutdown: true, enabled: false }),
  fc.constant({}),
);

/** One in so many has it; drawing few options at a time leaves more of a life before something known to differ. */
const oneIn = <T>(many: number, arbitrary: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.oneof({ weight: many - 1, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });

/** Times are multiples of ten, but for the sleep: what an interval does and what a call does then never fall together. */
const options: fc.Arbitrary<Drawn> = fc.record({
  timeout: fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(70, 120, 700) },
    { weight: 1, arbitrary: fc.constantFrom<number | false | undefined>(0, false, undefined) },
  ),
  errorThresholdPercentage: fc.constantFrom(undefined, 0, 0, 0, 0, 1, 30, 50, 66.6, 99, 100),
  resetTimeout: fc.constantFrom(undefined, 65, 205, 205, 505),
  rollingCountTimeout: fc.constantFrom(undefined, 400, 1_000, 10_000, 100_000),
  rollingCountBuckets: fc.constantFrom(undefined, 1, 4, 10),
  rollingPercentilesEnabled: oneIn(4, fc.boolean()),
  capacity: oneIn(4, fc.constantFrom(1, 3, 6, 10, 20)),
  volumeThreshold: oneIn(2, fc.nat(5)),
  allowWarmUp: oneIn(5, fc.boolean()),
  enabled: oneIn(10, fc.boolean()),
  maxFailures: oneIn(20, fc.constantFrom(0, 5)),
  name: oneIn(3, fc.constantFrom('', 'a name')),
  group: oneIn(3, fc.constantFrom('', 'a group')),
  errorFilter: oneIn(
    2,
    fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom('status', 'status', 'arguments', 'timeouts', 'all') },
      { weight: 1, arbitrary: fc.constant('throws') },
    ),
  ),
  cache: oneIn(3, fc.boolean()),
  cacheTTL: oneIn(2, fc.constantFrom(0, 300, -5)),
  cacheSize: oneIn(2, fc.constantFrom(1, 2)),
  cacheGetKey: oneIn(
    2,
    fc.oneof(
      { weight: 40, arbitrary: fc.constantFrom('key', 'key', 'constant') },
      { weight: 1, arbitrary: fc.constant('throws') },
    ),
  ),
  cacheTransport: oneIn(4, fc.constant('map')),
  coalesce: oneIn(3, fc.boolean()),
  coalesceTTL: oneIn(2, fc.constantFrom(0, 250, -5)),
  coalesceSize: oneIn(2, fc.constantFrom(1, 2)),
  coalesceResetOn: oneIn(2, fc.subarray(['success', 'error', 'timeout', 'nonsense'])),
  abortController: oneIn(3, fc.boolean()),
  autoRenewAbortController: oneIn(3, fc.boolean()),
  enableSnapshots: oneIn(4, fc.boolean()),
  rotateBucketController: oneIn(4, fc.boolean()),
  state: oneIn(8, states),
  status: oneIn(6, fc.record({ kind: fc.constantFrom('newStatus', 'raw'), stats: figures })),
}) as fc.Arbitrary<Drawn>;

export const scenarios: fc.Arbitrary<Scenario> = fc.record({
  options,
  action: fc.constantFrom('function', 'function', 'function', 'anonymous', 'value'),
  hearsSnapshots: fc.boolean(),
  reactions: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(reactions, { maxLength: 2 }) },
  ),
  steps: fc.array(steps, { maxLength: 30, size: 'max' }),
});
