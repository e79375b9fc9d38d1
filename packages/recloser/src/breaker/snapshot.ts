import {
  anything,
  flag,
  list,
  number,
  oneOf,
  type Reader,
  type Readers,
  record,
  stored,
  text,
  wait,
} from '../core/check.ts';
import { deepFreeze, type Evidence } from './evidence.ts';
import type { ComputedState, HalfOpen, Machine } from './machine.ts';
import { type ForcedState, forcedStates, type Override, overridden } from './override.ts';
import type { Measurement, TripCounter, TripRule } from './trip-rules/rule.ts';

/** What a breaker begins with: fresh, or read from a snapshot. */
export interface Beginning {
  readonly machine: Machine;
  readonly counter: TripCounter;
  readonly override: Override | undefined;
}

/** A breaker as JSON. It holds durations, never instants: the time between writing and restoring does not count. */
export interface Snapshot {
  readonly version: 1;
  readonly name: string;
  readonly state: ComputedState;
  readonly generation: number;
  /** Closed and recovering. */
  readonly ramp?: { readonly elapsedMs: number; readonly credit: number };
  /** Open and half-open. */
  readonly attempt?: number;
  readonly downForMs?: number;
  readonly sleepMs?: number;
  readonly evidence?: Evidence;
  /** Open. `woken`: the next call is a probe, whatever is left of the sleep. */
  readonly openForMs?: number;
  readonly woken?: boolean;
  /** Half-open. Probes that were out are not in it: they come back free. */
  readonly halfOpenForMs?: number;
  readonly successes?: number;
  readonly failures?: number;
  /** The trip rule's own state. */
  readonly trip: { readonly rule: string; readonly counter: unknown };
  readonly forced?: {
    readonly state: ForcedState;
    readonly reason?: string;
    readonly by?: string;
    readonly expiresInMs?: number;
  };
}

const instants = ['downSince', 'openedAt', 'probingSince', 'since'];
const durations = ['downForMs', 'openForMs', 'halfOpenForMs', 'elapsedMs'];

/** Instants become durations, and durations instants again: `now` less the one is the other. */
function turned(machine: object, from: readonly string[], to: readonly string[], now: number): object {
  const entries = Object.entries(machine).map(([key, value]) => {
    const at = from.indexOf(key);
    return at < 0 ? [key, key === 'ramp' ? turned(value, from, to, now) : value] : [to[at], now - value];
  });
  return Object.fromEntries(entries);
}

export function writeSnapshot(
  name: string,
  rule: TripRule,
  { machine, counter, override }: Beginning,
  now: number,
): Snapshot {
  const { probes, nextProbe, ...lasting } = machine as HalfOpen;
  deepFreeze(lasting.evidence);
  const { expiresAt = Infinity, ...forced } = override ?? {};
  return {
    version: 1,
    name,
    ...turned(lasting, instants, durations, now),
    trip: { rule: rule.name, counter: counter.toJSON(now) },
    ...(override && { forced: { ...forced, ...(expiresAt < Infinity && { expiresInMs: expiresAt - now }) } }),
  } as Snapshot;
}

const whole = (lowest: number): Reader<number> => number(lowest, Number.MAX_SAFE_INTEGER, true);
const age = number(0, Number.MAX_SAFE_INTEGER);
const finite = number(-Number.MAX_VALUE, Number.MAX_VALUE);

/** Rules measure what they like; what JSON has made `null`, or would make, was no finite number. */
const figure: Reader<number> = (value, path, fault) =>
  finite(typeof value === 'number' && !Number.isFinite(value) ? 0 : (value ?? 0), path, fault);

/** Evidence is shown to people: nothing is taken over but figures and short texts. (A message that was cut is one longer than 200.) */
const short: Reader<string> = (value, path, fault) =>
  text(typeof value === 'string' ? value.slice(0, 201) : value, path, fault);

const figures = { rule: short, value: figure, threshold: figure, calls: figure };
const more = {
  failures: figure,
  slowCalls: figure,
  minimumCalls: figure,
  windowMs: figure,
  windowCalls: figure,
  slowCallMs: figure,
  confidence: figure,
  normalShare: figure,
};
/** Combined rules may be combined again, but not for ever. */
const parts = (depth: number): Reader<readonly Measurement[]> =>
  list(record(figures, { ...more, ...(depth > 0 && { parts: parts(depth - 1) }) } as Readers<Measurement>), 20);

const always = {
  version: number(1, 1),
  name: text,
  state: oneOf('closed', 'open', 'half-open'),
  generation: whole(1),
  trip: record({ rule: text }, { counter: anything }),
};
const troubled = {
  ...always,
  attempt: whole(1),
  downForMs: age,
  sleepMs: wait,
  evidence: record(
    { ...figures, topErrors: list(record({ name: short, count: age }), 5), generation: age, openForMs: age },
    { ...more, parts: parts(2), lastError: record({ name: short, message: short }), slowestMs: age },
  ),
};
const forced = record({ state: oneOf(...forcedStates) }, { reason: short, by: short, expiresInMs: wait });
const closed = record(always, { forced, ramp: record({ elapsedMs: age, credit: number(0, 1) }) });
const open = record({ ...troubled, openForMs: age }, { forced, woken: flag });
const halfOpen = record({ ...troubled, halfOpenForMs: age, successes: whole(0), failures: whole(0) }, { forced });

/**
 * Reads what `toJSON` wrote, maybe in another process, maybe by another hand: every field is checked before any is used, and only what is
 * known is taken over.
 */
export const written: Reader<Snapshot> = stored((value, path, fault) => {
  const state = (value as Partial<Snapshot> | null)?.state;
  const reader: Reader = state === 'open' ? open : state === 'half-open' ? halfOpen : closed;
  return reader(value, path, fault) as Snapshot;
});

/** Goes on from what `toJSON` wrote, as `written` has taken it over. */
export function readSnapshot(snapshot: Snapshot, now: number): Omit<Beginning, 'counter'> {
  const { version, trip, forced, ...lasting } = snapshot;
  const machine = turned(lasting, durations, instants, now);
  return {
    machine: deepFreeze({ ...machine, ...(lasting.state === 'half-open' && { probes: [], nextProbe: 1 }) }) as Machine,
    override: forced && overridden(forced.state, forced, now),
  };
}
