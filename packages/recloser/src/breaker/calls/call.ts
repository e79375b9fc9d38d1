import { type CallContext, type CallOptions, type OwnContext, rememberContext } from '../../core/call.ts';
import { TimeoutError, withoutStack } from '../../core/errors.ts';
import type { Fallback } from '../../core/fallback.ts';
import type { Verdict } from '../../core/outcome.ts';
import { Deadline } from '../../core/timers.ts';
import type { Traffic } from '../traffic.ts';
import type { CallEnd, Ticket } from './ticket.ts';

type Settle = (value: unknown) => void;
let resolveNext: Settle;
let rejectNext: Settle;
/** One executor for all promises: its two functions are taken up at once. */
const capture = (resolve: Settle, reject: Settle): void => {
  resolveNext = resolve;
  rejectNext = reject;
};

/**
 * One call that something may end early, its timeout or its caller, or that a fallback may answer. It is the context that the
 * function sees, the deadline in the queue and the listener on the caller's signal, so that a call costs one object.
 */
export class Call extends Deadline implements CallContext {
  readonly key: string | undefined;
  readonly context: unknown;
  readonly promise: Promise<unknown>;
  readonly #resolve: Settle;
  readonly #reject: Settle;
  readonly #traffic: Traffic;
  readonly #ticket: Ticket;
  readonly #startedAt: number;
  readonly #fallback: Fallback | undefined;
  readonly #outer: AbortSignal | undefined;
  #holdsPlace: boolean;
  #end: 'none' | CallEnd = 'none';
  #controller: AbortController | undefined = undefined;
  #ownContext: OwnContext | undefined = undefined;
  #abortReason: unknown = undefined;

  constructor(traffic: Traffic, ticket: Ticket, holdsPlace: boolean, options: CallOptions<Fallback> | undefined) {
    super();
    this.key = options?.key;
    this.context = options?.context;
    this.promise = new Promise(capture);
    this.#resolve = resolveNext;
    this.#reject = rejectNext;
    this.#traffic = traffic;
    this.#ticket = ticket;
    this.#startedAt = traffic.stamp();
    this.#fallback = options?.fallback;
    this.#outer = options?.signal;
    this.#holdsPlace = holdsPlace;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#end === 'none') this.#ownContext = rememberContext();
      else if (this.#end !== 'settled') this.#controller.abort(this.#abortReason);
    }
    return this.#controller.signal;
  }

  run(fn: (context: CallContext) => unknown): Promise<unknown> {
    this.#traffic.timeouts()?.add(this);
    this.#outer?.addEventListener('abort', this);
    let work: unknown;
    try {
      work = fn(this);
    } catch (error) {
      work = Promise.reject(error);
    }
    Promise.resolve(work).then(
      (value) => this.#fulfilled(value),
      (error) => this.#rejected(error),
    );
    return this.promise;
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
    this.#stopListening();
    this.#resolve(value);
  }

  #rejected(error: unknown): void {
    if (this.#end !== 'none') {
      this.#late(false);
      return;
    }
    this.#settle('settled');
    this.#respond(error, this.#traffic.conclude(this.#ticket, this, false, error, this.#startedAt, 'settled'));
  }

  /** The work ended, or its call did and the work goes on: then it keeps its place, for a while. */
  #settle(end: CallEnd): void {
    this.#end = end;
    if (this.queue !== undefined) this.queue.remove(this);
    if (!this.#holdsPlace) return;
    if (end === 'settled' || this.#traffic.settings.releaseOnTimeout) this.#leavePlace();
    else this.#traffic.abandonments()?.add(this);
  }

  #leavePlace(): void {
    if (!this.#holdsPlace) return;
    this.#holdsPlace = false;
    this.#traffic.leavePlace();
  }

  /** Called by the queue: the time of the call is up, or that of the work it left behind. */
  due(): void {
    if (this.#end === 'none') {
      const { name, timeoutMs } = this.#traffic.settings;
      const details = { breaker: name, timeoutMs };
      this.#endEarly('timed-out', withoutStack(TimeoutError, `${name}: timed out after ${timeoutMs} ms`, details));
    } else if (this.#holdsPlace) {
      this.#traffic.tally.abandoned++;
      this.#leavePlace();
    }
  }

  /** Called by the caller's signal. */
  handleEvent(): void {
    const reason: unknown = this.#outer?.reason;
    if (this.#end === 'none') this.#endEarly('aborted', reason);
    else {
      // A fallback is at work: it has lost.
      this.#stopListening();
      this.#reject(reason);
    }
  }

  #endEarly(end: 'timed-out' | 'aborted', error: unknown): void {
    this.#settle(end);
    this.#abortReason = error;
    const verdict = this.#traffic.conclude(this.#ticket, this, false, error, this.#startedAt, end);
    const controller = this.#controller;
    if (this.#ownContext !== undefined) this.#ownContext.runInAsyncScope(() => controller?.abort(error));
    else controller?.abort(error);
    this.#respond(error, verdict);
  }

  /** The error goes to the caller, or to the fallback first. */
  #respond(error: unknown, verdict: Verdict): void {
    const answer = this.#traffic.answer(error, verdict, this.#fallback, this.#outer, this);
    if (answer === undefined) {
      this.#stopListening();
      this.#reject(error);
    } else {
      answer.then(this.#resolve, this.#reject).then(() => this.#stopListening());
    }
  }

  #late(ok: boolean): void {
    if (this.queue !== undefined) this.queue.remove(this);
    this.#leavePlace();
    if (this.#end === 'timed-out') this.#traffic.late(this.#ticket, 'timed-out', ok);
  }

  #stopListening(): void {
    this.#outer?.removeEventListener('abort', this);
  }
}
