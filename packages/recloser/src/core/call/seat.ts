import { Call, type Hold } from './call.ts';
import { nobody, RootScope } from './scope.ts';

/** The place of a call that nothing ends early. What runs under its context is part of it, and may leave work behind that keeps the place. */
export class Seat extends RootScope {
  readonly #hold: Hold;
  #call: Call | undefined = undefined;

  constructor(hold: Hold) {
    super();
    this.#hold = hold;
  }

  override leaveBehind(): void {
    this.#call ??= new Call({ hold: this.#hold }, nobody, undefined, true);
    this.#call.leaveBehind();
  }

  override comeBack(ok: boolean): void {
    this.#call?.comeBack(ok);
  }

  /** Its function has settled. */
  leave(): void {
    if (this.#call === undefined) this.#hold.release();
    else this.#call.over();
  }
}
