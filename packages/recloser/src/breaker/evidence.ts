import type { Measurement } from './trip-rules/rule.ts';

/** What is known of the calls that counted against the circuit. */
export interface Facts {
  /** Error classes (the error's `code`, else its name) of the failures counted, most frequent first, at most five. */
  readonly topErrors: readonly { readonly name: string; readonly count: number }[];
  readonly lastError?: { readonly name: string; readonly message: string };
  /** The slowest of them, where durations are taken. */
  readonly slowestMs?: number;
}

/** Why a transition happened: measured at that moment, frozen, plain JSON. */
export interface Evidence extends Omit<Measurement, 'rule'>, Facts {
  /** The trip rule, or `probe`, `probeSample`, `probeTimeout` (half-open decided), `sleepWindow` (time to probe), `reset`. */
  readonly rule: string;
  /** The generation that the transition began. */
  readonly generation: number;
  /** How long the circuit had not been closed. */
  readonly openForMs: number;
}

export const noFacts: Facts = Object.freeze({ topErrors: Object.freeze([]) });

const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
};

export function evidence(measured: Measurement, facts: Facts, generation: number, openForMs: number): Evidence {
  return deepFreeze({ ...measured, ...facts, generation, openForMs });
}

const longestText = 200;
const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);

/** The class of an error for people: its `code` if it has one, else its name. Never throws, whatever was thrown. */
function errorClass(error: unknown): string {
  try {
    if (error === undefined) return 'failure without error';
    if (typeof error !== 'object' || error === null) return `thrown ${error === null ? 'null' : typeof error}`;
    const { code, name } = error as { code?: unknown; name?: unknown };
    if (name === 'TimeoutError') return name;
    if (typeof code === 'string' && code !== '') return cut(code, 60);
    if (typeof name === 'string' && name !== '') return cut(name, 60);
  } catch {
    // A getter threw.
  }
  return 'unknown error';
}

function messageOf(error: unknown): string {
  try {
    const message = typeof error === 'object' && error !== null ? (error as { message?: unknown }).message : error;
    return cut(typeof message === 'string' ? message : String(message), longestText);
  } catch {
    return '';
  }
}

const capacity = 32;

/** `name`: the class of its error, if it failed. */
interface Trouble {
  readonly name: string | undefined;
  readonly slow: boolean;
  readonly elapsedMs: number;
}

/**
 * The last calls that counted against the circuit, failed or slow, in a ring of 32. A rule that opens has counted the newest
 * of them, so the figures in the evidence are those of the decision, not of what came in later. (brakes#10)
 */
export class TroubleLog {
  readonly #ring: Trouble[] = [];
  #next = 0;
  #lastError: { name: string; message: string } | undefined;

  add(failed: boolean, slow: boolean, error: unknown, elapsedMs: number): void {
    const name = failed ? errorClass(error) : undefined;
    if (name !== undefined) this.#lastError = { name, message: messageOf(error) };
    this.#ring[this.#next] = { name, slow, elapsedMs };
    this.#next = (this.#next + 1) % capacity;
  }

  /** The facts of the newest `failures` failures and `slow` slow calls; a call may be both. */
  facts(failures: number, slow: number): Facts {
    const counts = new Map<string, number>();
    let slowestMs = 0;
    let [failuresLeft, slowLeft] = [failures, slow];
    for (let i = 1; i <= this.#ring.length; i++) {
      const { name, slow, elapsedMs } = this.#ring[(this.#next - i + capacity) % capacity] as Trouble;
      const asFailure = name !== undefined && failuresLeft-- > 0;
      const asSlow = slow && slowLeft-- > 0;
      if (asFailure || asSlow) slowestMs = Math.max(slowestMs, elapsedMs);
      if (asFailure) counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
    return {
      topErrors: ranked.map(([name, count]) => ({ name, count })),
      ...(this.#lastError !== undefined && failures > 0 ? { lastError: this.#lastError } : {}),
      ...(slowestMs > 0 ? { slowestMs } : {}),
    };
  }

  clear(): void {
    this.#ring.length = this.#next = 0;
    this.#lastError = undefined;
  }
}
