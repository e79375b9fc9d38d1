import {
  allOf,
  anyOf,
  type BreakerEvents,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type Clock,
  circuitBreaker,
  consecutiveFailures,
  type Fallback,
  failureCount,
  failureRate,
  lastGood,
  type Measurement,
  RejectedError,
  type Snapshot,
  slowCallRate,
  TimeoutError,
  type Transition,
  type TripRule,
} from 'recloser';
import {
  asksForMs,
  type Config,
  classified,
  type Deed,
  type FallbackKind,
  fallbackMs,
  isShort,
  type Outcome,
  slowMs,
} from './config.ts';
import { factsOf } from './naive-circuit.ts';
import { figuresOf, type RuleSpec } from './naive-rules.ts';

/** An error that says which it is. */
export function labelled(label: string, make = (message: string): Error => new Error(message)): Error {
  // Nobody reads their stacks, and they are dear.
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 0;
  const error = Object.assign(make(label), { label });
  Error.stackTraceLimit = stackTraceLimit;
  return error;
}

/** That of another policy. */
export const refusal = (message: string): Error => new RejectedError(message, { breaker: 'other', reason: 'open' });

export function errorOf(outcome: Outcome, id: number): Error {
  if (outcome === 'inner') return labelled(`inner ${id}`, refusal);
  const error = labelled(`${outcome} ${id}`);
  return outcome === 'asks' ? Object.assign(error, { retryAfterMs: asksForMs }) : error;
}

const codes: Record<string, string> = { 'bulkhead-full': 'ERR_BULKHEAD_FULL', disposed: 'ERR_REJECTED' };

/** An error in the words of the naive breaker. */
export function textOf(error: unknown): string {
  if (typeof error !== 'object' || error === null) return String(error);
  if ('label' in error) return String(error.label);
  if (error instanceof TimeoutError) return `timeout ${error.timeoutMs}`;
  if (!(error instanceof RejectedError)) return `an unknown error: ${error}`;
  const { reason, retryAfterMs, state, code, status, headers } = error;
  const header = retryAfterMs === undefined ? undefined : String(Math.max(1, Math.ceil(retryAfterMs / 1000)));
  const sound = code === (codes[reason] ?? 'ERR_CIRCUIT_OPEN') && status === 503 && headers['retry-after'] === header;
  return `refused ${reason} ${retryAfterMs} ${state}${sound ? '' : ` (${code}, ${status}, ${JSON.stringify(headers)})`}`;
}

function ruleOf(spec: RuleSpec): TripRule {
  const { rule, parts = [], ...rest } = spec;
  switch (rule) {
    case 'consecutiveFailures':
      return consecutiveFailures(rest.threshold ?? 0);
    case 'anyOf':
      return anyOf(...parts.map(ruleOf));
    case 'allOf':
      return allOf(...parts.map(ruleOf));
    default:
      return { failureRate, failureCount, slowCallRate }[rule](rest as never);
  }
}

const fallbacks: Record<FallbackKind, (clock: Clock) => Fallback> = {
  value: () => 'plan B',
  throws: () => () => Promise.reject(labelled('no plan B')),
  chain: () => [
    () => {
      throw labelled('no plan A');
    },
    'plan C',
  ],
  lastGood: () => lastGood({ shared: true }),
  slow: (clock) => () => new Promise((resolve) => clock.setTimeout(() => resolve('plan D'), fallbackMs)),
};

export function optionsOf(
  { trip, sleepWindowMs, classify, fallback, ...rest }: Partial<Config>,
  clock: Clock,
): CircuitBreakerOptions {
  return {
    ...rest,
    ...(isShort(trip) ? { failureThreshold: trip?.threshold } : trip && { trip: ruleOf(trip) }),
    sleepWindowMs:
      typeof sleepWindowMs !== 'object'
        ? sleepWindowMs
        : 'list' in sleepWindowMs
          ? (attempt) => sleepWindowMs.list[Math.min(attempt, sleepWindowMs.list.length) - 1] as number
          : (_attempt, _why, { previousMs }) => (previousMs === undefined ? sleepWindowMs.doubling : 2 * previousMs),
    fallback: fallback && fallbacks[fallback](clock),
    classify:
      classify &&
      (({ ok, value, error }) => {
        const label = (ok ? String(value) : textOf(error)).split(' ')[0] as Outcome;
        if (label === 'crash') throw labelled('the classifier crashed');
        return classified[label] as 'success' | undefined;
      }),
  };
}

export const callFallback = (kind: FallbackKind, clock: Clock): Fallback => fallbacks[kind](clock);

/** A measurement in the words of the naive breaker. */
export const measuredOf = (m: Measurement): string => figuresOf({ ...m, hits: m.slowCalls ?? m.failures });

function behind({ topErrors, lastError, slowestMs = 0 }: Transition['evidence']): string {
  const errors = topErrors.reduce((sum, { count }) => sum + count, 0);
  return factsOf({ errors, last: lastError?.message.replace(/^.*timed out after (\d+) ms$/, 'timeout $1'), slowestMs });
}

const transition =
  (event: string) =>
  ({ from, to, generation, evidence, retryAfterMs }: Transition): string =>
    `${event} ${from}>${to} #${generation} ${measuredOf(evidence)} ${behind(evidence)} down ${evidence.openForMs}${retryAfterMs === undefined ? '' : ` retry ${retryAfterMs}`}`;
const timed = ({ key = '-', elapsedMs, slow }: BreakerEvents['succeeded']): string =>
  `${key} ${elapsedMs}${slow ? ' slow' : ''}`;
/** What fallbacks answered is told a moment later, and is compared as what callers get. */
type Compared = Exclude<keyof BreakerEvents, 'fell-back' | 'fallback-failed'>;
const texts: { [E in Compared]: (payload: BreakerEvents[E]) => string } = {
  opened: transition('opened'),
  'half-opened': transition('half-opened'),
  closed: transition('closed'),
  succeeded: (event) => `succeeded ${timed(event)}`,
  failed: (event) => `failed ${timed(event)} ${textOf(event.error)}`,
  ignored: (event) => `ignored ${timed(event)} ${textOf(event.error)}`,
  'timed-out': (event) => `timed-out ${timed(event)} ${textOf(event.error)}`,
  rejected: ({ key = '-', reason, retryAfterMs }) => `rejected ${key} ${reason} ${retryAfterMs}`,
  late: ({ cause, ok }) => `late ${cause} ${ok}`,
  forced: ({ state, previous }) => `forced ${state} was ${previous}`,
  released: ({ action, state, previous }) => `released ${action} ${state} was ${previous}`,
  updated: ({ changed }) => `updated ${[...changed].sort().join(' ')}`,
};

const forces = {
  'forced-open': 'forceOpen',
  'forced-closed': 'forceClosed',
  disabled: 'disable',
  'observe-only': 'observeOnly',
} as const;

/** The real breaker, described in the words of the naive one. */
export class RealBreaker {
  readonly breaker: CircuitBreaker;
  readonly log: string[] = [];
  drained = false;
  onEvent: ((text: string) => void) | undefined;

  constructor(config: Config, clock: Clock, listens: boolean, restore?: Snapshot) {
    const onListenerError = (_error: unknown, event: string) => void this.log.push(`report ${event}`);
    this.breaker = circuitBreaker({ ...optionsOf(config, clock), name: 'model', clock, onListenerError, restore });
    if (!listens) return;
    for (const event of Object.keys(texts) as Compared[]) {
      this.breaker.on(event, (payload) => {
        const text = (texts[event] as (payload: unknown) => string)(payload);
        this.log.push(text);
        this.onEvent?.(text);
      });
    }
  }

  do(deed: Deed, expiresInMs?: number): void {
    const { breaker } = this;
    if (deed === 'drain') {
      breaker.drain().then(() => {
        this.drained = true;
      });
    } else if (deed === 'probe' || deed === 'reset' || deed === 'release' || deed === 'dispose') breaker[deed]();
    else if (deed === 'acquire-success') breaker.acquire()?.success();
    else if (deed === 'acquire-slow') breaker.acquire()?.success(slowMs);
    else if (deed === 'acquire-failure') breaker.acquire()?.failure();
    else breaker[forces[deed]](expiresInMs === undefined ? undefined : { expiresInMs });
  }

  figures() {
    const { name: _, lastFailureTime, window, latency, ...figures } = this.breaker.metrics();
    const { state, available } = this.breaker;
    return { figures: { ...figures, state, available, drained: this.drained }, lastFailureTime, window, latency };
  }
}
