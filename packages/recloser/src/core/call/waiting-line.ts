import { entered, inContext, type OwnContext, rememberContext } from '../time/async-context.ts';
import { Deadline } from '../time/timers.ts';
import type { Scope, Watcher } from './scope.ts';

/** A call that waits for its turn: a link in the line, a deadline and the listener on what is around it in one object. */
export class Waiter extends Deadline implements Watcher {
  readonly scope: Scope;
  readonly priority: number;
  ahead: Waiter | undefined = undefined;
  behind: Waiter | undefined = undefined;
  readonly #line: WaitingLine;
  readonly #proceed: () => void;
  readonly #giveUp: (timedOut: boolean) => void;
  readonly #ownContext: OwnContext | undefined = rememberContext();

  constructor(
    line: WaitingLine,
    scope: Scope,
    priority: number,
    proceed: () => void,
    giveUp: (timedOut: boolean) => void,
  ) {
    super();
    this.#line = line;
    this.scope = scope;
    this.priority = priority;
    this.#proceed = proceed;
    this.#giveUp = giveUp;
  }

  /** Goes on in its own async context, not in that of the call that left its place. False if there is no way into that: it gave up. */
  proceed(): boolean {
    this.#leave();
    const proceeds = entered(this.#ownContext, this.#proceed);
    if (!proceeds) this.#giveUp(true);
    return proceeds;
  }

  due(): void {
    this.#leave();
    inContext(this.#ownContext, () => this.#giveUp(true));
  }

  handleEvent(): void {
    this.#leave();
    this.#giveUp(false);
  }

  #leave(): void {
    this.#line.remove(this);
    this.queue?.remove(this);
    this.scope.unwatch(this);
  }
}

/** Those who wait, the most urgent first and equals in the order they came. Leaving costs the same from any place. */
export class WaitingLine<W extends Waiter = Waiter> {
  length = 0;
  #first: Waiter | undefined = undefined;
  #last: Waiter | undefined = undefined;

  get first(): W | undefined {
    return this.#first as W | undefined;
  }

  add(waiter: W): void {
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
