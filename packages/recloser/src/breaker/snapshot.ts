import { type Bounds, Check } from '../core/check.ts';
import { longestTimerMs } from '../core/time/clock.ts';
import { type Evidence, evidence } from './evidence.ts';
import type { ComputedState, Machine } from './machine.ts';
import { type ForcedState, forcedStates, type Override } from './override.ts';
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

const figures = ['failures', 'slowCalls', 'minimumCalls', 'windowMs', 'windowCalls', 'slowCallMs', 'confidence'];
const finite: Bounds = [-Number.MAX_VALUE, Number.MAX_VALUE];

/** Rules measure what they like; what JSON has made `null` was no finite number. */
function readMeasurement(check: Check, given: Record<string, unknown>, depth: number): Measurement {
  const figure = (key: string): number => check.number(key, given[key] ?? 0, finite);
  const parts = Array.isArray(given.parts) && depth > 0 ? given.parts.slice(0, 20) : undefined;
  return {
    rule: check.typed('rule', given.rule ?? null, 'string', '').slice(0, 200),
    value: figure('value'),
    threshold: figure('threshold'),
    calls: figure('calls'),
    ...Object.fromEntries(figures.filter((key) => given[key] !== undefined).map((key) => [key, figure(key)])),
    ...(parts && { parts: parts.map((part) => readMeasurement(check, check.record('parts', part), depth - 1)) }),
  };
}

/**
 * Reads what `toJSON` wrote, maybe in another process, maybe by another hand: every field is checked before any is used.
 *
 * @throws TypeError with all faults together
 */
export function readSnapshot(snapshot: unknown, rule: TripRule, now: number): Beginning {
  const check = new Check('restore', true);
  const given = check.record('', snapshot ?? null);
  const number = (
    from: Record<string, unknown>,
    key: string,
    highest: number = Number.MAX_SAFE_INTEGER,
    lowest = 0,
  ): number => check.number(key, from[key], [lowest, highest]);
  const whole = (key: string, lowest = 1): number =>
    check.number(key, given[key], [lowest, Number.MAX_SAFE_INTEGER, true]);
  const text = (key: string, value: unknown): string => check.typed(key, value ?? null, 'string', '').slice(0, 200);

  check.oneOf('version', given.version ?? null, [1]);
  const state = check.oneOf<ComputedState>('state', given.state ?? null, ['closed', 'open', 'half-open']);
  const generation = whole('generation');
  const trip = check.record('trip', given.trip ?? null);
  let machine: Machine = { state: 'closed', generation };
  if (state === 'closed') {
    if (given.ramp !== undefined) {
      const ramp = check.record('ramp', given.ramp);
      machine = { ...machine, ramp: { since: now - number(ramp, 'elapsedMs'), credit: number(ramp, 'credit', 1) } };
    }
  } else {
    const why = check.record('evidence', given.evidence ?? null);
    const last = why.lastError === undefined ? undefined : check.record('lastError', why.lastError);
    const top = Array.isArray(why.topErrors) ? why.topErrors.slice(0, 5) : [];
    const troubled = {
      generation,
      attempt: whole('attempt'),
      downSince: now - number(given, 'downForMs'),
      sleepMs: number(given, 'sleepMs', longestTimerMs),
      // Evidence is shown to people: nothing is taken over but figures and short texts.
      evidence: evidence(
        readMeasurement(check, why, 3),
        {
          ...(typeof why.slowestMs === 'number' ? { slowestMs: number(why, 'slowestMs') } : {}),
          topErrors: top.map((entry: unknown) => {
            const error = check.record('topErrors', entry);
            return { name: text('name', error.name), count: number(error, 'count') };
          }),
          ...(last && { lastError: { name: text('name', last.name), message: text('message', last.message) } }),
        },
        number(why, 'generation'),
        number(why, 'openForMs'),
      ),
    };
    machine =
      state === 'open'
        ? {
            state,
            ...troubled,
            openedAt: now - number(given, 'openForMs'),
          }
        : {
            state,
            ...troubled,
            since: now - number(given, 'halfOpenForMs'),
            probes: [],
            nextProbe: 1,
            successes: whole('successes', 0),
            failures: whole('failures', 0),
          };
  }
  let override: Override | undefined;
  if (given.forced !== undefined) {
    const { reason, by, ...forced } = check.record('forced', given.forced);
    override = {
      state: check.oneOf('forced.state', forced.state ?? null, forcedStates),
      reason: reason === undefined ? undefined : text('reason', reason),
      by: by === undefined ? undefined : text('by', by),
      expiresAt: forced.expiresInMs === undefined ? Infinity : now + number(forced, 'expiresInMs', longestTimerMs),
    };
  }
  check.done();
  // Another rule's figures mean nothing to this one: it begins anew.
  const counter = trip.rule === rule.name ? rule.start(now, trip.counter) : rule.start(now);
  return { machine, counter, override };
}
