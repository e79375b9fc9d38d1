import type { RuleSpec } from './naive-rules.ts';

export type Forced = 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';
export type FallbackKind = 'value' | 'throws' | 'chain' | 'lastGood' | 'slow';

/** How long `slow` takes to answer. */
export const fallbackMs = 7;

/** The options of `circuitBreaker` as plain data: names and meanings are the same. */
export interface Config {
  readonly trip: RuleSpec;
  readonly successThreshold?: number;
  readonly timeoutMs?: number;
  /** A list is a back-off that answers by attempt, the last entry for ever; `doubling` is one that reads the delay before. */
  readonly sleepWindowMs?: number | { readonly list: readonly number[] } | { readonly doubling: number };
  readonly maxSleepWindowMs?: number;
  readonly maxConcurrent?: number;
  readonly release?: 'on-settle' | 'on-timeout';
  readonly abandonAfterMs?: number;
  readonly halfOpen?: {
    readonly maxConcurrent?: number;
    readonly probeTimeoutMs?: number;
    readonly sample?: { readonly calls: number; readonly failureRate: number };
  };
  readonly recovery?: { readonly rampMs: number; readonly initialShare?: number };
  /** Whether the classifier of the tests is at work. */
  readonly classify?: true;
  readonly slowCallMs?: number;
  readonly latency?: boolean;
  readonly fallback?: FallbackKind;
  readonly start?: Forced;
}

/** What a person, a listener or a function can do to a breaker in passing. */
export type Deed =
  | Forced
  | ('release' | 'reset' | 'probe' | 'dispose' | 'drain')
  | ('acquire-success' | 'acquire-slow' | 'acquire-failure');

/** What `acquire-slow` says it took; slow by every rule. */
export const slowMs = 50;

/** How work ends: the values come first, then the errors. */
export const outcomes = [
  ...(['ok', 'bad', 'meh'] as const),
  ...(['boom', 'asks', 'inner', 'benign', 'well', 'busy', 'vague', 'crash', 'nonsense'] as const),
];
export type Outcome = (typeof outcomes)[number];

export const isValue = (outcome: Outcome): boolean => outcomes.indexOf(outcome) < 3;

/** What the classifier of the tests answers; it throws for `crash`, and leaves all others to the default. */
export const classified: Partial<Record<Outcome, unknown>> = {
  bad: 'failure',
  meh: 'ignored',
  benign: 'ignored',
  well: 'success',
  busy: { verdict: 'failure', retryAfterMs: 40 },
  vague: { verdict: 'failure', retryAfterMs: -1 },
  nonsense: 'perhaps',
};

/** What the error `asks` says of itself. */
export const asksForMs = 30;

/** Whether a rule is given by its short form, `failureThreshold`. */
export const isShort = (trip: RuleSpec | undefined): boolean =>
  trip?.rule === 'consecutiveFailures' && (trip.threshold ?? 0) % 2 === 1;
