import { type Evidence, evidence, type Facts, noFacts } from './evidence.ts';
import type { Measurement } from './trip-rules/rule.ts';

/** The states the machine computes; what a person sets lies over them (`override.ts`). */
export type ComputedState = 'closed' | 'open' | 'half-open';

interface Probe {
  readonly id: number;
  readonly leaseEndsAt: number;
  /** Whether the end of the lease is a failure, told by its timer, or only frees the permit, when it is next needed. */
  readonly fails: boolean;
  /** It has failed so: its own result decides nothing any more. */
  readonly ended?: true;
}

export interface Closed {
  readonly state: 'closed';
  readonly generation: number;
  /** While recovering: since when, and the part of a call saved up so far. */
  readonly ramp?: { readonly since: number; readonly credit: number };
}

interface Troubled {
  readonly generation: number;
  /** How many openings in a row this is, from 1. */
  readonly attempt: number;
  /** When the circuit was last closed. */
  readonly downSince: number;
  /** How long the circuit sleeps, or slept, before it probes. */
  readonly sleepMs: number;
  /** Why it is open. */
  readonly evidence: Evidence;
}

export interface Open extends Troubled {
  readonly state: 'open';
  readonly openedAt: number;
}

export interface HalfOpen extends Troubled {
  readonly state: 'half-open';
  readonly since: number;
  readonly probes: readonly Probe[];
  readonly nextProbe: number;
  readonly successes: number;
  readonly failures: number;
}

/** All of it is plain JSON; instants are those of the injected clock. A field stands only where it means something. */
export type Machine = Closed | Open | HalfOpen;

export interface MachineSettings {
  readonly successThreshold: number;
  readonly maxProbes: number;
  /** 0: a lease lasts as long as the sleep window did (a second if that was 0), and its end is no failure. */
  readonly probeTimeoutMs: number;
  readonly sample: { readonly calls: number; readonly failureRate: number } | undefined;
  readonly rampMs: number;
  readonly initialShare: number;
  /** The length of the next sleep, within its bounds: the one place where chance comes in. */
  sleepMs(attempt: number, why: Evidence, previousMs: number | undefined, retryAfterMs: number): number;
}

/** What happens to the machine. Results are told with the generation and the probe they were admitted as. */
export type MachineEvent =
  | { readonly type: 'call' }
  | { readonly type: 'tripped'; readonly measured: Measurement; readonly facts: Facts; readonly retryAfterMs: number }
  | { readonly type: 'succeeded' | 'ignored'; readonly generation: number; readonly probe: number }
  | {
      readonly type: 'failed';
      readonly generation: number;
      readonly probe: number;
      readonly facts: Facts;
      readonly retryAfterMs: number;
    }
  | { readonly type: 'lease-ended'; readonly generation: number; readonly probe: number }
  | { readonly type: 'reset' };

/** What the shell has to do. `probe` is 0 for a call that is none. */
export type Effect =
  | { readonly type: 'admit'; readonly generation: number; readonly probe: number }
  | { readonly type: 'refuse'; readonly reason: 'open' | 'half-open' | 'recovery'; readonly retryAfterMs: number }
  | { readonly type: 'entered'; readonly from: ComputedState; readonly to: ComputedState; readonly evidence: Evidence };

export interface Step {
  readonly machine: Machine;
  readonly effects: readonly Effect[];
}

export const initialMachine: Machine = { state: 'closed', generation: 1 };

/** The breaker's whole behaviour: no clock, no timer, no counting; the same arguments give the same answer. */
export function step(machine: Machine, event: MachineEvent, now: number, settings: MachineSettings): Step {
  switch (event.type) {
    case 'call':
      return call(machine, now, settings);
    case 'tripped':
      if (machine.state !== 'closed') return stay(machine);
      return open(machine, event.measured, event.facts, event.retryAfterMs, now, settings);
    case 'reset':
      return close(machine, { rule: 'reset', value: 0, threshold: 0, calls: 0 }, now, undefined);
    default:
      if (machine.state !== 'half-open' || event.generation !== machine.generation) return stay(machine);
      return probed(machine, event, now, settings);
  }
}

const stay = (machine: Machine, ...effects: Effect[]): Step => ({ machine, effects });

function call(machine: Machine, now: number, settings: MachineSettings): Step {
  switch (machine.state) {
    case 'closed':
      return machine.ramp === undefined
        ? stay(machine, { type: 'admit', generation: machine.generation, probe: 0 })
        : recover(machine, machine.ramp, now, settings);
    case 'open': {
      const waitMs = machine.openedAt + machine.sleepMs - now;
      if (waitMs > 0) return stay(machine, { type: 'refuse', reason: 'open', retryAfterMs: waitMs });
      return halfOpen(machine, now, settings);
    }
    case 'half-open':
      return probe(machine, now, settings);
  }
}

/** Admits the share of the ramp exactly, without chance: each call saves up its share, a whole one lets a call through. */
function recover(machine: Closed, ramp: NonNullable<Closed['ramp']>, now: number, settings: MachineSettings): Step {
  const { generation } = machine;
  const done = (now - ramp.since) / settings.rampMs;
  if (!(done < 1)) {
    return stay({ state: 'closed', generation }, { type: 'admit', generation, probe: 0 });
  }
  const share = settings.initialShare + (1 - settings.initialShare) * Math.max(0, done);
  const credit = ramp.credit + share;
  const admitted = credit >= 1 - 1e-9;
  return stay(
    { state: 'closed', generation, ramp: { since: ramp.since, credit: admitted ? Math.max(0, credit - 1) : credit } },
    admitted
      ? { type: 'admit', generation, probe: 0 }
      : { type: 'refuse', reason: 'recovery', retryAfterMs: settings.rampMs - (now - ramp.since) },
  );
}

function halfOpen(machine: Open, now: number, settings: MachineSettings): Step {
  const { attempt, downSince, sleepMs, evidence: why } = machine;
  const generation = machine.generation + 1;
  const measured = { rule: 'sleepWindow', value: now - machine.openedAt, threshold: sleepMs, calls: 0 };
  const next: HalfOpen = {
    state: 'half-open',
    generation,
    attempt,
    downSince,
    evidence: why,
    since: now,
    sleepMs,
    probes: [],
    nextProbe: 1,
    successes: 0,
    failures: 0,
  };
  const { topErrors, lastError } = why;
  const entered: Effect = {
    type: 'entered',
    from: 'open',
    to: 'half-open',
    evidence: evidence(measured, lastError ? { topErrors, lastError } : { topErrors }, generation, now - downSince),
  };
  const admitted = probe(next, now, settings);
  return stay(admitted.machine, entered, ...admitted.effects);
}

function probe(machine: HalfOpen, now: number, settings: MachineSettings): Step {
  const { sample, probeTimeoutMs, maxProbes } = settings;
  const probes = machine.probes.filter(({ fails, leaseEndsAt }) => fails || leaseEndsAt > now);
  const out = probes.filter(({ ended }) => !ended);
  const missing = sample === undefined ? maxProbes : sample.calls - machine.successes - machine.failures;
  const wanted = Math.max(1, Math.min(maxProbes, missing));
  if (out.length >= wanted) {
    const retryAfterMs = Math.max(0, Math.min(...out.map(({ leaseEndsAt }) => leaseEndsAt)) - now);
    return stay(machine, { type: 'refuse', reason: 'half-open', retryAfterMs });
  }
  const id = machine.nextProbe;
  const fails = probeTimeoutMs > 0;
  const leaseEndsAt = now + (fails ? probeTimeoutMs : machine.sleepMs || 1_000);
  const next = { ...machine, nextProbe: id + 1, probes: [...probes, { id, leaseEndsAt, fails }] };
  return stay(next, { type: 'admit', generation: machine.generation, probe: id });
}

type ProbeEvent = Extract<MachineEvent, { readonly probe: number }>;

function probed(machine: HalfOpen, event: ProbeEvent, now: number, settings: MachineSettings): Step {
  const probe = machine.probes.find(({ id }) => id === event.probe);
  const others = machine.probes.filter((other) => other !== probe);
  const timedOut = event.type === 'lease-ended';
  if (timedOut && (probe === undefined || probe.ended)) return stay(machine);
  // Its failure is counted already. (A lease that was only freed is not in the list: its own result still decides.)
  if (probe?.ended || event.type === 'ignored') return stay({ ...machine, probes: others });
  const probes = timedOut && probe ? [...others, { ...probe, ended: true as const }] : others;
  const succeeded = event.type === 'succeeded';
  const successes = machine.successes + (succeeded ? 1 : 0);
  const failures = machine.failures + (succeeded ? 0 : 1);
  const calls = successes + failures;
  const { sample, successThreshold } = settings;
  const rule = timedOut ? 'probeTimeout' : 'probe';
  const failed = { rule, value: failures, threshold: 1, calls, failures };
  const facts = event.type === 'failed' ? event.facts : noFacts;
  const retryAfterMs = event.type === 'failed' ? event.retryAfterMs : 0;
  if (sample !== undefined) {
    if (calls < sample.calls) return stay({ ...machine, probes, successes, failures });
    const measured = { rule: 'probeSample', value: failures / calls, threshold: sample.failureRate, calls, failures };
    return failures / calls >= sample.failureRate
      ? open(machine, measured, facts, retryAfterMs, now, settings)
      : close(machine, measured, now, settings);
  }
  if (!succeeded) return open(machine, failed, facts, retryAfterMs, now, settings);
  if (successes < successThreshold) return stay({ ...machine, probes, successes });
  return close(machine, { rule, value: successes, threshold: successThreshold, calls, failures }, now, settings);
}

function open(
  machine: Closed | HalfOpen,
  measured: Measurement,
  facts: Facts,
  retryAfterMs: number,
  now: number,
  settings: MachineSettings,
): Step {
  const again = machine.state === 'half-open';
  const generation = machine.generation + 1;
  const attempt = again ? machine.attempt + 1 : 1;
  const downSince = again ? machine.downSince : now;
  const why = evidence(measured, facts, generation, now - downSince);
  const sleepMs = settings.sleepMs(attempt, why, again ? machine.sleepMs : undefined, retryAfterMs);
  return stay(
    { state: 'open', generation, attempt, downSince, openedAt: now, sleepMs, evidence: why },
    { type: 'entered', from: machine.state, to: 'open', evidence: why },
  );
}

/** Without settings there is no ramp: a person who resets wants all traffic back. */
function close(machine: Machine, measured: Measurement, now: number, settings: MachineSettings | undefined): Step {
  const generation = machine.generation + 1;
  const openForMs = machine.state === 'closed' ? 0 : now - machine.downSince;
  const ramped = settings !== undefined && settings.rampMs > 0;
  return stay(
    ramped
      ? { state: 'closed', generation, ramp: { since: now, credit: 1 - settings.initialShare } }
      : { state: 'closed', generation },
    {
      type: 'entered',
      from: machine.state,
      to: 'closed',
      evidence: evidence(measured, noFacts, generation, openForMs),
    },
  );
}
