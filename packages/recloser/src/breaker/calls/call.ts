import { type CallContext, type CallOptions, promised, ShownContext } from '../../core/call.ts';
import { TimeoutError, withoutStack } from '../../core/errors.ts';
import type { Fallback } from '../../core/fallback.ts';
import type { Verdict } from '../../core/outcome.ts';
import { type OwnContext, rememberContext } from '../../core/time/async-context.ts';
import { Deadline } from '../../core/time/timers.ts';
import { fallbackOf, type Settings } from '../options.ts';
import type { Traffic } from '../traffic.ts';
import { type CallEnd, type Ticket, uncounted } from './ticket.ts';

type Settle = (value: unknown) => void;
let resolveNext: Settle;
let rejectNext: Settle;
/** One executor for all promises: its two functions are taken up at once. */
const capture = (resolve: Settle, reject: Settle): void => {
  resolveNext = resolve;
  rejectNext = reject;
};

/**
 * One call that something may end early, its timeout or its caller, or that a fallback may answer. It is the deadline in the
 * queue and the listener on the caller's signal in one object.
 */
export class Call extends Deadline implements CallContext {
  readonly #traffic: Traffic;
  /** Those in force when the call began. */
  readonly #settings: Settings;
  readonly #options: CallOptions<Fallback> | undefined;
  readonly #ticket: Ticket;
  readonly #startedAt: number;
  #resolve: Settle | undefined = undefined;
  #reject: Settle | undefined = undefined;
  #holdsPlace: boolean;
  /** `told-late`: timed out after the state it belonged to, and told so: its result is not told again. */
  #end: 'none' | CallEnd | 'told-late' = 'none';
  #abortReason: unknown = undefined;
  #controller: AbortController | undefined = undefined;
  #ownContext: OwnContext | undefined = undefined;

  constructor(traffic: Traffic, ticket: Ticket, holdsPlace: boolean, options: CallOptions<Fallback> | undefined) {
    super();
    this.#traffic = traffic;
    this.#settings = traffic.settings;
    this.#options = options;
    this.#ticket = ticket;
    this.#holdsPlace = holdsPlace;
    this.#startedAt = traffic.stamp();
  }

  get key(): string | undefined {
    return this.#options?.key;
  }

  get context(): unknown {
    return this.#options?.context;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#end === 'none') this.#ownContext ??= rememberContext();
      else if (this.#end !== 'settled') this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  run(fn: (context: CallContext) => unknown): Promise<unknown> {
    const promise = new Promise(capture);
    this.#resolve = resolveNext;
    this.#reject = rejectNext;
    // Whoever else's code may run when the call ends early is to run in the call's own async context.
    if (this.#fallback !== undefined || this.#settings.classify || this.#traffic.attended) {
      this.#ownContext = rememberContext();
    }
    this.#traffic.timeouts()?.add(this);
    this.#options?.signal?.addEventListener('abort', this);
    promised(fn, new ShownContext(this)).then(
      (value) => this.#fulfilled(value),
      (error) => this.#rejected(error),
    );
    return promise;
  }

  #fulfilled(value: unknown): void {
    if (this.#end !== 'none') {
      this.#late(true);
      return;
    }
    this.#settle('settled');
    const traffic = this.#traffic;
    const verdict = traffic.conclude(this.#ticket, this, true, value, this.#startedAt, 'settled');
    if (verdict === 'success') traffic.remember(this.#fallback, this.key, value);
    this.#resolve?.(value);
  }

  #rejected(error: unknown): void {
    if (this.#end !== 'none') {
      this.#late(false);
      return;
    }
    this.#settle('settled');
    this.#respond(error, this.#traffic.conclude(this.#ticket, this, false, error, this.#startedAt, 'settled'));
  }

  get #fallback(): unknown {
    return fallbackOf(this.#options, this.#settings);
  }

  /** The work ended, or its call did and the work goes on: then it keeps its place, for a while. */
  #settle(end: CallEnd): void {
    this.#end = end;
    this.queue?.remove(this);
    this.#options?.signal?.removeEventListener('abort', this);
    if (!this.#holdsPlace) return;
    if (end === 'settled' || this.#settings.releaseOnTimeout) this.#leavePlace();
    else this.#traffic.abandonments(this.#settings)?.add(this);
  }

  #leavePlace(): void {
    if (!this.#holdsPlace) return;
    this.#holdsPlace = false;
    this.#traffic.leavePlace();
  }

  /** Called by the queue: the time of the call is up, or that of the work it left behind. */
  due(): void {
    if (this.#end === 'none') {
      const { name: breaker, timeoutMs } = this.#settings;
      const message = `${breaker}: timed out after ${timeoutMs} ms`;
      this.#endEarly('timed-out', withoutStack(TimeoutError, message, { breaker, timeoutMs }));
    } else if (this.#holdsPlace) {
      if (this.#ticket !== uncounted) this.#traffic.tally.abandoned++;
      this.#leavePlace();
    }
  }

  /** Called by the caller's signal. */
  handleEvent(): void {
    this.#endEarly('aborted', this.#options?.signal?.reason);
  }

  #endEarly(end: 'timed-out' | 'aborted', error: unknown): void {
    if (this.#ownContext === undefined) this.#conclude(end, error);
    else this.#ownContext.runInAsyncScope(() => this.#conclude(end, error));
  }

  #conclude(end: 'timed-out' | 'aborted', error: unknown): void {
    const late = this.#traffic.isLate(this.#ticket);
    this.#settle(end);
    this.#abortReason = error;
    const verdict = this.#traffic.conclude(this.#ticket, this, false, error, this.#startedAt, end);
    if (late) this.#end = 'told-late';
    this.#controller?.abort(error);
    this.#respond(error, verdict);
  }

  /** The error goes to the caller, or to the fallback first. */
  #respond(error: unknown, verdict: Verdict): void {
    const answer = this.#traffic.answer(
      this.#fallback,
      error,
      verdict,
      this.#ticket !== uncounted,
      this.#options?.signal,
      this,
    );
    if (answer === undefined) this.#reject?.(error);
    else this.#resolve?.(answer);
  }

  #late(ok: boolean): void {
    this.queue?.remove(this);
    this.#leavePlace();
    if (this.#end === 'timed-out' && this.#ticket !== uncounted) this.#traffic.late('timed-out', ok);
  }
}
