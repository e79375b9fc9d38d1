/** What the dashboard shows, top to bottom in the order in which somebody woken at night asks. */
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import type { Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import { bands, chosen, colours, curves, distribution, figure, worst } from './panels.ts';

/** From what is well to what is worst: of several breakers of a name the worst state is shown. */
const states = [
  ['closed', colours.good],
  ['observe_only', colours.grey],
  ['disabled', colours.grey],
  ['forced_closed', colours.set],
  ['half_open', colours.warning],
  ['open', colours.bad],
  ['forced_open', colours.set],
] as const;

const state = (of: string): string => `recloser_circuit_breaker_state{${chosen}, state=~"${of}"}`;
const rate = (metric: string, more = ''): string => `rate(${metric}{${chosen}${more}}[$__rate_interval])`;
const quantile = (q: number, metric: string, by: string): string =>
  `histogram_quantile(${q}, sum by (le, ${by}) (${rate(`${metric}_bucket`)}))`;

// Retries without budget are no refused calls.
const refused = rate('recloser_rejections_total', ', reason!="budget"');
// Openings of a breaker, not of all of a name: ten instances that open once each don't flap.
const openings = `sum by (job, instance, name) (increase(recloser_circuit_breaker_transitions_total{${chosen}, from="closed", to="open"}[15m])) / clamp_min(sum by (job, instance, name) (recloser_circuit_breaker_state{${chosen}}), 1)`;
// They begin with the first episode, and an increase from nothing is none: of what is younger than the range all counts.
const episodes = `recloser_circuit_breaker_open_duration_seconds_bucket{${chosen}}`;
// Union keeps one series a state, as their labels differ.
const worstState = `max by (job, name) (${states
  .map(([name], i) => `0 * (recloser_circuit_breaker_state{${chosen}, state="${name}"} > 0) + ${i}`)
  .join(' or ')})`;

const now: Builder<Panel>[] = [
  figure(
    'Open',
    'Breakers that refuse calls because their trip rule tripped, on all instances; half-open ones let only probes pass.',
    [`sum(${state('open|half_open')})`],
    'short',
    1,
  ),
  figure(
    'Set by people',
    'Breakers somebody forced open or closed, or disabled: they do as they were told until released.',
    [`sum(${state('forced_open|forced_closed|disabled')})`],
    'short',
    1,
  ),
  figure(
    'Flapping',
    'Names whose breakers opened four times or more in 15 minutes.',
    [`count(max by (job, name) (${openings}) >= 3.5) or vector(0)`],
    'short',
    1,
  ),
  figure('Refused', 'Calls a second that were refused, for whatever reason.', [`sum(${refused})`], 'reqps'),
  worst(
    'Worst name',
    'Whose calls are refused most.',
    [`topk(1, sum by (name) (${refused}) > 0)`, '{{name}}'],
    'reqps',
  ),
  figure(
    'Open for',
    'The breaker that has been open longest.',
    [`max(time() - (recloser_circuit_breaker_opened_timestamp_seconds{${chosen}} > 0)) or vector(0)`],
    's',
  ),
];

const stateOverTime: Builder<Panel>[] = [
  bands(
    'State',
    'The worst state of all breakers of a name. A scrape misses what is shorter than its interval: see the transitions.',
    [worstState, '{{job}} {{name}}'],
    states,
  ),
  curves('Transitions', 'Changes of state, and why.', { unit: 'short', width: 24, stacked: true }, [
    `sum by (name, to, reason) (increase(recloser_circuit_breaker_transitions_total{${chosen}}[$__rate_interval])) > 0`,
    '{{name}} → {{to}}: {{reason}}',
  ]),
];

const ratio = (kind: 'failure' | 'slow', title: string, description: string): Builder<Panel> =>
  curves(
    title,
    description,
    { unit: 'percentunit', width: 8, max: 1, limits: 'threshold' },
    [`max by (name) (recloser_circuit_breaker_${kind}_ratio{${chosen}})`, '{{name}}'],
    [`max by (name) (recloser_circuit_breaker_${kind}_threshold_ratio{${chosen}})`, '{{name}} threshold'],
  );

const why: Builder<Panel>[] = [
  ratio(
    'failure',
    'Failures against the threshold',
    'Share of the calls in the window that failed, of the worst instance. Nothing while there are too few calls to judge.',
  ),
  ratio(
    'slow',
    'Slow calls against the threshold',
    'Share of the calls in the window that were slow, of the worst instance. Nothing while there are too few calls to judge.',
  ),
  curves('Calls in the window', 'What the trip rule judges by.', { unit: 'short', width: 8, stacked: true }, [
    `sum by (outcome) (recloser_circuit_breaker_window_calls{${chosen}})`,
    '{{outcome}}',
  ]),
];

const percentile = (q: number): Builder<Panel> =>
  curves(
    `Duration, p${q * 100}`,
    'Of calls that were made; refused ones take no time and are not in it.',
    { unit: 's', width: 6 },
    [quantile(q, 'recloser_execution_duration_seconds', 'outcome'), '{{outcome}}'],
  );

const duration: Builder<Panel>[] = [
  curves('Calls made', 'Calls a second by how they ended.', { unit: 'reqps', width: 6, stacked: true }, [
    `sum by (outcome) (${rate('recloser_execution_duration_seconds_count')})`,
    '{{outcome}}',
  ]),
  ...[0.5, 0.95, 0.99].map(percentile),
];

const refusals: Builder<Panel>[] = [
  curves(
    'Refusals by reason',
    '`budget` are retries and hedges that were not made, all others calls.',
    { unit: 'reqps', width: 8, stacked: true },
    [`sum by (reason) (${rate('recloser_rejections_total')})`, '{{reason}}'],
    [`sum(${rate('recloser_circuit_breaker_shadow_rejections_total')}) > 0`, 'not refused: observe-only'],
  ),
  curves(
    'Errors by type',
    'Ten types a name keep theirs, the others are `_OTHER`.',
    { unit: 'reqps', width: 8, stacked: true },
    [`sum by (error_type) (${rate('recloser_errors_total')})`, '{{error_type}}'],
  ),
  curves(
    'Fallbacks',
    'Callers that got a substitute for an answer, or none of that either.',
    { unit: 'reqps', width: 8, stacked: true },
    [`sum by (outcome) (${rate('recloser_fallbacks_total')})`, '{{outcome}}'],
  ),
];

const load: Builder<Panel>[] = [
  curves(
    'Attempts a call',
    'Mean. One without retries; from 1.5 on the dependency feels it.',
    { unit: 'short', width: 6 },
    [
      `sum by (name) (${rate('recloser_retry_attempts_sum')}) / sum by (name) (${rate('recloser_retry_attempts_count')})`,
      '{{name}}',
    ],
  ),
  curves(
    'Retry budget used',
    'At 100 % failures are passed on as they come.',
    { unit: 'percentunit', width: 6, max: 1 },
    [`max by (name) (recloser_retry_budget_utilization_ratio{${chosen}})`, '{{name}}'],
  ),
  curves(
    'Bulkheads',
    'Places taken of those there are.',
    { unit: 'short', width: 6, limits: 'limit' },
    [`sum by (name) (recloser_bulkhead_usage{${chosen}})`, '{{name}}'],
    [`sum by (name) (recloser_bulkhead_limit{${chosen}})`, '{{name}} limit'],
  ),
  curves('Wait for a place, p95', 'Of calls that got one.', { unit: 's', width: 6 }, [
    quantile(0.95, 'recloser_bulkhead_queue_duration_seconds', 'name'),
    '{{name}}',
  ]),
  distribution(
    'How long circuits were open',
    'Episodes that ended in the time shown, by their length in seconds.',
    12,
    `sum by (le) ((increase(${episodes}[$__range]) and ${episodes} offset $__range) or ${episodes})`,
  ),
  curves('Breakers in registries', 'Kept for keys: hosts, shards, tenants.', { unit: 'short', width: 6 }, [
    `sum by (name) (recloser_registry_size{${chosen}})`,
    '{{name}}',
  ]),
  curves(
    'Names without series of their own',
    'More names than the sink may tell apart go together as `_overflow`.',
    { unit: 'short', width: 6 },
    ['sum by (job) (recloser_telemetry_overflows_total{job=~"$job"})', '{{job}}'],
  ),
];

/** The rows and their panels. */
export const rows: readonly (readonly [title: string, panels: Builder<Panel>[]])[] = [
  ['Now', now],
  ['State', stateOverTime],
  ['Why: the window against the threshold', why],
  ['How long calls take', duration],
  ['Refusals, errors, fallbacks', refusals],
  ['Retries, bulkheads, episodes', load],
];
