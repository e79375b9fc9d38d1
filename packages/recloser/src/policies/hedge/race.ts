import type { RetryBudget } from '../../core/budget.ts';
import { Attempt, mayRepeat } from '../../core/call/attempt.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { errorOf, RejectedError } from '../../core/errors.ts';
import { assess, type Verdict } from '../../core/outcome.ts';
import type { Basics } from '../../core/policy-options.ts';
import { inContext, type OwnContext, rememberContext } from '../../core/time/async-context.ts';
import { Deadline, deadlines } from '../../core/time/timers.ts';
import type { HedgeSettings } from './options.ts';

/** The policy that runs races, and is told how they go. */
export interface Organizer {
  readonly basics: Basics;
  readonly settings: HedgeSettings;
  readonly budget: RetryBudget | undefined;
  /** Whether anything needs to know how long attempts take. */
  readonly timed: boolean;
  hedged(scope: Scope, attempt: number, delayMs: number): void;
  exhausted(scope: Scope, attempts: number): void;
  /** `winner`: the attempt whose end is the call's; `firstMs`: how long the first one took, or had taken until then. */
  finished(scope: Scope, verdict: Verdict, winner: number, attempts: number, firstMs: number | undefined): void;
}

/** The reason that the signal of a losing attempt is aborted with. */
class Lost extends Error {
  declare readonly code: string;

  constructor(message: string) {
    super(message);
    this.name = 'AbortError';
    this.code = 'ERR_HEDGE_LOST';
  }
}

/** What an attempt came to. */
interface End {
  readonly number: number;
  readonly ok: boolean;
  readonly result: unknown;
  readonly verdict: Verdict;
}

/** One call: its attempts, and the deadline of the next one. The first success ends it. */
export class Race extends Deadline {
  readonly #organizer: Organizer;
  readonly #work: Work;
  readonly #scope: Scope;
  readonly #next: Stage | undefined;
  /** The budget that has counted this call, unless that was done further out. */
  readonly #counting: RetryBudget | undefined;
  readonly #delayMs: number | undefined;
  readonly #ownContext: OwnContext | undefined = rememberContext();
  readonly #attempts: Attempt[] = [];
  #resolve!: (value: unknown) => void;
  #reject!: (error: unknown) => void;
  #underWay = 0;
  #over = false;
  #startedAt = 0;
  /** What the first attempt came to, when it failed. */
  #first: End | undefined = undefined;

  constructor(
    organizer: Organizer,
    work: Work,
    scope: Scope,
    next: Stage | undefined,
    counting: RetryBudget | undefined,
    delayMs: number | undefined,
  ) {
    super();
    this.#organizer = organizer;
    this.#work = work;
    this.#scope = scope;
    this.#next = next;
    this.#counting = counting;
    this.#delayMs = delayMs;
  }

  run(): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#launch();
    });
  }

  #launch(): void {
    const { settings, budget, basics, timed } = this.#organizer;
    const number = this.#attempts.length + 1;
    const scope = this.#scope;
    const attempt = new Attempt(scope, number === 1 ? scope.attempt : number, budget);
    const startedAt = timed ? basics.clock.now() : 0;
    if (number === 1) this.#startedAt = startedAt;
    this.#attempts.push(attempt);
    this.#underWay++;
    attempt.run(this.#work, this.#next).then(
      (value) => this.#ended(number, startedAt, true, value),
      (error) => this.#ended(number, startedAt, false, error),
    );
    if (this.#delayMs !== undefined && number <= settings.maxHedges) deadlines(basics.clock, this.#delayMs).add(this);
  }

  /** The attempts under way have had their time. */
  due(): void {
    inContext(this.#ownContext, () => this.#hedge());
  }

  #hedge(): void {
    const { settings, budget, basics } = this.#organizer;
    const scope = this.#scope;
    if (!mayRepeat(settings.idempotent, scope, basics)) return;
    const made = this.#attempts.length;
    if (budget?.take() === false) {
      this.#organizer.exhausted(scope, made);
      return;
    }
    this.#organizer.hedged(scope, made + 1, this.#delayMs as number);
    if (!scope.aborted) this.#launch();
  }

  #ended(number: number, startedAt: number, ok: boolean, received: unknown): void {
    if (this.#over) return;
    const { settings, basics, timed } = this.#organizer;
    const scope = this.#scope;
    const aborted = !ok && scope.aborted;
    const result = aborted ? scope.reason : received;
    const elapsedMs = timed ? basics.clock.now() - startedAt : 0;
    const { verdict } = assess(settings.classify, scope, ok, result, elapsedMs, basics);
    const refused = !ok && result instanceof RejectedError;
    const end = { number, ok, result, verdict };
    this.#underWay--;
    if (aborted || (verdict !== 'failure' && !refused)) {
      this.#finish(end);
      return;
    }
    if (number === 1) this.#first = end;
    // Where there was no room for this attempt there is none for another.
    if (refused) this.queue?.remove(this);
    if (this.#underWay === 0) this.#finish(this.#first as End);
  }

  #finish({ number, ok, result, verdict }: End): void {
    this.#over = true;
    this.queue?.remove(this);
    const { basics, timed } = this.#organizer;
    const { clock, name } = basics;
    const attempts = this.#attempts.length;
    if (this.#underWay > 0 && !this.#scope.aborted) {
      const lost = errorOf(Lost, `attempt ${number} answered first`, { breaker: name });
      for (const attempt of this.#attempts) attempt.abort(lost);
    }
    this.#counting?.ended(verdict);
    const firstMs = timed && this.#first === undefined ? clock.now() - this.#startedAt : undefined;
    this.#organizer.finished(this.#scope, verdict, number, attempts, firstMs);
    if (ok) this.#resolve(result);
    else this.#reject(result);
  }
}
