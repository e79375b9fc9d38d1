import type { EventEmitter } from 'node:events';
import { type Fault, read } from '../../core/check.ts';
import { type Clock, systemClock } from '../../core/time/clock.ts';
import { MemoryCache } from './cache/memory-cache.ts';
import type { Stats } from './status/bucket.ts';
import type { Status } from './status/status.ts';

/** Where cached results are kept. `get` and `set` may answer promises. */
export interface CacheTransport {
  get(key: string): unknown;
  /** @param value a promise of the result @param ttl when it expires, in epoch milliseconds; 0: never */
  set(key: string, value: unknown, ttl: number): unknown;
  flush(): unknown;
}

/** How a `state` of `toJSON` looks. */
export interface State {
  name: string;
  enabled: boolean;
  closed: boolean;
  open: boolean;
  halfOpen: boolean;
  warmUp: boolean;
  shutdown: boolean;
  /** When the circuit last opened, in epoch milliseconds. */
  lastTimerAt: number | undefined;
}

export type CoalesceReset = 'error' | 'success' | 'timeout';

/** Options of `new CircuitBreaker`. All are optional; durations are milliseconds. */
export interface Options<TI extends unknown[] = unknown[]> {
  /** Figures to begin with: what `newStatus` made, or the `status` of `toJSON`. */
  status?: Status | Partial<Stats> | undefined;
  /** The `state` of `toJSON` to go on from. */
  state?: Partial<State> | undefined;
  /** How long the action may take; 0 and `false`: for ever. Default 10,000. */
  timeout?: number | false | undefined;
  /** @deprecated It only warns. */
  maxFailures?: number | undefined;
  /** How long the circuit stays open before a probe. Default 30,000. */
  resetTimeout?: number | undefined;
  /** How far back the window of the figures reaches. Default 10,000. */
  rollingCountTimeout?: number | undefined;
  /** Time slices of the window. Default 10. */
  rollingCountBuckets?: number | undefined;
  /** Whether latencies are kept for mean and percentiles. Default true. */
  rollingPercentilesEnabled?: boolean | undefined;
  /** Default: the name of the action, or a UUID. */
  name?: string | undefined;
  /** Default: `name`. */
  group?: string | undefined;
  /** Calls at a time; more are rejected. Default: no limit. */
  capacity?: number | undefined;
  /** The circuit opens when more than this share of the window's calls has failed, 0–100. Default 50. */
  errorThresholdPercentage?: number | undefined;
  /** Default true. */
  enabled?: boolean | undefined;
  /** Whether failures of the first `rollingCountTimeout` milliseconds can't open the circuit. Default false. */
  allowWarmUp?: boolean | undefined;
  /** The circuit can open once so many calls were fired in the window. Default 0. */
  volumeThreshold?: number | undefined;
  /** Errors it answers truthily for count as successes: they reach the caller, but neither open the circuit nor call the fallback. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the action throws; an unknown would break code that changes one import.
  errorFilter?(error: any, ...args: TI): unknown;
  /** Whether results are kept and answered with. Default false. */
  cache?: boolean | undefined;
  /** How long; 0: for ever. Default 0. */
  cacheTTL?: number | undefined;
  /** Entries of the built-in cache; 0: none. Default 2^24 − 1. */
  cacheSize?: number | undefined;
  /** The key of a call, for cache and coalescing. Default: its arguments as JSON. */
  cacheGetKey?(...args: TI): string;
  /** In place of the built-in cache. */
  cacheTransport?: CacheTransport | undefined;
  /** Whether calls of the same key share one call of the action. Default false. */
  coalesce?: boolean | undefined;
  /** How long they do; 0: for ever. Default: `timeout`; without one, while the call runs. */
  coalesceTTL?: number | undefined;
  /** Entries kept for coalescing; 0: none. Default 2^24 − 1. */
  coalesceSize?: number | undefined;
  /** After which outcomes they no longer do. Default: none. */
  coalesceResetOn?: readonly CoalesceReset[] | undefined;
  /** Aborted when a call times out; it is shared by all calls. */
  abortController?: AbortController | undefined;
  /** Whether an aborted controller is replaced when the circuit becomes half-open or closed. Default false. */
  autoRenewAbortController?: boolean | undefined;
  /** Whether `status` emits `snapshot` each time slice. Default true. */
  enableSnapshots?: boolean | undefined;
  /** Its event `rotate` turns the window in place of the clock. */
  rotateBucketController?: EventEmitter | undefined;
  /**
   * Where time and timers come from; not in opossum, for tests (`manualClock()` of `recloser/testing`). It must be monotonic: if it is set
   * back, latencies are negative. Circuits wake all the same, for their sleep ends by a timer.
   */
  clock?: Clock | undefined;
}

type Defaulted =
  | 'timeout'
  | 'resetTimeout'
  | 'errorThresholdPercentage'
  | 'rollingCountTimeout'
  | 'rollingCountBuckets'
  | 'rollingPercentilesEnabled'
  | 'capacity'
  | 'volumeThreshold'
  | 'errorFilter'
  | 'cacheTTL'
  | 'cacheGetKey'
  | 'coalesce'
  | 'coalesceResetOn'
  | 'enableSnapshots'
  | 'clock';

/** A breaker's own copy of its options. */
export interface ResolvedOptions<TI extends unknown[] = unknown[]>
  extends Omit<Options<TI>, Defaulted | 'coalesceTTL'>,
    Omit<Required<{ [Key in Defaulted]: Exclude<Options<TI>[Key], undefined> }>, 'errorFilter' | 'cacheGetKey'> {
  errorFilter(error: unknown, ...args: TI): unknown;
  cacheGetKey(...args: TI): string;
  /** `false`: while the call runs. */
  coalesceTTL: number | false;
  coalesceCache: MemoryCache | undefined;
}

const coalesceResets: readonly CoalesceReset[] = ['error', 'success', 'timeout'];

/** Taken as they are. By name, so that what the caller's object inherits counts too, as in opossum. */
const asGiven = [
  'status',
  'state',
  'name',
  'group',
  'enabled',
  'allowWarmUp',
  'cache',
  'cacheSize',
  'coalesceSize',
  'autoRenewAbortController',
  'rotateBucketController',
] as const satisfies readonly (keyof Options)[];

/** @throws RangeError, TypeError, with all faults of numbers together */
export function readOptions(given: Options): ResolvedOptions {
  const options = read('CircuitBreaker', given, (_value, _path, fault) => resolve(given, fault));
  const { cacheTransport: transport, abortController } = options;
  if (options.cache && !(['get', 'set', 'flush'] as const).every((method) => transport?.[method])) {
    throw new TypeError('options.cacheTransport should be an object with `get`, `set` and `flush` methods');
  }
  if (abortController && typeof abortController.abort !== 'function') {
    throw new TypeError('AbortController does not contain `abort()` method');
  }
  return options;
}

function resolve(given: Options, fault: Fault): ResolvedOptions {
  // Text of the environment is taken as the number it says, as JavaScript's timers and comparisons take it in opossum.
  const number = (name: keyof Options, value: unknown): number => {
    if (Number.isNaN(Number(value))) fault(`options.${name}`, 'a number', value, typeof value !== 'number');
    return Number(value);
  };
  const finite = (name: keyof Options, value: unknown): number => {
    if (Math.abs(Number(value)) === Infinity) fault(`options.${name}`, 'a finite number', value, false);
    return number(name, value);
  };
  const whole = (value: unknown, otherwise: number): number =>
    Number.isInteger(value) ? (value as number) : otherwise;
  const timeout = given.timeout === false ? false : finite('timeout', given.timeout ?? 10_000);
  const buckets = finite('rollingCountBuckets', given.rollingCountBuckets ?? 10);
  if (buckets < 0 || Math.abs(buckets % 1) > 0) fault('options.rollingCountBuckets', 'a whole number', buckets, false);
  const coalesceTTL: unknown = given.coalesceTTL ?? timeout;
  const clock = given.clock ?? systemClock;
  const cache = (size: number | undefined): MemoryCache => new MemoryCache(size, () => clock.now());

  return {
    ...given,
    ...Object.fromEntries(asGiven.map((name) => [name, given[name]])),
    timeout,
    resetTimeout: finite('resetTimeout', given.resetTimeout ?? 30_000),
    errorThresholdPercentage: number('errorThresholdPercentage', given.errorThresholdPercentage ?? 50),
    rollingCountTimeout: finite('rollingCountTimeout', given.rollingCountTimeout ?? 10_000),
    rollingCountBuckets: buckets,
    rollingPercentilesEnabled: given.rollingPercentilesEnabled !== false,
    capacity: whole(given.capacity, Number.MAX_SAFE_INTEGER),
    volumeThreshold: whole(given.volumeThreshold, 0),
    errorFilter: typeof given.errorFilter === 'function' ? given.errorFilter : () => false,
    cacheTTL: number('cacheTTL', given.cacheTTL ?? 0),
    cacheGetKey: given.cacheGetKey ?? ((...args) => JSON.stringify(args)),
    cacheTransport: given.cacheTransport ?? (given.cache ? cache(given.cacheSize) : undefined),
    coalesce: !!given.coalesce,
    // The timeout is checked already, and its fault told.
    coalesceTTL:
      coalesceTTL === false ? false : Object.is(coalesceTTL, timeout) ? timeout : number('coalesceTTL', coalesceTTL),
    coalesceResetOn: (given.coalesceResetOn ?? []).filter((outcome) => coalesceResets.includes(outcome)),
    coalesceCache: given.coalesce ? cache(given.coalesceSize) : undefined,
    abortController: given.autoRenewAbortController
      ? given.abortController || new AbortController()
      : given.abortController,
    enableSnapshots: given.enableSnapshots !== false,
    clock,
  };
}
