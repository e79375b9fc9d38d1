import { wallTime } from '../../../core/time/clock.ts';
import type { CallWatcher } from '../call.ts';
import type { Count, Tell } from '../events.ts';
import type { CacheTransport, ResolvedOptions } from '../options.ts';
import { MemoryCache } from './memory-cache.ts';

type Run = (watcher: CallWatcher) => Promise<unknown>;

/** The promises that breakers have put into caches: an entry, not the answer of a transport that takes its time. */
const entries = new WeakSet<object>();

/** Answers calls from the cache, or from a call of the same key that runs already. */
export class Caching {
  readonly #options: ResolvedOptions;
  readonly #count: Count;
  readonly #tell: Tell;
  readonly #report: (fault: unknown, where: string) => void;

  constructor(options: ResolvedOptions, count: Count, tell: Tell, report: (fault: unknown, where: string) => void) {
    this.#options = options;
    this.#count = count;
    this.#tell = tell;
    this.#report = report;
  }

  answer(key: string, run: Run): Promise<unknown> {
    if (!this.#options.cache) return this.#coalesce(key, run);
    const cached = this.#ask((transport) => transport.get(key));
    const isPending = typeof (cached as PromiseLike<unknown> | undefined)?.then === 'function';
    if (!isPending || entries.has(cached as object)) return this.#found(cached, key, run);
    return Promise.resolve(cached).then(
      (value) => this.#found(value, key, run),
      (fault) => {
        this.#report(fault, 'cacheTransport');
        return this.#found(undefined, key, run);
      },
    );
  }

  #ask(question: (transport: CacheTransport) => unknown): unknown {
    try {
      return question(this.#options.cacheTransport as CacheTransport);
    } catch (fault) {
      this.#report(fault, 'cacheTransport');
      return undefined;
    }
  }

  #found(cached: unknown, key: string, run: Run): Promise<unknown> {
    if (!cached) {
      this.#count('cacheMisses');
      this.#tell('cacheMiss');
      return this.#coalesce(key, run);
    }
    this.#count('cacheHits');
    this.#tell('cacheHit');
    return Promise.resolve(cached);
  }

  #coalesce(key: string, run: Run): Promise<unknown> {
    const { coalesce, coalesceCache } = this.#options;
    const running = coalesce ? coalesceCache?.get(key) : undefined;
    if (running !== undefined) {
      this.#count('coalesceCacheHits');
      this.#tell('coalesceCacheHit');
      return running as Promise<unknown>;
    }
    if (coalesce) {
      this.#count('coalesceCacheMisses');
      this.#tell('coalesceCacheMiss');
    }
    return run(this.#watch(key));
  }

  #watch(key: string): CallWatcher {
    const { cache, cacheTTL, cacheTransport, clock, coalesceCache, coalesceResetOn, coalesceTTL } = this.#options;
    let running: unknown;
    let isOver = false;
    return {
      started: (call) => {
        running = call;
        // One that threw has ended before.
        if (!isOver) coalesceCache?.set(key, call, coalesceTTL && coalesceTTL > 0 ? clock.now() + coalesceTTL : 0);
      },
      ended: (outcome, value) => {
        isOver = coalesceTTL === false || coalesceResetOn.includes(outcome);
        if (isOver && running && coalesceCache?.get(key) === running) coalesceCache.delete(key);
        if (outcome !== 'success' || !cache) return;
        const entry = Promise.resolve(value);
        entries.add(entry);
        const now = cacheTransport instanceof MemoryCache ? cacheTransport.now() : wallTime();
        const stored = this.#ask((transport) => transport.set(key, entry, cacheTTL > 0 ? now + cacheTTL : 0));
        Promise.resolve(stored).catch((fault) => this.#report(fault, 'cacheTransport'));
      },
    };
  }
}
