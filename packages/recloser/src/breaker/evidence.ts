import type { Measurement } from './trip-rules/rule.ts';

/** What is known of the calls that counted against the circuit. */
export interface Facts {
  /**
   * Error classes of the failures counted, the last 32 at most; most frequent first, at most five. A class is the error's `code`, else its
   * `name`; of an `Error` or a `TypeError` the `code` of its `cause`, as `fetch` rejects, else the name of its constructor, which bundlers
   * shorten unless they are told to keep names: a class that sets `name` is not affected.
   */
  readonly topErrors: readonly { readonly name: string; readonly count: number }[];
  readonly lastError?: { readonly name: string; readonly message: string } | undefined;
  /** The slowest of them, where durations are taken. */
  readonly slowestMs?: number | undefined;
}

/** Why a transition happened: measured at that moment, plain JSON, frozen for whoever is shown it. */
export interface Evidence extends Omit<Measurement, 'rule'>, Facts {
  /** The trip rule, or `probe`, `probeSample`, `probeTimeout` (half-open decided), `sleepWindow` (time to probe), `woken` (by `probe()`), `reset`. */
  readonly rule: string;
  /** The generation that the transition began. */
  readonly generation: number;
  /** How long the circuit had not been closed. */
  readonly openForMs: number;
}

/** Of plain data. (`for in`, because `Object.values` of what is frozen takes longer than to freeze it.) */
export const deepFreeze = <T>(value: T): T => {
  if (typeof value === 'object' && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const key in value) deepFreeze(value[key]);
  }
  return value;
};

export const noFacts: Facts = deepFreeze({ topErrors: [] });

/** Parts are the rule's own, which may go on counting in them. */
const copied = (part: Measurement): Measurement =>
  part.parts ? { ...part, parts: part.parts.map(copied) } : { ...part };

/**
 * Frozen by whoever shows it to somebody: mostly nobody looks, and to freeze takes an eighth of a round of opening and closing. (The spread
 * comes last and the rest by name: in another order an object takes 2.5 µs on Node 20, in this one 0.1.)
 */
export function evidence(measured: Measurement, facts: Facts, generation: number, openForMs: number): Evidence {
  const { topErrors, lastError, slowestMs } = facts;
  const why: { -readonly [K in keyof Evidence]: Evidence[K] } = { topErrors, generation, openForMs, ...measured };
  if (lastError) why.lastError = lastError;
  if (slowestMs) why.slowestMs = slowestMs;
  if (measured.parts) why.parts = measured.parts.map(copied);
  return why;
}

const cut = (text: string, length: number): string => (text.length > length ? `${text.slice(0, length)}…` : text);

interface Thrown {
  readonly code?: unknown;
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: { readonly code?: unknown } | null;
}

/** An error for people: its class, as `Facts` has it, and its message. Never throws, whatever was thrown. */
export function shown(error: unknown): { readonly name: string; readonly message: string } {
  let name = 'unknown error';
  let message = '';
  try {
    const given = Object(error) as Thrown;
    const own = given.name;
    if (error === undefined) name = 'failure without error';
    else if (given !== error) name = `thrown ${error === null ? error : typeof error}`;
    const words = [own === 'TimeoutError' ? '' : given.code];
    // What befell `fetch` is the cause of a TypeError, and few who extend Error set a name.
    if ((own === 'TypeError' || own === 'Error') && !Object.hasOwn(given, 'name'))
      words.push(given.cause?.code, given.constructor.name);
    words.push(own);
    name = cut(words.find((word): word is string => typeof word === 'string' && word !== '') ?? name, 60);
    message = cut(String(given.message ?? error), 200);
  } catch {
    // A getter threw.
  }
  return { name, message };
}

/** How many calls that counted against the circuit are remembered. */
export const remembered = 32;

interface Trouble {
  /** If it failed. */
  readonly error: Facts['lastError'];
  readonly slow: boolean;
  readonly elapsedMs: number;
}

/**
 * The last calls that counted against the circuit, failed or slow, the newest first. A rule that opens has counted the newest
 * of them, so the figures in the evidence are those of the decision, not of what came in later. (brakes#10)
 */
export class TroubleLog {
  /** A ring, for moving all up takes three times what the entry does. */
  readonly #log: Trouble[] = [];
  #added = 0;

  add(failed: boolean, slow: boolean, error: unknown, elapsedMs: number): void {
    this.#log[this.#added++ % remembered] = { error: failed ? shown(error) : undefined, slow, elapsedMs };
  }

  /** The facts of the newest `failures` failures and `slow` slow calls, from the newest on; a call may be both. */
  facts(failures: number, slow: number): Facts {
    const counts = new Map<string, number>();
    let lastError: Facts['lastError'];
    let slowestMs = 0;
    for (let at = this.#added; at > 0 && at > this.#added - remembered; ) {
      const { error, slow: wasSlow, elapsedMs } = this.#log[--at % remembered] as Trouble;
      const failed = error && failures-- > 0;
      const slowed = wasSlow && slow-- > 0;
      if (failed || slowed) slowestMs = Math.max(slowestMs, elapsedMs);
      if (!failed) continue;
      lastError ??= error;
      counts.set(error.name, (counts.get(error.name) ?? 0) + 1);
    }
    const ranked = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 5);
    return { topErrors: ranked.map(([name, count]) => ({ name, count })), lastError, slowestMs };
  }
}
