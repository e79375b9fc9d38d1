import { Call, type Hold } from './call.ts';
import { promised, type Work } from './context.ts';
import { nobody, RootScope } from './scope.ts';

/** The place of a call that nothing ends early. What runs under its context is part of it, and may leave work behind that keeps the place. */
class Seat extends RootScope {
  readonly #hold: Hold;
  #call: Call | undefined = undefined;

  constructor(hold: Hold) {
    super();
    this.#hold = hold;
  }

  override leaveBehind(): void {
    (this.#call ??= new Call({ hold: this.#hold }, nobody, undefined, true)).leaveBehind();
  }

  override comeBack(ok: boolean): void {
    this.#call?.comeBack(ok);
  }

  /** Its function has settled. (Static, for the function has the seat as its context.) */
  static leave(seat: Seat): void {
    if (seat.#call === undefined) seat.#hold.release();
    else seat.#call.over();
  }
}

/** Runs the function in a place that was taken for it. `ended` is told how it settled before the place is free. */
export function seated(work: Work, hold: Hold, ended?: (ok: boolean, result: unknown) => void): Promise<unknown> {
  const seat = new Seat(hold);
  return promised(work, seat).then(
    (value) => {
      ended?.(true, value);
      Seat.leave(seat);
      return value;
    },
    (error) => {
      ended?.(false, error);
      Seat.leave(seat);
      throw error;
    },
  );
}
