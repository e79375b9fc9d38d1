import type { Config, FallbackKind, Forced } from './config.ts';
import { figuresOf, NaiveRule, needsOf } from './naive-rules.ts';

export type Verdict = 'success' | 'failure' | 'ignored';
type Computed = 'closed' | 'open' | 'half-open';

/** What evidence says of the calls behind it. */
interface Facts {
  readonly errors: number;
  readonly last?: string | undefined;
  readonly slowestMs: number;
}

const noFacts: Facts = { errors: 0, slowestMs: 0 };

/** What the facts of both breakers are compared by. */
export const factsOf = ({ errors, last, slowestMs }: Facts): string => `(${errors} errors, ${last}, ${slowestMs} ms)`;

/** One entry into a computed state; the first is the birth of the breaker. The generation is how many there were. */
interface Turn {
  readonly to: Computed;
  readonly at: number;
  /** The sleep that began (open) or is over (half-open). */
  readonly sleepMs: number;
  readonly facts: Facts;
  /** Open: somebody asked for a probe. */
  woken?: true;
  /** What the probes of this half-open said, in order. */
  readonly said: Verdict[];
  /** Closed and recovering: the shares that the calls brought along, and how many calls they let through. */
  ramp?: { readonly initial: number; readonly shares: number[]; passed: number } | undefined;
}

export class NaiveCall {
  readonly id: number;
  readonly key: string;
  /** The options in force when it began. */
  readonly config: Config;
  readonly fallback: FallbackKind | undefined;
  counted = true;
  refused: string | undefined;
  shadow = false;
  /** 0: a sample of no state. */
  generation = 0;
  probe = false;
  startedAt: number | undefined;
  /** Of a permit whose holder said so. */
  tookMs: number | undefined;
  timeout = { ms: Infinity, at: Infinity };
  /** Of a probe: until when it holds its permit, and whether it has failed then. */
  lease = { ms: Infinity, at: Infinity, fails: false, over: false };
  place = false;
  abandonAt = Infinity;
  abandoned = false;
  end: 'settled' | 'timed-out' | 'aborted' | undefined;
  verdict: Verdict | undefined;
  slow = false;
  late = false;
  fellBack = false;
  /** Whether its work is done, and whether it is done as soon as the signal of the call is aborted. */
  worked = false;
  heeds = false;
  /** What the caller got. */
  result: string | undefined;
  /** What a fallback will answer. */
  answer: { readonly text: string; readonly at: number } | undefined;

  constructor(id: number, key: string | undefined, config: Config, fallback: FallbackKind | undefined) {
    this.id = id;
    this.key = key ?? '-';
    this.config = config;
    this.fallback = fallback;
  }
}

export interface Saved {
  readonly now: number;
  readonly turns: readonly Turn[];
  readonly rule: NaiveRule;
  readonly forced: { readonly state: Forced; readonly until: number } | undefined;
}

/** What asking to pass comes to. */
interface Answer {
  readonly refused?: string | undefined;
  readonly retryAfterMs?: number | undefined;
  readonly probe?: true;
  readonly wakes?: true;
  readonly ramp?: { readonly share: number; readonly passes: boolean };
  readonly recovered?: true;
  readonly counts?: 'nowhere' | 'in-the-figures';
  readonly shadow?: boolean;
}

/** The states of the naive breaker: all calls and all transitions are kept, and every answer is worked out from them. */
export class NaiveCircuit {
  config: Config;
  now: number;
  rule: NaiveRule;
  readonly calls: NaiveCall[] = [];
  readonly turns: Turn[];
  /** The turns before this one were lived by another breaker. */
  readonly born: number;
  readonly log: string[] = [];
  forced: { readonly state: Forced; readonly until: number } | undefined;
  ending: 'draining' | 'disposed' | undefined;
  /** S24: the samples that counted against the circuit in the state that is, from the oldest. */
  #trouble: { readonly error: string | undefined; readonly slow: boolean; readonly ms: number }[] = [];
  onEvent: ((text: string) => void) | undefined;
  #untold: string[] = [];
  #unheard: string[] = [];
  #telling = false;

  constructor(config: Config, now: number, saved?: Saved) {
    const later = now - (saved?.now ?? now);
    this.config = config;
    this.now = now;
    this.rule = saved?.rule.later(later).successor(config.trip, now) ?? new NaiveRule(config.trip, now);
    this.turns = structuredClone(
      saved?.turns ?? [{ to: 'closed' as const, at: now, sleepMs: 0, said: [], facts: noFacts }],
    ).map((turn) => ({
      ...turn,
      at: turn.at + later,
    }));
    this.born = this.turns.length - 1;
    if (config.start !== undefined && !saved) this.forced = { state: config.start, until: Infinity };
    if (saved?.forced !== undefined) this.forced = { ...saved.forced, until: saved.forced.until + later };
  }

  save(): Saved {
    return { now: this.now, turns: structuredClone(this.turns), rule: this.rule.later(0), forced: this.standing };
  }

  get turn(): Turn {
    return this.turns.at(-1) as Turn;
  }

  get generation(): number {
    return this.turns.length;
  }

  get standing() {
    return this.now < (this.forced?.until ?? 0) ? this.forced : undefined;
  }

  get state(): Computed | Forced {
    return this.standing?.state ?? this.turn.to;
  }

  /** S17: whether the calls that begin or end now are timed. */
  get timed(): boolean {
    const { latency, slowCallMs, classify } = this.config;
    const { time, durations } = needsOf(this.config.trip);
    return latency === true || slowCallMs !== undefined || classify === true || time || durations;
  }

  /** The places taken, by calls and by what they left behind. */
  get places(): number {
    return this.calls.filter(({ place }) => place).length;
  }

  /** Whether a call would pass now, and what would follow from it; moves nothing. */
  ask(): Answer {
    const over = this.standing;
    if (this.ending !== undefined)
      return { refused: 'disposed', ...(over?.state === 'disabled' && { counts: 'nowhere' }) };
    if (over?.state === 'forced-open') {
      return { refused: 'forced-open', retryAfterMs: over.until === Infinity ? undefined : over.until - this.now };
    }
    let answer = this.#compute();
    if (over?.state === 'disabled') answer = { counts: 'nowhere' };
    if (over?.state === 'forced-closed') answer = this.turn.to === 'closed' ? {} : { counts: 'in-the-figures' };
    if (over !== undefined && answer.refused !== undefined) {
      answer = { ...answer, refused: undefined, counts: 'in-the-figures', shadow: true };
    }
    const full = this.places >= (this.config.maxConcurrent ?? Infinity);
    if (!full || answer.probe || answer.refused !== undefined) return answer;
    return { ...answer, refused: 'bulkhead-full', retryAfterMs: undefined, shadow: false };
  }

  /** S5–S7, S11 */
  #compute(): Answer {
    const { now, turn } = this;
    if (turn.to === 'closed') {
      const { rampMs = 0, initialShare = 0.1 } = this.config.recovery ?? {};
      const done = (now - turn.at) / rampMs;
      if (turn.ramp === undefined || !(done < 1)) return { recovered: true };
      const share = initialShare + (1 - initialShare) * done;
      const credit = turn.ramp.shares.reduce((a, b) => a + b, 1 - turn.ramp.initial) + share - turn.ramp.passed;
      const ramp = { share, passes: credit >= 1 - 1e-9 };
      return ramp.passes ? { ramp } : { ramp, refused: 'recovery', retryAfterMs: turn.at + rampMs - now };
    }
    if (turn.to === 'open') {
      const waitMs = turn.at + turn.sleepMs - now;
      return waitMs > 0 && !turn.woken ? { refused: 'open', retryAfterMs: waitMs } : { wakes: true, probe: true };
    }
    const { maxConcurrent = 1, sample } = this.config.halfOpen ?? {};
    const wanted = (sample?.calls ?? Infinity) - turn.said.length;
    // S8: who holds a permit.
    const out = this.calls.filter(
      ({ generation, probe, verdict, lease }) =>
        probe && generation === this.generation && !verdict && !lease.over && (lease.fails || lease.at > now),
    );
    if (out.length < Math.max(1, Math.min(maxConcurrent, wanted))) return { probe: true };
    return { refused: 'half-open', retryAfterMs: Math.max(0, Math.min(...out.map(({ lease }) => lease.at)) - now) };
  }

  /** A result of a call that was admitted in the state that is: S2, S9, S14. */
  count(
    call: NaiveCall,
    verdict: Verdict,
    error: string | undefined,
    elapsedMs: number | undefined,
    retryAfterMs: number,
  ): void {
    if (verdict === 'ignored') return;
    // S17: what trips by slowness isn't closed by slow probes.
    const { slowCallMs, time, durations } = needsOf(this.config.trip);
    const ms = elapsedMs ?? 0;
    const slow = ms >= slowCallMs;
    const failed = verdict === 'failure';
    const against = slowCallMs < Infinity ? slow : ms >= (this.config.slowCallMs ?? Infinity);
    if (failed || against) this.#trouble.push({ error: failed ? String(error) : undefined, slow: against, ms });
    if (call.lease.over) return;
    if (call.probe) {
      const facts = this.probeFacts(failed ? 1 : 0, slow && !failed ? 1 : 0);
      return void this.probeSaid(slow ? 'failure' : verdict, 'probe', retryAfterMs, facts);
    }
    // S17: a rule over durations can't count what took nobody knows how long.
    if (elapsedMs === undefined && (time || durations)) return;
    this.rule.record(failed, ms, this.now);
    const measured = this.rule.measure(this.now);
    if (!measured.met || this.standing?.state === 'forced-closed') return;
    const all = [measured, ...measured.parts];
    const slowCalls = Math.max(...all.map((part) => part.slowCalls));
    const failures = Math.max(...all.map((part) => part.failures));
    this.#open(figuresOf(measured), retryAfterMs, this.#facts(failures, slowCalls));
  }

  /** Of the newest failures and slow calls, so many of each, among the last 32 of both. */
  #facts(failures: number, slowCalls: number): Facts {
    const log = this.#trouble.slice(-32).reverse();
    const failed = log.filter(({ error }) => error !== undefined).slice(0, failures);
    const behind = [...failed, ...log.filter(({ slow }) => slow).slice(0, slowCalls)];
    return { errors: failed.length, last: failed[0]?.error, slowestMs: Math.max(0, ...behind.map(({ ms }) => ms)) };
  }

  /** S24: of a sample, all that failed of it is behind the decision. */
  probeFacts(failures = 0, slowCalls = 0): Facts {
    if (this.config.halfOpen?.sample === undefined) return this.#facts(failures, slowCalls);
    return this.#facts(32, needsOf(this.config.trip).slowCallMs < Infinity ? 32 : 0);
  }

  /** S10 */
  probeSaid(verdict: Verdict, rule: string, retryAfterMs: number, facts = noFacts): void {
    const { said } = this.turn;
    const { successThreshold = 2, halfOpen: { sample } = {} } = this.config;
    // What failed under a sample breaks the row.
    if (sample === undefined && said.includes('failure')) said.splice(0);
    said.push(verdict);
    const calls = said.length;
    const failures = said.filter((word) => word === 'failure').length;
    if (sample !== undefined) {
      if (calls < sample.calls) return;
      const why = figuresOf({ rule: 'probeSample', value: failures / calls, threshold: sample.failureRate, calls });
      if (failures / calls >= sample.failureRate) this.#open(why, retryAfterMs, facts);
      else this.close(why, undefined, facts);
    } else if (verdict === 'failure') this.#open(`${rule} ${failures}/1 of ${calls}`, retryAfterMs, facts);
    else if (calls - failures >= successThreshold) {
      this.close(`${rule} ${calls - failures}/${successThreshold} of ${calls}`);
    }
  }

  /** S20 */
  #open(why: string, retryAfterMs: number, facts: Facts): void {
    const { sleepWindowMs: sleep = 30_000 } = this.config;
    const openings = this.turns
      .slice(this.turns.findLastIndex(({ to }) => to === 'closed'))
      .filter(({ to }) => to === 'open');
    const fixed = typeof sleep === 'number' ? sleep : 0;
    const { maxSleepWindowMs: maxMs = Math.max(300_000, fixed) } = this.config;
    let ms = fixed;
    if (typeof sleep === 'object' && 'list' in sleep)
      ms = sleep.list[Math.min(openings.length, sleep.list.length - 1)] ?? 0;
    if (typeof sleep === 'object' && 'doubling' in sleep) ms = openings.length ? 2 * this.turn.sleepMs : sleep.doubling;
    if (Number.isNaN(ms)) this.log.push('report sleepWindowMs');
    const sleepMs = Math.min(maxMs, Math.max(0, Number.isNaN(ms) ? maxMs : ms, retryAfterMs));
    this.enter('open', why, facts, sleepMs, ` retry ${sleepMs}`);
  }

  close(why: string, { recovery } = this.config, facts = noFacts): void {
    this.enter('closed', why, facts);
    this.rule.clear(this.now);
    if (recovery !== undefined) this.turn.ramp = { initial: recovery.initialShare ?? 0.1, shares: [], passed: 0 };
  }

  enter(to: Computed, why: string, facts: Facts, sleepMs = 0, more = ''): void {
    const from = this.turn.to;
    const trouble = this.turns[this.turns.findLastIndex((turn) => turn.to === 'closed') + 1];
    this.turns.push({ to, at: this.now, sleepMs, said: [], facts });
    this.#trouble = [];
    const event = { open: 'opened', 'half-open': 'half-opened', closed: 'closed' }[to];
    const downMs = this.now - (trouble?.at ?? this.now);
    this.#untold.push(`${event} ${from}>${to} #${this.generation} ${why} ${factsOf(facts)} down ${downMs}${more}`);
  }

  /** S25: transitions are told after what brought them about. */
  tellTurns(): void {
    for (const text of this.#untold.splice(0)) this.say(text);
  }

  /** What a listener brings about is told when everybody has heard what it listened to. */
  say(text: string): void {
    if (this.ending === 'disposed') return;
    this.#unheard.push(text);
    if (this.#telling) return;
    this.#telling = true;
    for (let next = this.#unheard.shift(); next !== undefined; next = this.#unheard.shift()) {
      this.log.push(next);
      this.onEvent?.(next);
    }
    this.#telling = false;
  }
}
