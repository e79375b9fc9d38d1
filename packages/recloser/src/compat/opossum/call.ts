import { causedBy } from '../../core/fallback.ts';
import type { Ticket } from './circuit.ts';
import { type BreakerError, breakerError } from './errors.ts';
import type { CoalesceReset, ResolvedOptions } from './options.ts';
import { ownTimer, timerMs } from './own-timer.ts';

/** What caches want to know of a call. */
export interface CallWatcher {
  started(call: Promise<unknown>): void;
  ended(outcome: CoalesceReset, value: unknown): void;
}

/** Where a call is counted and answered for. */
export interface CallHost {
  readonly parts: {
    readonly options: ResolvedOptions;
    readonly report: (fault: unknown, where: string) => void;
  };
  /** Frees its place in the capacity. */
  release(): void;
  succeeded(ticket: Ticket, result: unknown, latencyMs: number): void;
  timedOut(error: BreakerError<'ETIMEDOUT'>, args: unknown[], latencyMs: number): void;
  /** @returns what the caller gets in place of the error, if anything */
  failed(ticket: Ticket, error: unknown, args: unknown[], latencyMs: number): Promise<unknown> | undefined;
}

/** One call of the action. */
export class Call {
  readonly #host: CallHost;
  readonly #ticket: Ticket;
  readonly #args: unknown[];
  readonly #watcher: CallWatcher | undefined;
  readonly #startedAt: number;
  #callOffTimeout: (() => void) | undefined = undefined;
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #ended = false;

  constructor(host: CallHost, ticket: Ticket, args: unknown[], watcher: CallWatcher | undefined) {
    this.#host = host;
    this.#ticket = ticket;
    this.#args = args;
    this.#watcher = watcher;
    this.#startedAt = host.parts.options.clock.now();
  }

  run(work: () => unknown): Promise<unknown> {
    const { clock, timeout } = this.#host.parts.options;
    if (timeout) this.#callOffTimeout = ownTimer(clock, timerMs(timeout), () => this.#timeOut());
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      try {
        // A rejection is heard one microtask later than a result, as in opossum: the order of events among calls hangs on it.
        Promise.resolve(work())
          .then((value) => this.#fulfilled(value))
          .catch((error) => this.#rejected(error));
      } catch (error) {
        this.#rejected(error); // At once: the next call may find the circuit open.
      }
    });
  }

  /** Whole milliseconds since it began. */
  #end(): number {
    this.#ended = true;
    this.#callOffTimeout?.();
    return Math.round(this.#host.parts.options.clock.now() - this.#startedAt);
  }

  #fulfilled(value: unknown): void {
    if (this.#ended) return;
    this.#host.succeeded(this.#ticket, value, this.#end());
    this.#host.release();
    this.#watcher?.ended('success', value);
    this.#resolve(value);
  }

  #rejected(error: unknown): void {
    if (this.#ended) return;
    const latencyMs = this.#end();
    this.#host.release();
    this.#failed(error, latencyMs, 'error');
  }

  #failed(error: unknown, latencyMs: number, outcome: 'error' | 'timeout'): void {
    const answer = this.#host.failed(this.#ticket, error, this.#args, latencyMs);
    this.#watcher?.ended(outcome, undefined);
    if (answer === undefined) {
      this.#reject(error);
      return;
    }
    this.#resolve(answer);
    answer.catch((fault) => causedBy(fault, error));
  }

  #timeOut(): void {
    const { options, report } = this.#host.parts;
    const latencyMs = this.#end();
    this.#host.release();
    const error = breakerError(`Timed out after ${options.timeout}ms`, 'ETIMEDOUT');
    this.#host.timedOut(error, this.#args, latencyMs);
    this.#failed(error, latencyMs, 'timeout');
    try {
      options.abortController?.abort();
    } catch (fault) {
      report(fault, 'abort');
    }
  }
}
