import type { Scope, Watcher } from '../../core/call/scope.ts';
import { type OwnContext, rememberContext } from '../../core/time/async-context.ts';
import { Deadline } from '../../core/time/timers.ts';

/** A call that waits for its place: a link in the queue, a deadline and the listener on what is around it in one object. */
export class Waiter extends Deadline implements Watcher {
  readonly scope: Scope;
  readonly priority: number;
  ahead: Waiter | undefined = undefined;
  behind: Waiter | undefined = undefined;
  readonly #queue: WaitingLine;
  readonly #proceed: () => void;
  readonly #giveUp: (timedOut: boolean) => void;
  readonly #ownContext: OwnContext | undefined = rememberContext();

  constructor(
    queue: WaitingLine,
    scope: Scope,
    priority: number,
    proceed: () => void,
    giveUp: (timedOut: boolean) => void,
  ) {
    super();
    this.#queue = queue;
    this.scope = scope;
    this.priority = priority;
    this.#proceed = proceed;
    this.#giveUp = giveUp;
  }

  /** Goes on in its own async context, not in that of the call that left its place. */
  proceed(): void {
    this.#leave();
    this.#inContext(this.#proceed);
  }

  due(): void {
    this.#leave();
    this.#inContext(() => this.#giveUp(true));
  }

  handleEvent(): void {
    this.#leave();
    this.#giveUp(false);
  }

  #leave(): void {
    this.#queue.remove(this);
    this.queue?.remove(this);
    this.scope.unwatch(this);
  }

  #inContext(run: () => void): void {
    if (this.#ownContext === undefined) run();
    else this.#ownContext.runInAsyncScope(run);
  }
}

/** Those who wait, the most urgent first and equals in the order they came. Leaving costs the same from any place. */
export class WaitingLine {
  length = 0;
  #first: Waiter | undefined = undefined;
  #last: Waiter | undefined = undefined;

  get first(): Waiter | undefined {
    return this.#first;
  }

  add(waiter: Waiter): void {
    let ahead = this.#last;
    while (ahead !== undefined && ahead.priority < waiter.priority) ahead = ahead.ahead;
    const behind = ahead === undefined ? this.#first : ahead.behind;
    waiter.ahead = ahead;
    waiter.behind = behind;
    if (ahead === undefined) this.#first = waiter;
    else ahead.behind = waiter;
    if (behind === undefined) this.#last = waiter;
    else behind.ahead = waiter;
    this.length++;
  }

  remove(waiter: Waiter): void {
    const { ahead, behind } = waiter;
    if (ahead === undefined) this.#first = behind;
    else ahead.behind = behind;
    if (behind === undefined) this.#last = ahead;
    else behind.ahead = ahead;
    waiter.ahead = waiter.behind = undefined;
    this.length--;
  }
}
