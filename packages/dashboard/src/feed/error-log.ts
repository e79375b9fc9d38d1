import type { ErrorSeen } from '../protocol/detail.ts';

const kept = 20;
const perSecond = 5;
/** A longer message is not kept for that. */
const longestSaid = 1_000;

/** The last errors of one breaker. Of a storm only a few are put into words each second: the rest would say the same. */
export class ErrorLog {
  readonly #redact: (message: string) => string;
  #seen: ErrorSeen[] = [];
  #left = perSecond;
  /** What it said last, and what is shown of it: a storm says the same over and over. */
  #said: string | undefined;
  #shown = '';

  constructor(redact: (message: string) => string) {
    this.#redact = redact;
  }

  /** A new second has begun. */
  renew(): void {
    this.#left = perSecond;
  }

  add(error: unknown, clock: { at(): number }): void {
    if (this.#left-- <= 0) return;
    if (this.#seen.length >= kept) this.#seen.shift();
    this.#seen.push({ at: clock.at(), ...this.#described(error) });
  }

  list(): readonly ErrorSeen[] {
    return [...this.#seen];
  }

  /** Whatever was thrown, this doesn't. */
  #described(error: unknown): Omit<ErrorSeen, 'at'> {
    try {
      if (typeof error !== 'object' || error === null) {
        return {
          name: error === undefined ? 'failure without error' : `thrown ${typeof error}`,
          message: this.#text(error),
        };
      }
      const { code, name, message } = error as { code?: unknown; name?: unknown; message?: unknown };
      const named = [code, name].find((word) => typeof word === 'string' && word !== '') ?? 'unknown error';
      return { name: String(named).slice(0, 60), message: this.#text(message) };
    } catch {
      return { name: 'unknown error', message: '' };
    }
  }

  #text(message: unknown): string {
    if (message === undefined) return '';
    const said = String(message);
    if (said === this.#said) return this.#shown;
    const shown = this.#redact(said);
    this.#said = said.length > longestSaid ? undefined : said;
    this.#shown = shown;
    return shown;
  }
}
