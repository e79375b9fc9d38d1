import { causedBy } from '../../core/fallback.ts';
import { Call, type CallHost, type CallWatcher } from './call.ts';
import type { Circuit, Ticket } from './circuit.ts';
import { type BreakerError, breakerError } from './errors.ts';
import type { Count, Tell } from './events.ts';
import type { ResolvedOptions } from './options.ts';
import type { Semaphore } from './semaphore.ts';
import type { Status } from './status/status.ts';

export type Fallback = (...args: unknown[]) => unknown;

/** The parts of a breaker that its calls need. */
export interface Parts {
  readonly options: ResolvedOptions;
  readonly status: Status;
  readonly semaphore: Semaphore;
  readonly circuit: Circuit;
  readonly count: Count;
  readonly tell: Tell;
  /** What went wrong in the user's own code, and must not go wrong for the call. */
  readonly report: (fault: unknown, where: string) => void;
  readonly isWarmingUp: () => boolean;
}

/** Lets calls through or rejects them, counts them, and answers for those that fail. */
export class Guard implements CallHost {
  readonly parts: Parts;
  fallback: Fallback | undefined = undefined;

  constructor(parts: Parts) {
    this.parts = parts;
  }

  fire(work: () => unknown, args: unknown[], watcher: CallWatcher | undefined): Promise<unknown> {
    const { circuit, count, semaphore, tell } = this.parts;
    const ticket = circuit.admit();
    if (ticket === undefined) {
      const error = breakerError('Breaker is open', 'EOPENBREAKER');
      count('rejects');
      tell('reject', error);
      return this.#instead(error, args) ?? Promise.reject(error);
    }
    if (!semaphore.test()) {
      circuit.ignored(ticket);
      const error = breakerError('Semaphore locked', 'ESEMLOCKED');
      count('semaphoreRejections');
      tell('semaphoreLocked', error, 0);
      return this.#instead(error, args) ?? Promise.reject(error);
    }
    const call = new Call(this, ticket, args, watcher).run(work);
    watcher?.started(call);
    return call;
  }

  release(): void {
    this.parts.semaphore.release();
  }

  succeeded(ticket: Ticket, result: unknown, latencyMs: number): void {
    const { circuit, count, tell } = this.parts;
    count('successes', latencyMs);
    circuit.succeeded(ticket);
    tell('success', result, latencyMs);
  }

  timedOut(error: BreakerError<'ETIMEDOUT'>, args: unknown[], latencyMs: number): void {
    this.parts.count('timeouts');
    this.parts.tell('timeout', error, latencyMs, args);
  }

  failed(ticket: Ticket, error: unknown, args: unknown[], latencyMs: number): Promise<unknown> | undefined {
    if (this.#isFiltered(error, args)) {
      this.succeeded(ticket, error, latencyMs);
      return undefined;
    }
    const { circuit, count, tell } = this.parts;
    count('failures', latencyMs);
    tell('failure', error as Error, latencyMs, args);
    circuit.failed(ticket, () => this.#trips());
    return this.#instead(error, args);
  }

  #isFiltered(error: unknown, args: unknown[]): boolean {
    const tell = (fault: unknown): void => this.parts.report(fault, 'errorFilter');
    try {
      const answer: unknown = this.parts.options.errorFilter(error, ...args);
      // To opossum one that is async by mistake says yes.
      if (answer) Promise.resolve(answer).catch(tell);
      return !!answer;
    } catch (fault) {
      tell(fault);
      return false;
    }
  }

  /**
   * opossum divides by `fires`, which in its examples are the calls of the action. Those that were rejected or answered by a cache
   * say nothing about it, and one that was fired before the window began is still one call.
   */
  #trips(): boolean {
    const { options, status, isWarmingUp } = this.parts;
    if (isWarmingUp() || status.sum('fires') < options.volumeThreshold) return false;
    const failures = status.sum('failures');
    const calls = Math.max(status.calls, failures + status.sum('successes'));
    return (failures / calls) * 100 > options.errorThresholdPercentage;
  }

  #instead(error: unknown, args: unknown[]): Promise<unknown> | undefined {
    const { fallback } = this;
    if (!fallback) return undefined;
    try {
      const answer = fallback.call(fallback, ...args, error);
      this.parts.count('fallbacks');
      this.parts.tell('fallback', answer, error as Error);
      return Promise.resolve(answer);
    } catch (fault) {
      return Promise.reject(causedBy(fault, error));
    }
  }
}
