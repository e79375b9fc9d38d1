/** How a call ended for its caller. */
export type Ending = 'ok' | 'failures' | 'refused';

/** Counts one caller's calls to one dependency and the time it spent on them: O(1) a call, whatever is in flight. */
export class Tally {
  calls = 0;
  ok = 0;
  failures = 0;
  refused = 0;
  /** Calls without an answer yet. */
  waiting = 0;
  #endedMs = 0;
  #startsMs = 0;

  begin(nowMs: number): void {
    this.calls++;
    this.waiting++;
    this.#startsMs += nowMs;
  }

  end(ending: Ending, startedMs: number, nowMs: number): void {
    this[ending]++;
    this.waiting--;
    this.#startsMs -= startedMs;
    this.#endedMs += nowMs - startedMs;
  }

  /** The time of all calls; those without an answer count their time so far. */
  spentMs(nowMs: number): number {
    const soFarMs = this.waiting === 0 ? 0 : this.waiting * nowMs - this.#startsMs;
    return Math.round((this.#endedMs + soFarMs) * 10) / 10;
  }
}
