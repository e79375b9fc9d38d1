// One life of one breaker: the commands of a scenario done to it, and everything that can be seen of it written down.
import { EventEmitter } from 'node:events';
import type { Command, Drawn, Fire, Scenario } from './scenario.ts';
import { type Construct, events, getters, type Subject, shown, theirs } from './subject.ts';
import { plainValues, Witness } from './witness.ts';

export class Token {
  readonly id: number;
  constructor(id: number) {
    this.id = id;
  }
  /** The same for all, so that calls of the same arguments have the same key. */
  toJSON(): string {
    return 'token';
  }
}

/** Raw figures make opossum drop the options of the window: there are none then. */
const noWindow = {
  rollingCountBuckets: undefined,
  rollingCountTimeout: undefined,
  rollingPercentilesEnabled: undefined,
  rotateBucketController: undefined,
  enableSnapshots: undefined,
};

export class World {
  readonly trace: unknown[] = [];
  readonly witness: Witness;
  subject!: Subject;
  readonly #construct: Construct;
  readonly #scenario: Scenario;
  readonly #rotator = new EventEmitter();
  readonly #stored = new Map<string, unknown>();
  readonly #reacted = new Set<number>();
  readonly #unhandled: unknown[] = [];
  #internal: Record<string, number> = {};
  #controller: AbortController | undefined;
  #tokens = 0;

  constructor(construct: Construct, scenario: Scenario) {
    this.#construct = construct;
    this.#scenario = scenario;
    this.witness = new Witness(this.trace, scenario.options, construct === theirs);
    this.#begin(this.#restored(scenario.options));
  }

  unhandled(fault: unknown): void {
    this.#unhandled.push(shown(fault));
  }

  #begin(more: object): void {
    const { action: kind, hearsSnapshots } = this.#scenario;
    const world = this;
    function act(this: unknown, ...args: [Fire['outcome'], number, number, Token]): unknown {
      return world.#act(this, ...args);
    }
    const [nameless] = [(...args: Parameters<typeof act>) => world.#act(undefined, ...args)];
    const actions = { function: act, anonymous: nameless, value: 'a value' };
    this.subject = new this.#construct(actions[kind], { ...this.#options(), ...more });
    this.#internal = Object.fromEntries(events.map((event) => [event, this.subject.listenerCount(event)]));
    this.witness.sees(this.subject, more);
    this.#listen();
    if (hearsSnapshots)
      this.subject.status.on('snapshot', (stats) => this.trace.push(['snapshot', structuredClone(stats)]));
    this.look('made');
    this.witness.made(more);
  }

  #listen(): void {
    const { subject, witness } = this;
    for (const event of events) {
      subject.on(event, (...args) => {
        witness.hears(event, args);
        this.trace.push([event, ...args.map(shown)]);
      });
      this.#scenario.reactions.forEach(({ on, does }, i) => {
        if (on !== event) return;
        subject.on(event, () => {
          if (this.#reacted.has(i)) return;
          this.#reacted.add(i);
          this.command(does);
        });
      });
      subject.on(event, (...args) => witness.judges(event, args));
    }
  }

  #options(): object {
    const { trace, witness } = this;
    const given: Drawn = this.#scenario.options;
    const {
      state: _,
      status: __,
      abortController,
      rotateBucketController,
      errorFilter,
      cacheGetKey,
      cacheTransport,
      ...plain
    } = given;
    const options: Record<string, unknown> = { ...plain };
    if (abortController) {
      this.#controller = new AbortController();
      this.#controller.signal.addEventListener('abort', () => trace.push(['aborted']));
      options.abortController = this.#controller;
    }
    if (rotateBucketController) options.rotateBucketController = this.#rotator;
    if (errorFilter) {
      options.errorFilter = (error: { status?: number; code?: string } | undefined, ...args: unknown[]) => {
        trace.push(['errorFilter', shown(error), args.length]);
        if (errorFilter === 'throws') {
          witness.differs('an `errorFilter` that throws');
          throw new Error('filter');
        }
        if (errorFilter === 'all') return 'yes';
        if (errorFilter === 'arguments') return args[1] === 0;
        return errorFilter === 'status' ? error?.status === 404 : error?.code === 'ETIMEDOUT';
      };
    }
    if (cacheGetKey) {
      const world = this;
      options.cacheGetKey = function (this: unknown, ...args: unknown[]) {
        trace.push(['cacheGetKey', this === world.subject]);
        if (cacheGetKey === 'throws') {
          witness.differs('when the arguments are no JSON');
          throw new Error('key');
        }
        return cacheGetKey === 'key' ? String(args[1]) : 'constant';
      };
    }
    if (cacheTransport) options.cacheTransport = this.#transport();
    return options;
  }

  #transport(): object {
    const { trace } = this;
    const stored = this.#stored;
    return {
      get: (key: string) => {
        trace.push(['get', key]);
        return stored.get(key);
      },
      set: (key: string, value: unknown, ttl: number) => {
        trace.push(['set', key, shown(value), ttl]);
        stored.set(key, value);
      },
      flush: () => {
        trace.push(['flush']);
        stored.clear();
      },
    };
  }

  #restored({
    state,
    status,
    rollingCountBuckets,
    rollingCountTimeout,
    rollingPercentilesEnabled,
    enableSnapshots,
  }: Drawn): object {
    const more: Record<string, unknown> = {};
    if (state !== undefined) {
      const { sinceMs, ...flags } = state;
      more.state = sinceMs === undefined ? flags : { ...flags, lastTimerAt: Date.now() - sinceMs };
    }
    if (status?.kind === 'raw') {
      Object.assign(more, noWindow, { status: structuredClone(status.stats) });
    } else if (status) {
      const window = { rollingCountBuckets, rollingCountTimeout, rollingPercentilesEnabled, enableSnapshots };
      more.status = this.#construct.newStatus({ ...window, stats: structuredClone(status.stats) });
    }
    return more;
  }

  #act(self: unknown, outcome: Fire['outcome'], key: number, ms: number, token: Token): unknown {
    const { id } = token;
    this.trace.push(['action', id, self === this.subject.action ? 'the action' : shown(self)]);
    this.witness.acts(id, key, outcome, ms);
    const value = { id, key };
    const error = Object.assign(new Error(outcome), { id, status: /filtered/i.test(outcome) ? 404 : 500 });
    const later = (
      settle: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void,
    ): Promise<unknown> => new Promise((resolve, reject) => void setTimeout(() => settle(resolve, reject), ms));
    switch (outcome) {
      case 'return':
        return value;
      case 'falsy':
        return plainValues.falsy[key];
      case 'undefined':
        return undefined;
      case 'null':
        return null;
      case 'throw':
      case 'throwFiltered':
        throw error;
      case 'resolve':
        return Promise.resolve(key === 0 ? true : value);
      case 'reject':
        return Promise.reject(error);
      case 'rejectNoError':
        return Promise.reject(plainValues.rejectNoError[key]);
      case 'resolveLater':
        return later((resolve) => resolve(key === 0 ? null : value));
      case 'rejectLater':
      case 'filtered':
        return later((_, reject) => reject(error));
      case 'hang':
        return new Promise(() => {});
      case 'thenable': {
        const promise = later((resolve) => resolve(value));
        // biome-ignore lint/suspicious/noThenProperty: that is the matter.
        return { then: promise.then.bind(promise) };
      }
      case 'bareThenable':
        // biome-ignore lint/suspicious/noThenProperty: that is the matter.
        return { then: (resolve: (value: unknown) => void) => void resolve(value) };
    }
  }

  command(command: Command): void {
    const { subject, witness } = this;
    witness.commanded(command);
    switch (command.do) {
      case 'fire':
      case 'call':
        this.#fire(command);
        break;
      case 'fallback':
        this.#fallback(command.kind);
        break;
      case 'healthCheck':
        // Intervals of two could fall together.
        if (witness.checks === 1) this.#healthCheck(command);
        break;
      case 'rotate':
        this.#rotator.emit('rotate');
        break;
      case 'restart':
        this.#restart(command);
        break;
      case 'wait':
        break;
      case 'shutdown':
        subject.shutdown();
        this.#internal = {};
        this.#listen(); // What is told afterwards?
        break;
      default:
        (subject as unknown as Record<string, () => void>)[command.do]?.();
    }
    witness.did(command);
  }

  #fire({ do: how, outcome, key, ms }: Fire): void {
    const id = this.#tokens++;
    const args = [outcome, key, ms, new Token(id)];
    const { trace, subject, witness } = this;
    try {
      const answer = how === 'fire' ? subject.fire(...args) : subject.call({ context: key }, ...args);
      witness.fired(id);
      trace.push(['fired', id, answer instanceof Promise]);
      Promise.resolve(answer).then(
        (value) => trace.push(['fulfilled', id, shown(value)]),
        (error) => trace.push(['rejected', id, shown(error)]),
      );
    } catch (error) {
      trace.push(['threw', id, shown(error)]);
    }
  }

  #fallback(kind: string): void {
    const { subject, trace } = this;
    if (kind === 'breaker') {
      subject.fallback(
        new this.#construct(async (...args: unknown[]) => ['of another', args.length], { timeout: false }),
      );
      return;
    }
    const later = (settle: () => unknown): Promise<unknown> =>
      new Promise((resolve) => void setTimeout(resolve, 30)).then(settle);
    const fault = (): never => {
      throw Object.assign(new Error('of the fallback'), { id: -1 });
    };
    const fallback = function (this: unknown, ...args: unknown[]): unknown {
      trace.push(['falls back', this === fallback, args.map((arg) => (arg instanceof Token ? arg.id : shown(arg)))]);
      if (kind === 'value') return 'instead';
      if (kind === 'throw') return fault();
      if (kind === 'resolve') return Promise.resolve('instead');
      if (kind === 'reject') return Promise.reject(new Error('of the fallback'));
      if (kind === 'resolveLater') return later(() => 'instead');
      return kind === 'rejectLater' ? later(fault) : undefined;
    };
    trace.push(['fallback is set', subject.fallback(fallback) === subject]);
  }

  #healthCheck({ every, kind }: Extract<Command, { do: 'healthCheck' }>): void {
    const { subject, trace } = this;
    let asked = 0;
    const check = function (this: unknown): Promise<unknown> {
      trace.push(['asks', this === subject]);
      const fails = kind === 'fail' || (kind === 'flip' && asked++ % 2 === 1);
      return fails ? Promise.reject(new Error('unhealthy')) : Promise.resolve();
    };
    subject.healthCheck(check, every);
  }

  #restart({ state, status }: Extract<Command, { do: 'restart' }>): void {
    const json = JSON.parse(JSON.stringify(this.subject));
    this.subject.shutdown();
    const { rollingCountBuckets, rollingCountTimeout, rollingPercentilesEnabled, enableSnapshots } =
      this.#scenario.options;
    const window = { rollingCountBuckets, rollingCountTimeout, rollingPercentilesEnabled, enableSnapshots };
    const figures = status === 'raw' ? json.status : this.#construct.newStatus({ ...window, stats: json.status });
    this.#begin({
      ...(state ? { state: json.state } : {}),
      ...(status === 'raw' ? noWindow : {}),
      ...(status === 'none' ? {} : { status: figures }),
    });
  }

  /** Everything that can be seen from outside. */
  look(when: string): void {
    const { subject, witness } = this;
    witness.looks();
    const { state, status } = subject.toJSON();
    const { lastTimerAt: _, name, ...flags } = state;
    // After a shutdown opossum still says that a probe is awaited, if one was.
    const said = getters.filter((getter) => getter !== 'pendingClose' || !subject.isShutdown);
    const isNamed = name === subject.name;
    const heard = events.map((event) => subject.listenerCount(event) - (this.#internal[event] ?? 0));
    const signal = subject.getSignal();
    const { timeout, resetTimeout, coalesceResetOn, cacheTTL } = subject.options;
    this.trace.push([
      when,
      Date.now(),
      isNamed && (/^[\da-f-]{36}$/.test(subject.name) ? 'a UUID' : name),
      flags,
      structuredClone(status),
      witness.window(),
      ...said.map((getter) => (getter === 'group' && subject.group === subject.name ? 'name' : subject[getter])),
      subject.semaphore.count,
      heard,
      subject.eventNames().length,
      subject.status.listenerCount('snapshot'),
      [
        signal && signal === this.#controller?.signal,
        signal?.aborted,
        subject.getAbortController() === subject.options.abortController,
      ],
      [timeout, resetTimeout, coalesceResetOn, cacheTTL],
      this.#unhandled.splice(0),
    ]);
    witness.looked();
  }
}
