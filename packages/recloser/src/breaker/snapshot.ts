import { longestTimerMs } from '../core/clock.ts';
import { type Evidence, evidence, noFacts } from './evidence.ts';
import type { ComputedState, Machine } from './machine.ts';
import { type ForcedState, forcedStates, type Override } from './override.ts';
import type { TripCounter, TripRule } from './trip-rules/rule.ts';

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
  readonly evidence?: Evidence;
  /** Open. */
  readonly openForMs?: number;
  readonly retryInMs?: number;
  /** Half-open. Probes that were out are not in it: they come back free. */
  readonly halfOpenForMs?: number;
  readonly sleptMs?: number;
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
  machine: Machine,
  rule: TripRule,
  counter: TripCounter,
  over: Override | undefined,
  now: number,
): Snapshot {
  const { state, generation } = machine;
  const trip = { rule: rule.name, counter: counter.toJSON(now) };
  const { reason, by } = over ?? {};
  const forced = over && {
    state: over.state,
    ...(reason === undefined ? {} : { reason }),
    ...(by === undefined ? {} : { by }),
    ...(over.expiresAt === Infinity ? {} : { expiresInMs: over.expiresAt - now }),
  };
  return { version: 1, name, state, generation, ...durations(machine, now), trip, ...(forced ? { forced } : {}) };
}

function durations(machine: Machine, now: number): Partial<Snapshot> {
  if (machine.state === 'closed') {
    return machine.ramp ? { ramp: { elapsedMs: now - machine.ramp.since, credit: machine.ramp.credit } } : {};
  }
  const { attempt, downSince, evidence: why } = machine;
  const troubled = { attempt, downForMs: now - downSince, evidence: why };
  if (machine.state === 'open') {
    return { ...troubled, openForMs: now - machine.openedAt, retryInMs: Math.max(0, machine.nextAttemptAt - now) };
  }
  const { since, sleptMs, successes, failures } = machine;
  return { ...troubled, halfOpenForMs: now - since, sleptMs, successes, failures };
}

const fault = (what: string): never => {
  throw new TypeError(`restore: not a snapshot of a circuit breaker: ${what}`);
};

type Fields = Record<string, unknown>;
const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function record(value: unknown, what: string): Fields {
  return isRecord(value) ? value : fault(`${what} must be an object`);
}

function number(fields: Fields, key: string, lowest: number, highest: number = Number.MAX_SAFE_INTEGER): number {
  const value = fields[key];
  if (typeof value === 'number' && value >= lowest && value <= highest) return value;
  return fault(`${key} must be a number from ${lowest} to ${highest}`);
}

function integer(fields: Fields, key: string, lowest: number): number {
  const value = number(fields, key, lowest);
  return Number.isInteger(value) ? value : fault(`${key} must be an integer`);
}

/** Evidence is only shown, but it is shown to people: nothing but the figures and short texts that are ours is taken over. */
function readEvidence(value: unknown, generation: number, openForMs: number): Evidence {
  const given = record(value, 'evidence');
  if (typeof given.rule !== 'string' || given.rule.length > 100) fault('evidence.rule must be a short text');
  const figures = ['value', 'threshold', 'calls'].map((key) => number(given, key, 0));
  const [measured = 0, threshold = 0, calls = 0] = figures;
  const optional: Fields = {};
  for (const key of [
    'failures',
    'slowCalls',
    'minimumCalls',
    'windowMs',
    'windowCalls',
    'slowCallMs',
    'confidence',
    'slowestMs',
  ]) {
    if (given[key] !== undefined) optional[key] = number(given, key, 0);
  }
  const topErrors = Array.isArray(given.topErrors)
    ? given.topErrors.slice(0, 5)
    : fault('evidence.topErrors must be a list');
  const short = (text: unknown): string =>
    typeof text === 'string' ? text.slice(0, 201) : fault('texts must be strings');
  const lastError = given.lastError === undefined ? undefined : record(given.lastError, 'evidence.lastError');
  return evidence(
    { rule: given.rule as string, value: measured, threshold, calls, ...optional },
    {
      ...noFacts,
      topErrors: topErrors.map((entry: unknown) => {
        const top = record(entry, 'evidence.topErrors');
        return { name: short(top.name), count: number(top, 'count', 0) };
      }),
      ...(lastError ? { lastError: { name: short(lastError.name), message: short(lastError.message) } } : {}),
    },
    generation,
    openForMs,
  );
}

/** Reads what `toJSON` wrote, maybe in another process, maybe by another hand: every field is checked before any is used. */
export function readSnapshot(
  snapshot: unknown,
  rule: TripRule,
  now: number,
): {
  readonly machine: Machine;
  readonly counter: TripCounter;
  readonly override: Override | undefined;
} {
  const given = record(snapshot, 'it');
  if (given.version !== 1) fault(`version must be 1, got ${String(given.version)}`);
  const trip = record(given.trip, 'trip');
  // Another rule's figures mean nothing to this one: it begins anew.
  const counter = trip.rule === rule.name ? rule.start(now, trip.counter) : rule.start(now);
  return { machine: readMachine(given, now), counter, override: readForced(given.forced, now) };
}

function readMachine(given: Fields, now: number): Machine {
  const generation = integer(given, 'generation', 1);
  if (given.state === 'closed') {
    if (given.ramp === undefined) return { state: 'closed', generation };
    const ramp = record(given.ramp, 'ramp');
    return {
      state: 'closed',
      generation,
      ramp: { since: now - number(ramp, 'elapsedMs', 0), credit: number(ramp, 'credit', 0, 1) },
    };
  }
  if (given.state !== 'open' && given.state !== 'half-open') fault(`unknown state ${String(given.state).slice(0, 40)}`);
  const fields = record(given.evidence, 'evidence');
  const why = readEvidence(fields, integer(fields, 'generation', 1), number(fields, 'openForMs', 0));
  const troubled = {
    generation,
    attempt: integer(given, 'attempt', 1),
    downSince: now - number(given, 'downForMs', 0),
    evidence: why,
  };
  if (given.state === 'open') {
    const openedAt = now - number(given, 'openForMs', 0);
    return { state: 'open', ...troubled, openedAt, nextAttemptAt: now + number(given, 'retryInMs', 0, longestTimerMs) };
  }
  return {
    state: 'half-open',
    ...troubled,
    since: now - number(given, 'halfOpenForMs', 0),
    sleptMs: number(given, 'sleptMs', 0, longestTimerMs),
    probes: [],
    nextProbe: 1,
    successes: integer(given, 'successes', 0),
    failures: integer(given, 'failures', 0),
  };
}

function readForced(value: unknown, now: number): Override | undefined {
  if (value === undefined) return undefined;
  const given = record(value, 'forced');
  const state = forcedStates.find((word) => word === given.state) ?? fault('forced.state is unknown');
  const text = (key: string): string | undefined => {
    const said = given[key];
    return said === undefined || typeof said === 'string' ? said : fault(`forced.${key} must be a string`);
  };
  const expiresAt = given.expiresInMs === undefined ? Infinity : now + number(given, 'expiresInMs', -Infinity);
  return { state, reason: text('reason'), by: text('by'), expiresAt };
}
