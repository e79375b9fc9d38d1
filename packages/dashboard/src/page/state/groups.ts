import type { CircuitState } from 'recloser';
import type { KeyCounts, Row } from '../../protocol/row.ts';
import { severityOf } from '../../protocol/severity.ts';

/** One breaker, in all instances that have it. */
export interface Group {
  readonly id: string;
  /** That of the instance that is worst off. */
  readonly row: Row;
  readonly instance: string;
  readonly count: number;
  /** How many instances are in the same state as that one. */
  readonly agreeing: number;
  readonly ok: number;
  readonly failed: number;
  readonly refused: number;
  readonly p95: number | undefined;
  /** How near to its threshold: 1 and above trips. */
  readonly nearness: number;
  /** Of a registry: its keys in all instances. */
  readonly keys: KeyCounts | undefined;
}

/** The share of the threshold that is reached; 0 where too few calls have come in to decide. */
export function nearnessOf({ value, threshold, calls, minimumCalls = 0 }: Row): number {
  if (!(threshold > 0) || calls < minimumCalls) return 0;
  return value / threshold;
}

interface Rows {
  readonly name: string;
  readonly rows: ReadonlyMap<string, Row>;
}

/** All breakers, each once. */
export function grouped(instances: Iterable<Rows>): Group[] {
  const groups = new Map<string, Group>();
  for (const { name, rows } of instances) {
    for (const [id, row] of rows) {
      const before = groups.get(id);
      groups.set(id, before === undefined ? alone(row, name) : joined(before, row, name));
    }
  }
  return [...groups.values()];
}

const alone = (row: Row, instance: string): Group => ({
  id: row.id,
  row,
  instance,
  count: 1,
  agreeing: 1,
  ok: row.ok,
  failed: row.failed,
  refused: row.refused,
  p95: row.p95,
  nearness: nearnessOf(row),
  keys: row.keys,
});

/** One that takes no calls any more stands for the others only where all are such. */
const weightOf = ({ ending, state }: Row): number => (ending === undefined ? severityOf(state) : -1);

function joined(group: Group, row: Row, instance: string): Group {
  const worse = weightOf(row) > weightOf(group.row);
  const same = row.state === group.row.state && row.ending === group.row.ending;
  const p95 = Math.max(group.p95 ?? 0, row.p95 ?? 0);
  return {
    ...group,
    ...(worse ? { row, instance } : {}),
    count: group.count + 1,
    agreeing: worse ? 1 : group.agreeing + (same ? 1 : 0),
    ok: group.ok + row.ok,
    failed: group.failed + row.failed,
    refused: group.refused + row.refused,
    p95: p95 === 0 ? undefined : p95,
    nearness: Math.max(group.nearness, nearnessOf(row)),
    keys: sumOf(group.keys, row.keys),
  };
}

function sumOf(a: KeyCounts | undefined, b: KeyCounts | undefined): KeyCounts | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return {
    size: a.size + b.size,
    open: a.open + b.open,
    halfOpen: a.halfOpen + b.halfOpen,
    forced: a.forced + b.forced,
  };
}

/** Steps of figures that decide the order: so coarse that rows do not change places with every breath. */
const step = (n: number): number => (n <= 0 ? 0 : Math.ceil(Math.log2(1 + n)));

/** Worst first: severity, all keys before single ones, then refused calls a second, then nearness to the threshold, then the name. */
export function byUrgency(a: Group, b: Group): number {
  return (
    severityOf(b.row.state) - severityOf(a.row.state) ||
    Number(b.keys !== undefined) - Number(a.keys !== undefined) ||
    step(b.refused) - step(a.refused) ||
    Math.floor(b.nearness * 4) - Math.floor(a.nearness * 4) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}

/** The kinds of state that the page counts and filters by. */
export const kinds = ['open', 'half-open', 'forced', 'closed'] as const;
export type Kind = (typeof kinds)[number];

/** Whatever a person has set is forced, whichever state it is, and so is what has ended: it refuses every call. */
export const kindOf = (state: CircuitState, ending?: Row['ending']): Kind =>
  ending === undefined && (state === 'open' || state === 'half-open' || state === 'closed') ? state : 'forced';

/** The state of what can be acted on: of a registry that is the breaker over its keys. */
export const ownState = ({ state, keys, parent = 'closed' }: Row): CircuitState =>
  keys === undefined ? state : parent;

export function tally(groups: readonly Group[]): Record<Kind, number> {
  const counts = { open: 0, 'half-open': 0, forced: 0, closed: 0 };
  for (const { row, keys } of groups) {
    // A key with a row of its own is counted in that of its registry.
    if (row.of !== undefined) continue;
    const own = kindOf(ownState(row), row.ending);
    // The breaker over keys is one more only where it does something.
    if (keys === undefined || own !== 'closed') counts[own]++;
    if (keys !== undefined && row.ending === undefined) {
      counts.open += keys.open;
      counts['half-open'] += keys.halfOpen;
      counts.forced += keys.forced;
      counts.closed += keys.size - keys.open - keys.halfOpen - keys.forced;
    }
  }
  return counts;
}

export function filtered(groups: readonly Group[], only: ReadonlySet<Kind>, query: string): Group[] {
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  return groups.filter(({ id, row }) => {
    if (only.size > 0 && !only.has(kindOf(row.state, row.ending))) return false;
    const text = words.length === 0 ? '' : `${id} ${row.state} ${row.explain ?? ''}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
}
