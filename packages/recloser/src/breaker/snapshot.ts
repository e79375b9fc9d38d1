import { anything, list, number, oneOf, type Reader, type Readers, read, record, text, wait } from '../core/check.ts';
import { deepFreeze, type Evidence } from './evidence.ts';
import type { ComputedState, Machine } from './machine.ts';
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
  /** Open. */
  readonly openForMs?: number;
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

export function writeSnapshot(
  name: string,
  rule: TripRule,
  { machine, counter, override }: Beginning,
  now: number,
): Snapshot {
  const { state, generation } = machine;
  const trip = { rule: rule.name, counter: counter.toJSON(now) };
  const snapshot = { version: 1 as const, name, state, generation, ...durations(machine, now), trip };
  if (override === undefined) return snapshot;
  const { expiresAt, ...forced } = override;
  return {
    ...snapshot,
    forced: expiresAt === Infinity ? forced : { ...forced, expiresInMs: expiresAt - now },
  } as Snapshot;
}

function durations(machine: Machine, now: number): Partial<Snapshot> {
  if (machine.state === 'closed') {
    return machine.ramp ? { ramp: { elapsedMs: now - machine.ramp.since, credit: machine.ramp.credit } } : {};
  }
  const { attempt, downSince, sleepMs, evidence } = machine;
  const troubled = { attempt, downForMs: now - downSince, sleepMs, evidence };
  if (machine.state === 'open') {
    return { ...troubled, openForMs: now - machine.openedAt };
  }
  const { since, successes, failures } = machine;
  return { ...troubled, halfOpenForMs: now - since, successes, failures };
}

const whole = (lowest: number): Reader<number> => number(lowest, Number.MAX_SAFE_INTEGER, true);
const age = number(0, Number.MAX_SAFE_INTEGER);
const finite = number(-Number.MAX_VALUE, Number.MAX_VALUE);

/** Rules measure what they like; what JSON has made `null` was no finite number. */
const figure: Reader<number> = (value, path, fault) => finite(value ?? 0, path, fault);

/** Evidence is shown to people: nothing is taken over but figures and short texts. */
const short: Reader<string> = (value, path, fault) => String(text(value, path, fault)).slice(0, 200);

const figures = { rule: short, value: figure, threshold: figure, calls: figure };
const more = {
  failures: figure,
  slowCalls: figure,
  minimumCalls: figure,
  windowMs: figure,
  windowCalls: figure,
  slowCallMs: figure,
  confidence: figure,
};
/** Combined rules may be combined again, but not for ever. */
const parts = (depth: number): Reader<readonly Measurement[]> =>
  list(record(figures, { ...more, ...(depth > 0 && { parts: parts(depth - 1) }) } as Readers<Measurement>), 20);

const troubled = {
  attempt: whole(1),
  downForMs: age,
  sleepMs: wait,
  evidence: record(
    { ...figures, topErrors: list(record({ name: short, count: age }), 5), generation: age, openForMs: age },
    { ...more, parts: parts(2), lastError: record({ name: short, message: short }), slowestMs: age },
  ),
};
const open = { ...troubled, openForMs: age };
const halfOpen = { ...troubled, halfOpenForMs: age, successes: whole(0), failures: whole(0) };
const ramp = record({ elapsedMs: age, credit: number(0, 1) });
const forced = record({ state: oneOf(...forcedStates) }, { reason: short, by: short, expiresInMs: wait });

/** What stands in every state, and what in this one. */
const written: Reader<Snapshot> = (value, path, fault) => {
  const state = (value as Partial<Snapshot> | null)?.state;
  const own = state === 'open' ? open : state === 'half-open' ? halfOpen : {};
  const always = {
    version: number(1, 1),
    state: oneOf('closed', 'open', 'half-open'),
    generation: whole(1),
    trip: record({}, { rule: anything, counter: anything }),
  };
  return record({ ...always, ...own }, { ramp, forced })(value, path, fault) as unknown as Snapshot;
};

/** Durations back into instants. What stands in no machine of that state is not in the record that was read. */
function machineOf(given: Snapshot, now: number): Machine {
  const { version, trip, forced, ramp, downForMs, openForMs, halfOpenForMs, ...same } = given as Required<Snapshot>;
  if (same.state === 'closed') {
    return { ...same, ...(ramp && { ramp: { since: now - ramp.elapsedMs, credit: ramp.credit } }) } as Machine;
  }
  const troubled = { ...same, evidence: deepFreeze(same.evidence), downSince: now - downForMs };
  return (
    same.state === 'open'
      ? { ...troubled, openedAt: now - openForMs }
      : { ...troubled, since: now - halfOpenForMs, probes: [], nextProbe: 1 }
  ) as Machine;
}

/**
 * Reads what `toJSON` wrote, maybe in another process, maybe by another hand: every field is checked before any is used.
 *
 * @throws TypeError with all faults together
 */
export function readSnapshot(snapshot: unknown, rule: TripRule, now: number): Beginning {
  const given = read('restore', snapshot, written, true);
  const { trip, forced } = given;
  return {
    machine: machineOf(given, now),
    // Another rule's figures mean nothing to this one: it begins anew.
    counter: trip.rule === rule.name ? rule.start(now, trip.counter) : rule.start(now),
    override: forced && overridden(forced.state, forced, now),
  };
}
