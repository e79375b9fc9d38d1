import { type Clock, RejectedError } from 'recloser';
import { type Breaker, breakerFor } from '../breakers.ts';
import type { DependencyReport, LiveState, TransitionReport } from '../report.ts';
import type { Answer, Ask } from './ask.ts';
import { type Ending, Tally } from './tally.ts';

class HttpError extends Error {
  /** What a breaker names the error by. */
  readonly code: string;

  constructor(status: number) {
    super(`HTTP ${status}`);
    this.code = `HTTP ${status}`;
  }
}

/** One dependency, called twice side by side: bare, and through its breaker. */
export class Lane {
  readonly #name: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #breaker: Breaker;
  readonly #guarded = new Tally();
  readonly #bare = new Tally();
  readonly #transitions: TransitionReport[] = [];

  constructor(name: string, clock: Clock) {
    this.#name = name;
    this.#path = `/${encodeURIComponent(name)}`;
    this.#clock = clock;
    this.#breaker = breakerFor(name, clock);
    for (const event of ['opened', 'half-opened', 'closed'] as const) {
      this.#breaker.on(event, ({ from, to, why }) => {
        this.#transitions.push({ atMs: Math.round(clock.now()), from, to, why });
      });
    }
    // What people do from the page.
    for (const event of ['forced', 'released'] as const) {
      this.#breaker.on(event, ({ action, previous: from, state: to, by, reason }) => {
        const why = `${action}${by ? ` by ${by}` : ''}${reason ? ` (${reason})` : ''}`;
        this.#transitions.push({ atMs: Math.round(clock.now()), from, to, why });
      });
    }
  }

  get breaker(): Breaker {
    return this.#breaker;
  }

  async callBare(ask: Ask, headers: Record<string, string | number>): Promise<Answer | undefined> {
    const startedMs = this.#clock.now();
    this.#bare.begin(startedMs);
    const answer = await ask(this.#path, headers).catch(() => undefined);
    this.#bare.end(answer !== undefined && answer.status < 500 ? 'ok' : 'failures', startedMs, this.#clock.now());
    return answer;
  }

  async callGuarded(ask: Ask, headers: Record<string, string | number>): Promise<void> {
    const startedMs = this.#clock.now();
    this.#guarded.begin(startedMs);
    let ending: Ending = 'ok';
    try {
      await this.#breaker.execute(async ({ signal }) => {
        const { status } = await ask(this.#path, headers, signal);
        if (status >= 500) throw new HttpError(status);
      });
    } catch (error) {
      ending = error instanceof RejectedError ? 'refused' : 'failures';
    }
    this.#guarded.end(ending, startedMs, this.#clock.now());
  }

  get waiting(): number {
    return this.#guarded.waiting + this.#bare.waiting;
  }

  /** At the end, calls without an answer are failures. */
  report(nowMs: number, atTheEnd: boolean): DependencyReport {
    const [guarded, bare] = [this.#guarded, this.#bare];
    return {
      name: this.#name,
      calls: guarded.calls,
      ok: guarded.ok,
      failures: guarded.failures + (atTheEnd ? guarded.waiting : 0),
      refused: guarded.refused,
      opened: this.#transitions.filter(({ to }) => to === 'open').length,
      timeSpentMs: guarded.spentMs(nowMs),
      bareTimeSpentMs: bare.spentMs(nowMs),
      bareFailures: bare.failures + (atTheEnd ? bare.waiting : 0),
      transitions: [...this.#transitions],
    };
  }

  live(): LiveState {
    return { state: this.#breaker.state, waiting: this.#guarded.waiting, bareWaiting: this.#bare.waiting };
  }
}
