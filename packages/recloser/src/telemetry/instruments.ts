/** What is measured: names, units and kinds follow OpenTelemetry's semantic conventions 1.44. Every sink reads this table. */
export interface Instrument {
  /** The name in OpenTelemetry; `prometheusName` makes the other. */
  readonly name: string;
  readonly kind: 'counter' | 'updowncounter' | 'gauge' | 'histogram';
  /** In UCUM; what is counted stands in braces. */
  readonly unit: string;
  readonly description: string;
  /** The labels besides `name`, with `_` for `.` in Prometheus. */
  readonly labels: readonly string[];
  /** Upper bounds of a histogram, in its unit. */
  readonly buckets?: readonly number[];
}

const instrument = (
  name: string,
  kind: Instrument['kind'],
  unit: string,
  description: string,
  labels: readonly string[] = [],
  buckets?: readonly number[],
): Instrument => ({ name: `recloser.${name}`, kind, unit, description, labels, ...(buckets && { buckets }) });

const breaker = 'circuit_breaker.';

/** What an instrument is called in the table. */
export type InstrumentKey =
  | 'state'
  | 'transitions'
  | 'duration'
  | 'errors'
  | 'rejections'
  | 'shadowRejections'
  | 'failureRatio'
  | 'slowRatio'
  | 'failureThreshold'
  | 'slowThreshold'
  | 'windowCalls'
  | 'openDuration'
  | 'opened'
  | 'lastTransition'
  | 'retryAttempts'
  | 'retryBudget'
  | 'bulkheadUsage'
  | 'bulkheadLimit'
  | 'queueDuration'
  | 'fallbacks'
  | 'events'
  | 'registrySize'
  | 'overflows';

/** All instruments. */
export const instruments: Readonly<Record<InstrumentKey, Instrument>> = {
  state: instrument(`${breaker}state`, 'updowncounter', '{breaker}', 'Breakers in a state: of one breaker 1 or 0.', [
    'state',
  ]),
  transitions: instrument(`${breaker}transitions`, 'counter', '{transition}', 'Changes of state.', [
    'from',
    'to',
    'reason',
  ]),
  duration: instrument(
    'execution.duration',
    'histogram',
    's',
    'How long calls took that were not refused.',
    ['outcome'],
    [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ),
  errors: instrument('errors', 'counter', '{error}', 'Failed calls by the class of their error.', ['error.type']),
  rejections: instrument('rejections', 'counter', '{call}', 'Refused calls, and retries without budget.', ['reason']),
  shadowRejections: instrument(
    `${breaker}shadow.rejections`,
    'counter',
    '{call}',
    'Calls that would have been refused but for observe-only.',
  ),
  failureRatio: instrument(`${breaker}failure.ratio`, 'gauge', '1', 'Failed share of the calls in the window.'),
  slowRatio: instrument(`${breaker}slow.ratio`, 'gauge', '1', 'Slow share of the calls in the window.'),
  failureThreshold: instrument(`${breaker}failure.threshold`, 'gauge', '1', 'Failed share that opens.'),
  slowThreshold: instrument(`${breaker}slow.threshold`, 'gauge', '1', 'Slow share that opens.'),
  windowCalls: instrument(
    `${breaker}window.calls`,
    'updowncounter',
    '{call}',
    'Calls in the window of the trip rule.',
    ['outcome'],
  ),
  openDuration: instrument(
    `${breaker}open.duration`,
    'histogram',
    's',
    'How long it took from opening until closed again.',
    [],
    [1, 5, 15, 30, 60, 300, 900, 3600],
  ),
  opened: instrument(`${breaker}opened.timestamp`, 'gauge', 's', 'When the one that is not closed now had opened.'),
  lastTransition: instrument(`${breaker}last_transition.timestamp`, 'gauge', 's', 'When it last changed its state.'),
  retryAttempts: instrument('retry.attempts', 'histogram', '{attempt}', 'Attempts a call.', [], [1, 2, 3, 5]),
  retryBudget: instrument('retry.budget.utilization', 'gauge', '1', 'Used share of what the retry budget gives.'),
  bulkheadUsage: instrument('bulkhead.usage', 'updowncounter', '{call}', 'Places taken.'),
  bulkheadLimit: instrument('bulkhead.limit', 'updowncounter', '{call}', 'Places there are.'),
  queueDuration: instrument(
    'bulkhead.queue.duration',
    'histogram',
    's',
    'How long calls waited that got a place.',
    [],
    [0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
  ),
  fallbacks: instrument('fallbacks', 'counter', '{call}', 'Fallbacks asked for an answer.', ['outcome']),
  events: instrument('policy.events', 'counter', '{event}', 'What else policies tell.', ['kind', 'event']),
  registrySize: instrument('registry.size', 'updowncounter', '{breaker}', 'Breakers that a registry keeps.'),
  overflows: instrument('telemetry.overflows', 'counter', '{name}', 'Names beyond the limit: together as _overflow.'),
};

const suffixes: Record<string, string> = { s: '_seconds', '1': '_ratio' };

/** The name in Prometheus, by OpenTelemetry's rules: `_` for `.`, the unit, `_total`. */
export function prometheusName({ name, kind, unit }: Instrument): string {
  const suffix = suffixes[unit] ?? '';
  const base = name.replaceAll('.', '_');
  return base + (base.endsWith(suffix) ? '' : suffix) + (kind === 'counter' ? '_total' : '');
}
