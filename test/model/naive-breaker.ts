import {
  asksForMs,
  type Config,
  classified,
  type Deed,
  type FallbackKind,
  type Forced,
  fallbackMs,
  isShort,
  isValue,
  type Outcome,
  slowMs,
} from './config.ts';
import { NaiveCall, NaiveCircuit, type Verdict } from './naive-circuit.ts';
import { needsOf } from './naive-rules.ts';

/**
 * The same breaker once more, from SEMANTICS.md instead of from the code, and without regard for time or memory. What it does
 * to its calls is here; its states are in `naive-circuit.ts`. All it says is text, to be compared with the real one's.
 */
export class NaiveBreaker extends NaiveCircuit {
  drained = false;
  readonly #good: { readonly key: string; readonly text: string }[] = [];
  readonly #durations: { readonly at: number; readonly ms: number }[] = [];
  #drains = false;
  #counting = 0;

  /** A call asks to pass; `gaveUp` is the reason of a caller that had given up before. */
  begin(id: number, given: { key?: string; fallback?: FallbackKind; permit?: boolean; gaveUp?: string }): NaiveCall {
    const { config } = this;
    const call = new NaiveCall(id, given.key, config, given.permit ? undefined : (given.fallback ?? config.fallback));
    this.#expire();
    this.calls.push(call);
    if (given.gaveUp !== undefined) return this.#passBy(call, given.gaveUp);
    const answer = this.ask();
    const { turn } = this;
    if (answer.recovered) turn.ramp = undefined;
    if (answer.ramp !== undefined) turn.ramp?.shares.push(answer.ramp.share);
    if (answer.ramp?.passes && turn.ramp !== undefined) turn.ramp.passed++;
    const why = turn.woken ? 'woken' : 'sleepWindow';
    if (answer.wakes) {
      const facts = { ...turn.facts, slowestMs: 0 };
      this.enter('half-open', `${why} ${this.now - turn.at}/${turn.sleepMs} of 0`, facts, turn.sleepMs);
    }
    call.counted = answer.counts !== 'nowhere';
    if (answer.refused !== undefined) this.tellTurns();
    if (answer.refused !== undefined) {
      const refusal = `refused ${answer.refused} ${answer.retryAfterMs} ${this.state}`;
      call.refused = answer.refused;
      this.#counting++;
      if (call.counted) this.say(`rejected ${call.key} ${answer.refused} ${answer.retryAfterMs}`);
      this.#fallBack(call, refusal);
      this.#counting--;
      this.#ifIdle();
      return call;
    }
    call.shadow = answer.shadow === true;
    call.probe = answer.probe === true;
    call.generation = answer.counts === undefined ? this.generation : 0;
    if (this.timed) call.startedAt = this.now;
    call.place = config.maxConcurrent !== undefined && !call.probe;
    const deadline = (ms = Infinity) => ({ ms, at: this.now + ms });
    if (!given.permit) call.timeout = deadline(config.timeoutMs);
    if (call.probe) {
      const leaseMs = config.halfOpen?.probeTimeoutMs ?? config.timeoutMs;
      call.lease = { ...deadline(leaseMs ?? (this.turn.sleepMs || 1_000)), fails: leaseMs !== undefined, over: false };
    }
    this.tellTurns();
    return call;
  }

  /** S22: the function is not called; the call is counted and says nothing. */
  #passBy(call: NaiveCall, reason: string): NaiveCall {
    call.counted = this.forced?.state !== 'disabled';
    call.worked = true;
    call.result = reason;
    this.#finish(call, 'aborted', 'ignored', reason);
    this.#ifIdle();
    return call;
  }

  /** The work of a call ends, maybe its call with it, maybe long after it. */
  workEnds(call: NaiveCall, outcome: Outcome): void {
    call.worked = true;
    call.place = false;
    call.abandonAt = Infinity;
    if (call.end !== undefined) {
      if (call.end === 'timed-out' && call.counted && !call.late) {
        call.late = true;
        this.say(`late timed-out ${isValue(outcome)}`);
      }
      return;
    }
    const text = `${outcome} ${call.id}`;
    const { verdict, retryAfterMs } = this.#judge(outcome);
    this.#finish(call, 'settled', verdict, isValue(outcome) ? undefined : text, retryAfterMs);
    if (isValue(outcome) && verdict === 'success' && call.fallback === 'lastGood')
      this.#good.push({ key: call.key, text });
    const fallsBack = !isValue(outcome) && (verdict === 'failure' || outcome === 'inner');
    if (fallsBack) this.#fallBack(call, text);
    else call.result = text;
    this.#ifIdle();
  }

  /** S12, S20 */
  #judge(outcome: Outcome): { verdict: Verdict; retryAfterMs: number } {
    const own = outcome === 'asks' ? asksForMs : 0;
    const standard = isValue(outcome) ? 'success' : outcome === 'inner' ? 'ignored' : 'failure';
    if (!this.config.classify) return { verdict: standard, retryAfterMs: own };
    if (outcome === 'crash' || outcome === 'nonsense') {
      this.log.push('report classify');
      return { verdict: 'failure', retryAfterMs: 0 };
    }
    const answer = classified[outcome] as Verdict | { verdict: Verdict; retryAfterMs: number } | undefined;
    return typeof answer === 'object' ? answer : { verdict: answer ?? standard, retryAfterMs: own };
  }

  /** The caller gives up: S22. */
  abort(call: NaiveCall, reason: string, isDeadline: boolean): void {
    if (call.answer !== undefined) {
      // S22: faster than any fallback.
      call.answer = undefined;
      call.result = reason;
      this.#ifIdle();
    }
    if (call.end !== undefined || call.refused !== undefined) return;
    this.#endEarly(call, 'aborted', isDeadline ? 'failure' : 'ignored', reason);
    this.#heed(call);
  }

  /** S21 */
  #endEarly(call: NaiveCall, end: 'timed-out' | 'aborted', verdict: Verdict, error: string): void {
    const {
      release,
      timeoutMs = Infinity,
      abandonAfterMs = timeoutMs < Infinity ? 10 * timeoutMs : 60_000,
    } = call.config;
    if (release === 'on-timeout') call.place = false;
    else if (call.place && call.config.maxConcurrent !== undefined) call.abandonAt = this.now + abandonAfterMs;
    this.#finish(call, end, verdict, error);
    if (verdict === 'failure') this.#fallBack(call, error);
    else call.result = error;
    this.#ifIdle();
  }

  #heed(call: NaiveCall): void {
    if (call.heeds && call.end !== undefined && !call.worked) this.workEnds(call, 'boom');
  }

  settlePermit(call: NaiveCall, how: 'success' | 'failure' | 'ignore', error?: Outcome, ms?: number): void {
    if (call.end !== undefined) return;
    call.place = false;
    if (how !== 'ignore') call.tookMs = ms;
    const verdict = how === 'ignore' ? 'ignored' : how;
    this.#finish(call, 'settled', verdict, error && `${error} ${call.id}`, error === 'asks' ? asksForMs : 0);
    this.#ifIdle();
  }

  #finish(
    call: NaiveCall,
    end: 'settled' | 'timed-out' | 'aborted',
    verdict: Verdict,
    error: string | undefined,
    retryAfterMs = 0,
  ): void {
    const { slowCallMs: ownSlow, latency } = this.config;
    const { slowCallMs, time } = needsOf(this.config.trip);
    const measuredMs = this.timed && call.startedAt !== undefined ? this.now - call.startedAt : 0;
    const elapsedMs = call.tookMs ?? measuredMs;
    // S17: how long it took nobody knows.
    const untimed = this.timed && call.tookMs === undefined && call.startedAt === undefined;
    const current = call.generation === this.generation;
    call.end = end;
    if (call.config.maxConcurrent === undefined) call.place = false;
    call.verdict = verdict;
    this.#counting++;
    if (call.counted) {
      call.slow = elapsedMs >= (ownSlow ?? slowCallMs) && verdict !== 'ignored';
      if ((latency ?? time) && verdict !== 'ignored' && !untimed) this.#durations.push({ at: this.now, ms: elapsedMs });
      call.late = call.generation > 0 && !current;
      if (current) this.count(call, verdict, error, untimed ? undefined : elapsedMs, retryAfterMs);
      if (call.late) this.say(`late generation ${verdict === 'success'}`);
      const text = `${call.key} ${elapsedMs}${call.slow ? ' slow' : ''}${verdict === 'success' ? '' : ` ${error}`}`;
      if (end === 'timed-out') this.say(`timed-out ${text}`);
      this.say(`${{ success: 'succeeded', failure: 'failed', ignored: 'ignored' }[verdict]} ${text}`);
      this.tellTurns();
    }
    this.#counting--;
  }

  /** S27: the answer comes a moment later. */
  #fallBack(call: NaiveCall, error: string): void {
    call.result = error;
    if (call.fallback === undefined) return;
    call.result = undefined;
    call.fellBack = call.counted;
    const good = this.#good.findLast(({ key }) => key === call.key)?.text ?? error;
    const text = { value: 'plan B', throws: 'no plan B', chain: 'plan C', slow: 'plan D', lastGood: good }[
      call.fallback
    ];
    call.answer = { text, at: this.now + (call.fallback === 'slow' ? fallbackMs : 0) };
  }

  /** The fallbacks that have their answer give it. */
  answer(): void {
    for (const call of this.calls) {
      if (call.answer === undefined || call.answer.at > this.now) continue;
      call.result = call.answer.text;
      call.answer = undefined;
    }
    this.#ifIdle();
  }

  // People

  do(deed: Deed, expiresInMs?: number): void {
    if (deed === 'reset') this.reset();
    else if (deed === 'release') this.leave();
    else if (deed === 'probe') this.#wake();
    else if (deed === 'dispose') this.ending = 'disposed';
    else if (deed === 'drain') this.#drain();
    else if (deed === 'acquire-success') this.#acquire('success');
    else if (deed === 'acquire-slow') this.#acquire('success', slowMs);
    else if (deed === 'acquire-failure') this.#acquire('failure');
    else this.force(deed, expiresInMs);
  }

  #acquire(how: 'success' | 'failure', ms?: number): void {
    const call = this.begin(Number.NaN, { permit: true });
    if (call.refused === undefined) this.settlePermit(call, how, undefined, ms);
  }

  force(state: Forced, expiresInMs = Infinity): void {
    this.#expire();
    const was = this.state;
    this.forced = { state, until: this.now + expiresInMs };
    this.say(`forced ${state} was ${was}`);
  }

  release(action = 'released', was: string | undefined = this.forced?.state): void {
    this.forced = undefined;
    this.say(`released ${action} ${this.state} was ${was}`);
  }

  leave(): void {
    this.#expire();
    if (this.forced !== undefined) this.release();
  }

  #expire(): void {
    if (this.forced !== undefined && this.standing === undefined) this.release('expired');
  }

  /** S23 */
  #wake(): void {
    this.#expire();
    const { turn, state } = this;
    if (turn.to !== 'open') return;
    if (this.now < turn.at + turn.sleepMs) turn.woken = true;
    this.say(`released woken ${state} was ${state}`);
  }

  reset(): void {
    this.#expire();
    const was = this.state;
    this.close('reset 0/0 of 0', {} as Config);
    this.release('reset', was);
    this.tellTurns();
  }

  update(changes: Partial<Config>): void {
    if (this.config.maxConcurrent === undefined && changes.maxConcurrent !== undefined) {
      // S26: those at work, until they end.
      for (const call of this.calls) call.place = call.refused === undefined && call.end === undefined;
    }
    this.config = { ...this.config, ...changes };
    if (changes.trip !== undefined) this.rule = this.rule.successor(changes.trip, this.now);
    const told = Object.keys(changes).map((key) =>
      key === 'trip' && isShort(changes.trip) ? 'failureThreshold' : key,
    );
    this.say(`updated ${told.sort().join(' ')}`);
  }

  #drain(): void {
    this.ending ??= 'draining';
    this.#drains = true;
    this.#ifIdle();
  }

  #ifIdle(): void {
    const waits = ({ refused, end, answer }: NaiveCall) => answer || (refused === undefined && end === undefined);
    if (!this.#drains || this.#counting > 0 || this.calls.some(waits)) return;
    this.ending = 'disposed';
    this.drained = true;
  }

  // Time

  #timeoutOf(call: NaiveCall): number {
    return call.end === undefined ? call.timeout.at : Infinity;
  }

  /** S8: only of a probe that is still out, and whose own timeout is not as soon. */
  #leaseOf({ end, lease, timeout, generation }: NaiveCall): number {
    const out = end === undefined && !lease.over && generation === this.generation && this.ending !== 'disposed';
    return out && lease.fails && timeout.ms > lease.ms ? lease.at : Infinity;
  }

  /** Whether a deadline of a call begun now would meet another that runs longer or shorter: no rule says which is first. */
  get clashes(): boolean {
    return [this.config.timeoutMs, this.config.halfOpen?.probeTimeoutMs].some((ms = 0) =>
      this.calls.some(
        (call) =>
          (call.timeout.ms !== ms && this.#timeoutOf(call) === this.now + ms) ||
          (call.lease.ms !== ms && this.#leaseOf(call) === this.now + ms),
      ),
    );
  }

  /** The next instant at which something happens, by itself or to the next call. */
  next(of: 'deadlines' | 'anything'): number {
    const { turn, config, forced, now } = this;
    const own = this.calls.flatMap((call) => [
      this.#timeoutOf(call),
      this.#leaseOf(call),
      call.abandonAt,
      call.answer?.at ?? Infinity,
    ]);
    const more = [turn.at + turn.sleepMs, turn.at + (config.recovery?.rampMs ?? 0), forced?.until ?? Infinity];
    const windows = [config.trip, ...(config.trip.parts ?? [])].map(({ windowMs = Infinity }) => now + windowMs);
    return Math.min(...(of === 'anything' ? [...own, ...more, ...windows] : own).filter((at) => at > now));
  }

  advance(until: number): void {
    for (let at = this.next('deadlines'); at < until; at = this.next('deadlines')) this.#fire(at);
    this.#fire(until);
  }

  #fire(at: number): void {
    this.now = at;
    for (const call of this.calls) {
      if (this.#leaseOf(call) <= at) {
        call.lease.over = true;
        this.probeSaid('failure', 'probeTimeout', 0, this.probeFacts());
        this.tellTurns();
      }
      if (this.#timeoutOf(call) <= at) this.#endEarly(call, 'timed-out', 'failure', `timeout ${call.timeout.ms}`);
      if (call.abandonAt <= at) {
        call.place = false;
        call.abandonAt = Infinity;
        call.abandoned = call.counted;
      }
    }
    for (const call of this.calls) this.#heed(call);
    this.answer();
  }

  // Figures

  figures() {
    const counted = this.calls.filter((call) => call.counted);
    const many = (test: (call: NaiveCall) => unknown) => counted.filter(test).length;
    const lived = this.turns.map((turn, i) => ({ ...turn, until: this.turns[i + 1]?.at ?? this.now })).slice(this.born);
    return {
      state: this.state,
      available: this.ask().refused === undefined,
      computedState: this.turn.to,
      generation: this.generation,
      totalRequests: counted.length,
      successfulRequests: many(({ verdict }) => verdict === 'success'),
      failedRequests: many(({ verdict }) => verdict === 'failure'),
      ignoredRequests: many(({ verdict }) => verdict === 'ignored'),
      rejectedRequests: many(({ refused }) => refused),
      slowRequests: many(({ slow }) => slow),
      timedOutRequests: many(({ end }) => end === 'timed-out'),
      fallbackRequests: many(({ fellBack }) => fellBack),
      shadowRejectedRequests: many(({ shadow }) => shadow),
      inFlight: many(({ refused, verdict }) => !refused && !verdict),
      abandoned: many(({ abandoned }) => abandoned),
      lateResults: many(({ late }) => late),
      circuitOpenTimeMs: lived.reduce((ms, { to, at, until }) => ms + (to === 'open' ? until - at : 0), 0),
      drained: this.drained,
    };
  }

  /** S14: the latencies of the running minute and the one before, sorted; minutes begin with the first of all. */
  latencies(): readonly number[] {
    const minuteOf = (at: number) => Math.floor((at - (this.#durations[0]?.at ?? 0)) / 60_000);
    const recent = this.#durations.filter(({ at }) => minuteOf(at) >= minuteOf(this.now) - 1);
    return recent.map(({ ms }) => ms).sort((a, b) => a - b);
  }
}
