import { begin } from '../../core/call/begin.ts';
import { Call, type Rig } from '../../core/call/call.ts';
import type { Work } from '../../core/call/context.ts';
import { Flights } from '../../core/call/flights.ts';
import { nobody, type Scope, type Stage } from '../../core/call/scope.ts';
import { TimeLimit } from '../../core/call/time-limit.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { type CacheEvents, eventNames } from './events.ts';
import { type CacheOptions, type CacheSettings, readOptions } from './options.ts';
import { type CacheStore, type FoundEntry, Memory } from './store.ts';

/** The figures of a cache since it was made. */
export interface CacheMetrics {
  readonly name: string;
  /** Hits, misses, stale answers given at once, and calls without a key. */
  readonly totalRequests: number;
  readonly hitRequests: number;
  readonly missedRequests: number;
  /** Calls answered with a stale value. Those whose call had failed count among the missed as well. */
  readonly staleRequests: number;
  /** Those of them whose call had failed. */
  readonly staleIfErrorRequests: number;
  /** Calls without a key, which passed uncached. */
  readonly unkeyedRequests: number;
  /** Background fetches that have ended. */
  readonly revalidations: number;
  /** Those of them that failed. */
  readonly failedRevalidations: number;
  /** Values dropped to make room for others. */
  readonly evictions: number;
  /** How often the store threw or did not answer in time. */
  readonly storeFailures: number;
  /** Values in memory; 0 with a `store`. */
  readonly entries: number;
  /** Keys with work under way. */
  readonly inFlight: number;
}

/** A policy that answers with what was fetched before. */
export interface Cache extends Policy {
  /** Forgets the value of a key, and does not keep one that is being fetched. Never rejects: if the store fails, that is reported. */
  invalidate(key: string): Promise<void>;
  /** Forgets all values, likewise. */
  clear(): Promise<void>;
  /** The figures of this moment. */
  metrics(): CacheMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof CacheEvents>(event: E, listener: (payload: CacheEvents[E]) => void): () => void;
}

class CacheLayer extends BasicLayer<CacheEvents> implements Cache {
  readonly #settings: CacheSettings;
  readonly #flights: Flights;
  readonly #lookups: Flights;
  readonly #memory: Memory;
  readonly #rig: Rig<undefined>;
  #unkeyed = 0;
  #staleIfError = 0;
  #storeFailures = 0;
  readonly #told = { hit: 0, miss: 0, stale: 0, revalidated: 0, 'revalidation-failed': 0, evicted: 0 };

  constructor(settings: CacheSettings) {
    super('cache', settings, eventNames);
    const { maxEntries, joinForMs, storeTimeoutMs } = settings;
    const { name, clock } = this.basics;
    this.#settings = settings;
    this.#flights = new Flights(name, clock, joinForMs);
    this.#lookups = new Flights(name, clock, joinForMs);
    this.#memory = new Memory(
      maxEntries,
      () => clock.now(),
      (key) => this.#count('evicted', { key }),
    );
    this.#rig = { limit: new TimeLimit(`the store of ${name}`, storeTimeoutMs, clock) };
  }

  /** Counts an event, and tells it. */
  #count<E extends keyof CacheEvents>(event: E, about: Omit<CacheEvents[E], 'policy'>): void {
    this.#told[event]++;
    if (this.heard(event)) this.tell(event, { policy: this.name, ...about } as unknown as CacheEvents[E]);
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    const { keyOf, store } = this.#settings;
    const key = keyOf ? this.asked('keyOf', () => keyOf(scope.shown()), undefined) : scope.key;
    if (key === undefined) {
      this.#unkeyed++;
      return begin(work, scope, next);
    }
    if (store === undefined) return this.#answer(this.#memory.get(key), key, work, scope, next);
    // One question to the store for all who ask at once: then they also miss at once, and share the work.
    const look = (): unknown => this.#ask(async () => checked(await store.get(key)));
    const found = this.#lookups.at(key)?.join(scope) ?? this.#lookups.start(key, look, scope);
    return found.then((entry) => {
      if (scope.aborted) throw scope.reason;
      return this.#answer(entry as FoundEntry | undefined, key, work, scope, next);
    });
  }

  #answer(
    found: FoundEntry | undefined,
    key: string,
    work: Work,
    scope: Scope,
    next: Stage | undefined,
  ): Promise<unknown> {
    const { staleWhileRevalidateMs, staleIfErrorMs, staleIf, coalesce } = this.#settings;
    const { value, ageMs = Number.NaN, ttlMs = 0 } = found ?? {};
    // Not a number without a value, nor by a store that measured wrongly: then it is within no limit.
    const overMs = ageMs - ttlMs;
    if (overMs <= 0) {
      this.#count('hit', { key, ageMs });
      return Promise.resolve(value);
    }
    const flight = this.#flights.at(key);
    const start = (alone: boolean): Promise<unknown> =>
      this.#flights.start(key, work, scope, next, alone, (newer) => this.#keep(key, newer, found !== undefined));
    if (overMs <= staleWhileRevalidateMs) {
      this.#count('stale', { key, ageMs, why: 'revalidating', error: undefined });
      if (flight === undefined) {
        start(true).then(
          () => this.#count('revalidated', { key }),
          (error) => this.#count('revalidation-failed', { key, error }),
        );
      }
      return Promise.resolve(value);
    }
    this.#count('miss', { key });
    if (scope.aborted) return Promise.reject(scope.reason); // by `keyOf`, or who heard of it
    const result = coalesce && flight !== undefined ? flight.join(scope) : start(false);
    if (!(overMs <= staleIfErrorMs)) return result;
    return result.catch((error) => {
      if (scope.aborted || (staleIf && !this.asked('staleIf', () => staleIf(error), true))) throw error;
      this.#staleIfError++;
      this.#count('stale', { key, ageMs, why: 'error', error });
      return value;
    });
  }

  /** If the new value is not to be kept, the older one is dropped all the same. */
  #keep(key: string, value: unknown, older: boolean): void {
    const { ttlMs: given, staleWhileRevalidateMs, staleIfErrorMs } = this.#settings;
    const ttlMs = typeof given === 'number' ? given : this.asked('ttlMs', () => given(value, key), 0);
    if (ttlMs > 0) {
      const keepMs = ttlMs + Math.max(staleWhileRevalidateMs, staleIfErrorMs);
      void this.#change((store) => store.set(key, { value, ttlMs }, keepMs));
    } else if (older) void this.#change((store) => store.delete(key));
  }

  /** Memory is changed at once. */
  async #change(change: (store: CacheStore) => unknown): Promise<void> {
    const { store } = this.#settings;
    if (store === undefined) change(this.#memory);
    else await this.#ask(() => change(store));
  }

  /** The store's answer, or none if it throws or hangs. */
  #ask(question: () => unknown): Promise<unknown> {
    return new Call(this.#rig, nobody, undefined, false).run(question).catch((error) => {
      this.#storeFailures++;
      this.report(error, 'store');
    });
  }

  invalidate(key: string): Promise<void> {
    this.#flights.forget(key);
    this.#lookups.forget(key);
    return this.#change((store) => store.delete(key));
  }

  clear(): Promise<void> {
    this.#flights.forget();
    this.#lookups.forget();
    return this.#change((store) => store.clear());
  }

  metrics(): CacheMetrics {
    const { hit, miss, stale, revalidated, evicted, ...told } = this.#told;
    const failed = told['revalidation-failed'];
    return {
      name: this.name,
      totalRequests: hit + miss + stale - this.#staleIfError + this.#unkeyed,
      hitRequests: hit,
      missedRequests: miss,
      staleRequests: stale,
      staleIfErrorRequests: this.#staleIfError,
      unkeyedRequests: this.#unkeyed,
      revalidations: revalidated + failed,
      failedRevalidations: failed,
      evictions: evicted,
      storeFailures: this.#storeFailures,
      entries: this.#memory.size,
      inFlight: this.#flights.size,
    };
  }
}

/** @throws TypeError if it is no entry */
function checked(found: FoundEntry | null | undefined): FoundEntry | undefined {
  if (found && !(found.ageMs - found.ttlMs < Infinity)) throw new TypeError('get: an entry has ttlMs and ageMs');
  return found ?? undefined;
}

/**
 * Answers from what it has fetched before, and runs only calls whose value it does not have or whose value is too old. Policies inside see
 * nothing of a call answered from the cache: a breaker neither counts nor refuses it. Errors are never kept; `undefined` is a value like
 * any other. Values are handed out without copying: do not change them. Stale answers are after RFC 5861.
 *
 * @param options the options, or just `ttlMs`
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const users = cache({ ttlMs: 60_000, staleWhileRevalidateMs: 30_000, staleIfErrorMs: 600_000 });
 * const user = await users.execute(({ signal }) => loadUser(id, { signal }), { key: id });
 */
export function cache<Value>(options: CacheOptions<Value> | number): Cache {
  return tellLife('created', new CacheLayer(readOptions(options)));
}
