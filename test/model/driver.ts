import { getEventListeners } from 'node:events';
import type { CallContext, CallOptions, Fallback, LatencySummary, Measurement, Permit, Snapshot } from 'recloser';
import type { Action, Reason } from './actions.ts';
import { type Config, fallbackMs, isValue, type Outcome } from './config.ts';
import { NaiveBreaker } from './naive-breaker.ts';
import type { NaiveCall, Saved } from './naive-circuit.ts';
import { figuresOf } from './naive-rules.ts';
import {
  callFallback,
  errorOf,
  labelled,
  measuredOf,
  optionsOf,
  RealBreaker,
  refusal,
  textOf,
} from './real-breaker.ts';
import { StepClock } from './step-clock.ts';

export interface Setup {
  readonly config: Config;
  /** What the clock says at first: its zero means nothing. */
  readonly startMs: number;
  readonly listens: boolean;
  /** Whether everything is read after each action, or at the end only: reading changes nothing. */
  readonly reads: 'always' | 'at-the-end';
}

interface Pair {
  readonly real: RealBreaker;
  readonly naive: NaiveBreaker;
  logged: number;
  /** Whether a listener has done something since. */
  meddled: boolean;
}

/** One call in both. */
interface Entry {
  readonly pair: Pair;
  readonly naive: NaiveCall;
  /** What its caller saw. */
  seen?: string;
  calls: number;
  settle?: (outcome: Outcome) => void;
  context?: CallContext;
  controller?: AbortController | undefined;
  permit?: Permit | undefined;
}

/** Where the two breakers are of two minds. */
class Disagreement extends Error {}

const agree = (what: string, real: unknown, naive: unknown): void => {
  if (!Object.is(real, naive)) throw new Disagreement(`${what}: the breaker says ${real}, the naive one ${naive}`);
};

/** Longer than any chain of promises in a breaker. */
async function settlePromises(): Promise<void> {
  for (let i = 0; i < 12; i++) await undefined;
}

/** One life of two breakers. */
export class Driver {
  readonly #clock: StepClock;
  readonly #setup: Setup;
  readonly #entries: Entry[] = [];
  readonly #pairs: Pair[] = [];
  #pair: Pair;
  #saved: { readonly real: Snapshot; readonly naive: Saved } | undefined;

  constructor(setup: Setup) {
    this.#setup = setup;
    this.#clock = new StepClock(setup.startMs);
    this.#pair = this.#birth(setup.config);
  }

  /** What both have told. */
  get log(): readonly string[] {
    return this.#pairs.flatMap(({ naive }) => naive.log);
  }

  #birth(config: Config, saved?: { readonly real: Snapshot; readonly naive: Saved }): Pair {
    const real = new RealBreaker(config, this.#clock, this.#setup.listens, saved?.real);
    this.#pair = { real, naive: new NaiveBreaker(config, this.#clock.now(), saved?.naive), logged: 0, meddled: false };
    this.#pairs.push(this.#pair);
    return this.#pair;
  }

  async play(actions: readonly Action[]): Promise<void> {
    for (const action of actions) {
      await this.#act(action);
      for (const { naive } of this.#pairs) naive.answer();
      this.#compareCalls();
      if (this.#setup.reads === 'always') this.#compareFigures([this.#pair]);
    }
    this.#compareFigures(this.#pairs);
    await this.#rest();
  }

  async #act(action: Action): Promise<void> {
    const { real, naive } = this.#pair;
    switch (action.do) {
      case 'call':
      case 'acquire':
        while (naive.clashes) await this.#advance(this.#clock.now() + 0.5);
        if (action.do === 'call') this.#call(action);
        else this.#acquire();
        return settlePromises();
      case 'work-ends':
        return this.#workEnds(
          this.#nth(action.nth, ({ settle, naive }) => settle && !naive.worked),
          action.as,
        );
      case 'abort':
        return this.#abort(
          this.#nth(action.nth, ({ controller }) => controller?.signal.aborted === false),
          action.because,
        );
      case 'permit': {
        const entry = this.#nth(action.nth, ({ permit }) => permit !== undefined);
        if (entry !== undefined) this.#settlePermit(entry, action);
        return settlePromises();
      }
      case 'advance':
        return this.#advance(this.#clock.now() + action.ms);
      case 'advance-to-next': {
        const at = naive.next('anything') + action.off;
        return this.#advance(at < Infinity ? Math.max(this.#clock.now(), at) : this.#clock.now());
      }
      case 'deed':
        real.do(action.deed, action.expiresInMs);
        naive.do(action.deed, action.expiresInMs);
        return settlePromises();
      case 'on':
        if (!this.#setup.listens) return;
        this.#once(real, this.#pair, action);
        return this.#once(naive, this.#pair, action);
      case 'update':
        real.breaker.update(optionsOf(action.changes, this.#clock));
        naive.update(action.changes);
        return settlePromises();
      case 'save':
        this.#saved = { real: JSON.parse(JSON.stringify(real.breaker)), naive: naive.save() };
        return;
      case 'restore':
        this.#saved ??= { real: JSON.parse(JSON.stringify(real.breaker)), naive: naive.save() };
        this.#birth({ ...naive.config, ...action.changes }, this.#saved);
        return;
    }
  }

  /** Does something the next time that an event is told; what waited for another event waits no more. */
  #once(to: RealBreaker | NaiveBreaker, pair: Pair, { event, deed }: Extract<Action, { do: 'on' }>): void {
    to.onEvent = (text) => {
      if (!text.startsWith(`${event} `)) return;
      to.onEvent = undefined;
      pair.meddled = true;
      to.do(deed);
    };
  }

  #nth(nth: number, test: (entry: Entry) => unknown): Entry | undefined {
    const candidates = this.#entries.filter(test);
    return candidates[nth % candidates.length];
  }

  #call({ ends, how, inside, with: given }: Extract<Action, { do: 'call' }>): void {
    const { real, naive } = this.#pair;
    const id = this.#entries.length;
    const controller = given?.signal === undefined ? undefined : new AbortController();
    const gaveUp = given?.signal === 'aborted' || given?.signal === 'past-deadline' ? `gave up ${id}` : undefined;
    if (gaveUp !== undefined) {
      controller?.abort(
        Object.assign(labelled(gaveUp), given?.signal === 'past-deadline' ? { name: 'TimeoutError' } : {}),
      );
    }
    const key = given && `k${id % 3}`;
    const entry: Entry = {
      pair: this.#pair,
      naive: naive.begin(id, {
        ...(key && { key }),
        ...(given?.fallback && { fallback: given.fallback }),
        ...(gaveUp && { gaveUp }),
      }),
      calls: 0,
      controller,
    };
    this.#entries.push(entry);
    const settled = (outcome: Outcome) => {
      if (!isValue(outcome)) throw errorOf(outcome, id);
      return `${outcome} ${id}`;
    };
    const work = (context: CallContext): unknown => {
      entry.calls++;
      entry.context = context;
      if (inside !== undefined) real.do(inside);
      if (ends !== undefined && how === 'sync') return settled(ends);
      const promise = new Promise((resolve, reject) => {
        entry.settle = (outcome) => (isValue(outcome) ? resolve(`${outcome} ${id}`) : reject(errorOf(outcome, id)));
        if (given?.heeds) context.signal.addEventListener('abort', () => reject(context.signal.reason));
      });
      // (Who gives up does so at once: a thenable takes so many turns that a drain may be over before.)
      // biome-ignore lint/suspicious/noThenProperty: S13, a thenable that is no promise
      return how === 'thenable' && !given?.heeds ? { then: promise.then.bind(promise) } : promise;
    };
    entry.naive.heeds = given?.heeds === true;
    const options: CallOptions<Fallback> | undefined = given && {
      key,
      signal: controller?.signal,
      fallback: given.fallback && callFallback(given.fallback, this.#clock),
    };
    real.breaker.execute(work, options).then(
      (value) => {
        entry.seen = String(value);
      },
      (error) => {
        entry.seen = textOf(error);
      },
    );
    const { refused, end } = entry.naive;
    agree(`whether call ${id} passed`, entry.calls === 1, refused === undefined && end === undefined);
    if (entry.calls === 0) return;
    if (inside !== undefined) naive.do(inside);
    if (ends === undefined) return;
    entry.settle?.(ends);
    naive.workEnds(entry.naive, ends);
  }

  async #workEnds(entry: Entry | undefined, outcome: Outcome): Promise<void> {
    entry?.settle?.(outcome);
    entry?.pair.naive.workEnds(entry.naive, outcome);
    return settlePromises();
  }

  async #abort(entry: Entry | undefined, because: Reason): Promise<void> {
    if (entry === undefined) return;
    const reason = `gave up ${entry.naive.id}`;
    const error = labelled(reason, because === 'refusal' ? refusal : undefined);
    entry.controller?.abort(Object.assign(error, because === 'deadline' ? { name: 'TimeoutError' } : {}));
    entry.pair.naive.abort(entry.naive, reason, because === 'deadline');
    return settlePromises();
  }

  #acquire(): void {
    const { real, naive } = this.#pair;
    const call = naive.begin(this.#entries.length, { permit: true });
    const permit = real.breaker.acquire();
    const refusal = real.breaker.refusal();
    agree(`whether permit ${call.id} was given`, permit !== undefined, call.refused === undefined);
    this.#entries.push({ pair: this.#pair, naive: call, calls: 0, permit, ...(refusal && { seen: textOf(refusal) }) });
  }

  #settlePermit({ pair, naive: call, permit }: Entry, { how, error, ms }: Extract<Action, { do: 'permit' }>): void {
    const thrown = how === 'failure' && error !== undefined ? error : undefined;
    if (how === 'failure') permit?.failure(thrown && errorOf(thrown, call.id), ms);
    else if (how === 'success') permit?.success(ms);
    else permit?.ignore();
    pair.naive.settlePermit(call, how, thrown, ms);
  }

  async #advance(until: number): Promise<void> {
    await settlePromises();
    while (this.#clock.step(until)) await settlePromises();
    for (const { naive } of this.#pairs) naive.advance(until);
  }

  #compareCalls(): void {
    for (const { naive, seen } of this.#entries) {
      if (seen !== naive.result) agree(`what caller ${naive.id} saw`, seen, naive.result);
    }
    if (!this.#setup.listens) return;
    for (const pair of this.#pairs) {
      const [real, naive] = [pair.real, pair.naive].map(({ log }) => log.slice(pair.logged)) as [string[], string[]];
      // In which order the events of a listener's own deed come among those of what it listened to, nobody has promised.
      if (pair.meddled) for (const list of [real, naive]) list.sort();
      for (let i = 0; i < Math.max(real.length, naive.length); i++) {
        if (real[i] !== naive[i]) agree(`event ${pair.logged + i}`, real[i], naive[i]);
      }
      pair.logged += real.length;
      pair.meddled = false;
    }
  }

  #compareFigures(pairs: Iterable<Pair>): void {
    for (const { real, naive } of pairs) {
      const { figures, lastFailureTime, window, latency } = real.figures();
      const expected = naive.figures();
      for (const name in expected)
        agree(name, figures[name as keyof typeof figures], expected[name as keyof typeof expected]);
      const { totalRequests, successfulRequests, failedRequests, ignoredRequests, rejectedRequests, inFlight } =
        figures;
      agree(
        'the total',
        totalRequests,
        successfulRequests + failedRequests + ignoredRequests + rejectedRequests + inFlight,
      );
      agree('whether there was a failure', lastFailureTime !== undefined, failedRequests > 0);
      compareWindow(window, naive.rule.measure(naive.now));
      compareLatency(latency, naive.latencies());
      agree('explain()', typeof real.breaker.explain(), 'string');
    }
  }

  /** All work and all permits end: nothing may be left of them. */
  async #rest(): Promise<void> {
    for (const entry of this.#entries) {
      if (entry.settle !== undefined && !entry.naive.worked) await this.#workEnds(entry, 'ok');
      else if (entry.permit !== undefined) this.#settlePermit(entry, { do: 'permit', nth: 0, how: 'ignore' });
    }
    await this.#advance(this.#clock.now() + fallbackMs);
    this.#compareCalls();
    this.#compareFigures(this.#pairs);
    agree('timers at rest', this.#clock.pending, 0);
    for (const { real } of this.#pairs) agree('in flight at rest', real.breaker.metrics().inFlight, 0);
    for (const { naive, controller, context, calls } of this.#entries) {
      if (controller) agree(`listeners on signal ${naive.id}`, getEventListeners(controller.signal, 'abort').length, 0);
      if (context === undefined) continue;
      const early = naive.end !== 'settled';
      agree(`how often function ${naive.id} was called`, calls, 1);
      agree(`whether the signal of call ${naive.id} was aborted`, context.signal.aborted, early);
    }
  }
}

type Measured = ReturnType<NaiveBreaker['rule']['measure']>;

function compareWindow(real: Measurement, naive: Measured): void {
  agree('window', measuredOf(real), figuresOf(naive));
  agree(`value of ${naive.rule}`, Math.abs(real.value - naive.value) < 1e-5, true);
  agree(`hits of ${naive.rule}`, real.slowCalls ?? real.failures, naive.hits);
  agree(`parts of ${naive.rule}`, real.parts?.length ?? 0, naive.parts.length);
  for (const [i, part] of naive.parts.entries()) compareWindow(real.parts?.[i] as Measurement, part);
}

function compareLatency(real: LatencySummary | undefined, naive: readonly number[]): void {
  agree('latencies', real?.count ?? 0, naive.length);
  if (real === undefined) return;
  agree('the longest', real.max, naive.at(-1));
  for (const [name, share] of [
    ['p50', 0.5],
    ['p95', 0.95],
    ['p99', 0.99],
  ] as const) {
    const exact = naive[Math.ceil(naive.length * share) - 1] ?? 0;
    const near = Math.abs(real[name] - exact) <= 0.05 * exact + 0.002;
    if (!near) throw new Disagreement(`${name}: the breaker says ${real[name]}, the naive one ${exact}`);
  }
}
