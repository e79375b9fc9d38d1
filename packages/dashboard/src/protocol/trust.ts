import type { BreakerMetrics } from 'recloser';
import type { Detail, ErrorSeen, Incident, KeyFigures, Setting } from './detail.ts';
import type { Entry } from './entry.ts';
import { line } from './line.ts';
import type { Change, Instance, ProcessFigures, Recent, Snapshot } from './messages.ts';
import type { Outcome } from './outcome.ts';
import type { Row, RowPatch } from './row.ts';

/**
 * What another process says is taken over field by field, each of its type and no longer than it may be: a peer that is
 * broken, old or not a peer at all can show wrong figures, but break nothing.
 */
type Given = Record<string, unknown>;

const record = (value: unknown): Given => (typeof value === 'object' && value !== null ? (value as Given) : {});
const list = (value: unknown, longest: number): unknown[] => (Array.isArray(value) ? value.slice(0, longest) : []);
const text = (value: unknown, longest: number): string => (typeof value === 'string' ? value.slice(0, longest) : '');
const numberOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0);

/** One word, as states are. (Not those of today only: a peer may be newer.) */
const word = (value: unknown): string => /^[a-z-]{1,20}$/.exec(text(value, 21))?.[0] ?? 'unknown';

type Kind = 'number' | 'time' | 'text' | ((value: unknown) => unknown);
type Shape = Readonly<Record<string, Kind>>;

/** Near the last moment that a date can be: one beyond that is none, and makes whoever writes it out throw. */
const latest = 8.6e15;
const timeOf = (value: unknown): number => Math.min(Math.max(numberOf(value), 0), latest);

function fieldOf(kind: Kind, field: unknown): unknown {
  if (field === undefined || field === null) return undefined;
  if (typeof kind === 'function') return kind(field);
  if (kind === 'text') return typeof field === 'string' ? field.slice(0, 500) : undefined;
  if (typeof field !== 'number') return undefined;
  return kind === 'time' ? timeOf(field) : numberOf(field);
}

/** The fields that are there, and of those that are `needed` something of the right type in any case. */
function taken(value: unknown, shape: Shape, needed = ''): Given {
  const given = record(value);
  const result: Given = {};
  for (const [key, kind] of Object.entries(shape)) {
    const field = fieldOf(kind, Object.hasOwn(given, key) ? given[key] : undefined);
    if (field !== undefined) result[key] = field;
  }
  for (const key of needed.split(' ')) {
    const kind = shape[key];
    if (kind !== undefined) result[key] ??= kind === 'text' ? '' : typeof kind === 'function' ? kind([]) : 0;
  }
  return result;
}

const counts = { size: 'number', open: 'number', halfOpen: 'number', forced: 'number' } as const;
const forced = { reason: 'text', by: 'text', expiresInMs: 'number' } as const;
const row = {
  ...{
    id: 'text',
    state: word,
    under: word,
    since: 'time',
    downSince: 'time',
    ok: 'number',
    failed: 'number',
    refused: 'number',
  },
  ...{
    inFlight: 'number',
    rule: 'text',
    value: 'number',
    threshold: 'number',
    calls: 'number',
    minimumCalls: 'number',
    confidence: 'number',
    timeoutMs: 'number',
  },
  ...{ p50: 'number', p95: 'number', explain: 'text', nextProbeMs: 'number', cause: 'text', failedProbes: 'number' },
  probes: (value: unknown) => [0, 1].map((i) => numberOf(list(value, 2)[i])),
  forced: (value: unknown) => taken(value, forced),
  ending: word,
  of: 'text',
  parent: word,
  keys: (value: unknown) => taken(value, counts, 'size open halfOpen forced'),
} as const satisfies Shape;
const rowNeeds = 'id state ok failed refused inFlight rule value threshold calls';
const evidence = {
  ...{ rule: 'text', value: 'number', threshold: 'number', calls: 'number', failures: 'number', slowCalls: 'number' },
  ...{ minimumCalls: 'number', windowMs: 'number', windowCalls: 'number', slowCallMs: 'number', slowestMs: 'number' },
  confidence: 'number',
  ...{ generation: 'number', openForMs: 'number' },
  topErrors: (value: unknown) =>
    list(value, 5).map((error) => taken(error, { name: 'text', count: 'number' }, 'name count')),
  lastError: (value: unknown) => taken(value, { name: 'text', message: 'text' }, 'name message'),
} as const satisfies Shape;
const entry = {
  ...{
    at: 'time',
    id: 'text',
    from: word,
    to: word,
    kind: word,
    why: 'text',
    sleepMs: 'number',
    traceId: 'text',
    action: 'text',
  },
  ...{ by: 'text', reason: 'text', expiresInMs: 'number' },
  evidence: (value: unknown) => taken(value, evidence, 'rule value threshold calls'),
  changed: (value: unknown) => list(value, 40).map((option) => text(option, 60)),
} as const satisfies Shape;
const figures = { loopDelayMs: 'number', cpu: 'number', gc: 'number', heapMb: 'number' } as const;

const named = (value: unknown): boolean => text(record(value).id, 1) !== '';
const rows = (value: unknown): Row[] =>
  list(value, 100_000)
    .filter(named)
    .map((each) => taken(each, row, rowNeeds) as unknown as Row);
/** A patch has what changed, and `null` for what is gone. */
const patches = (value: unknown): RowPatch[] =>
  list(value, 100_000)
    .filter(named)
    .map((each) => {
      const gone = Object.keys(row).filter((key) => !rowNeeds.includes(key) && record(each)[key] === null);
      return { ...taken(each, row), ...Object.fromEntries(gone.map((key) => [key, null])) } as unknown as RowPatch;
    });
type Told = Entry & { readonly instance: string };
const entries = (value: unknown): Told[] =>
  list(value, 1_000)
    .filter(named)
    .map((each) => {
      const instance = text(record(each).instance, 200);
      return { ...taken(each, entry, 'at id from to kind'), instance } as unknown as Told;
    });
const process = (value: unknown): ProcessFigures | undefined =>
  value === undefined || value === null
    ? undefined
    : (taken(value, figures, 'loopDelayMs cpu gc heapMb') as unknown as ProcessFigures);
const seconds = (value: unknown): number[] => list(value, 60).map(numberOf);

const recent = (value: unknown): Record<string, Recent> =>
  Object.fromEntries(
    Object.entries(record(value))
      .slice(0, 500)
      .map(([id, each]) => {
        const { ok, failed, refused } = record(each);
        return [id.slice(0, 300), { ok: seconds(ok), failed: seconds(failed), refused: seconds(refused) }];
      }),
  );

export function readSnapshot(value: unknown): Snapshot {
  const { self, life, at, title, instances, entries: told } = record(value);
  return {
    version: 1,
    title: text(title, 200),
    life: text(life, 60),
    self: text(self, 200),
    at: (fieldOf('time', at) as number) ?? 0,
    instances: list(instances, 100).map((each): Instance => {
      const { name, live, process: fares, rows: all, recent: last } = record(each);
      return {
        name: text(name, 200),
        live: live === true,
        process: process(fares),
        rows: rows(all),
        recent: recent(last),
      };
    }),
    entries: entries(told),
  };
}

export function readChange(value: unknown): Change {
  const { instance, at, second, rows: changed, gone, entries: told, process: fares } = record(value);
  return {
    instance: text(instance, 200),
    at: (fieldOf('time', at) as number) ?? 0,
    ...(second === true ? { second } : {}),
    ...(changed === undefined ? {} : { rows: patches(changed) }),
    ...(gone === undefined ? {} : { gone: list(gone, 100_000).map((id) => text(id, 300)) }),
    ...(told === undefined ? {} : { entries: entries(told) }),
    process: process(fares),
  };
}

const metrics = {
  ...{ name: 'text', state: word, computedState: word, generation: 'number', totalRequests: 'number' },
  ...{ successfulRequests: 'number', failedRequests: 'number', rejectedRequests: 'number', ignoredRequests: 'number' },
  ...{ slowRequests: 'number', timedOutRequests: 'number', fallbackRequests: 'number', inFlight: 'number' },
  ...{ shadowRejectedRequests: 'number', abandoned: 'number', lateResults: 'number', circuitOpenTimeMs: 'number' },
  lastFailureTime: 'time',
  window: (value: unknown) => taken(value, evidence),
  latency: (value: unknown) =>
    taken(value, { count: 'number', p50: 'number', p95: 'number', p99: 'number', max: 'number' }),
} as const satisfies Shape;
const error = { at: 'time', name: 'text', message: 'text' } as const;
const metricsNeeds = 'totalRequests rejectedRequests circuitOpenTimeMs';
const values = (value: unknown): (number | null)[] => list(value, 3_600).map((n) => (n === null ? null : numberOf(n)));
const series = {
  seconds: (value: unknown) => list(value, 3_600).map((second) => timeOf(numberOf(second) * 1_000) / 1_000),
  ...{ ok: values, failed: values, refused: values, value: values, threshold: values, p50: values, p95: values },
} as const;

function setting(value: unknown): Setting {
  const given = record(value);
  const shown = typeof given.value === 'string' ? text(given.value, 200) : given.value;
  const source = (['given', 'updated'] as const).find((word) => word === given.source) ?? 'default';
  return {
    ...(taken(given, { option: 'text', at: 'time' }, 'option') as unknown as Setting),
    value: typeof shown === 'boolean' || typeof shown === 'string' ? shown : numberOf(shown),
    source,
  };
}

function keysOf(value: unknown): KeyFigures {
  const kept = { size: 'number', maxEntries: 'number', evicted: 'number', overflowed: 'number' } as const;
  const { states, parent } = record(value);
  const counted = Object.entries(record(states)).slice(0, 20);
  return {
    ...(taken(value, kept, 'size maxEntries evicted overflowed') as unknown as KeyFigures),
    states: Object.fromEntries(counted.map(([state, n]) => [state.slice(0, 20), numberOf(n)])),
    parent: parent === true,
  };
}

/** @throws TypeError if it names no breaker */
export function readDetail(value: unknown): Detail {
  const given = record(value);
  if (!named(given)) throw new TypeError('this is no breaker');
  const own = Object.fromEntries(Object.keys(series).map((key) => [key, []]));
  return {
    ...(taken(
      given,
      { instance: 'text', id: 'text', at: 'time', explain: 'text', startedAt: 'time' },
      'instance id at explain',
    ) as unknown as Detail),
    row: { ...taken(given.row, row, rowNeeds), id: text(given.id, 500) } as unknown as Row,
    metrics: taken(given.metrics, metrics, metricsNeeds) as unknown as BreakerMetrics,
    series: { ...own, ...taken(given.series, series) } as unknown as Detail['series'],
    entries: entries(given.entries),
    errors: list(given.errors, 100).map((each) => taken(each, error, 'at name message') as unknown as ErrorSeen),
    configuration: list(given.configuration, 100).map(setting),
    ...(given.keys === undefined || given.keys === null ? {} : { keys: keysOf(given.keys) }),
  };
}

/** @throws TypeError if it is none */
export function readIncident(value: unknown): Incident {
  const { format, title, recordedAt, breakers } = record(value);
  if (format !== 'recloser-incident') throw new TypeError('this is no incident of a dashboard');
  return {
    format,
    version: 1,
    title: text(title, 200),
    recordedAt: (fieldOf('time', recordedAt) as number) ?? 0,
    breakers: list(breakers, 1_000).map(readDetail),
  };
}

/** What a peer says became of an order. */
export function readOutcome(value: unknown, instance: string): Outcome {
  const said = taken(value, { from: word, to: word, trouble: (words: unknown) => line(words, 500) });
  return { ...(said as unknown as Outcome), instance, done: record(value).done === true };
}
