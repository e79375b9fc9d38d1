import { errorOf, TimeoutError } from '../errors.ts';
import type { Clock } from '../time/clock.ts';
import { type Deadline, type Deadlines, deadlines } from '../time/timers.ts';
import type { CallContext } from './context.ts';

/** How long calls may take. (Private by type, not by `#`, as `Call` is and for its reason.) */
export class TimeLimit {
  readonly timeoutMs: number;
  /** How many calls it was given to. (Counted for whoever asks: by an override it was a step more than V8 compiles into one piece.) */
  begun = 0;
  private readonly policy: string;
  private readonly clock: Clock;
  private deadlines: Deadlines | undefined = undefined;

  constructor(policy: string, timeoutMs: number, clock: Clock) {
    this.policy = policy;
    this.timeoutMs = timeoutMs;
    this.clock = clock;
  }

  begin(call: Deadline): void {
    this.begun++;
    if (!this.deadlines?.current) this.deadlines = deadlines(this.clock, this.timeoutMs);
    this.deadlines.add(call);
  }

  leftMs(dueAt: number | undefined): number {
    return dueAt === undefined ? this.timeoutMs : Math.max(0, dueAt - this.clock.now());
  }

  /** Whether anybody else's code may run when a call's time is up. */
  get attended(): boolean {
    return false;
  }

  /** What a call ends with whose time is up. */
  expired(): TimeoutError {
    const { timeoutMs } = this;
    return errorOf(TimeoutError, `timed out after ${timeoutMs} ms`, { breaker: this.policy, timeoutMs });
  }

  /** A call has ended because its time was up. */
  timedOut?(call: CallContext): void;

  /** The work of a call whose time was up settled after all. */
  late?(ok: boolean): void;
}
