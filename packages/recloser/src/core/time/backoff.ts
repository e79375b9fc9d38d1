import { Check } from '../check.ts';
import { longestTimerMs } from './clock.ts';

/** What a back-off may draw on: the policy's own random source, and the delay it gave before this one. */
export interface Draw {
  /** The policy's `random`. */
  random(): number;
  /** The delay before this one. */
  readonly previousMs: number | undefined;
}

/**
 * How long to wait: `attempt` counts from 1. `evidence` is what the policy knows of the failure. Users write their own as a
 * plain function; whatever it answers is brought into 0 … the policy's maximum.
 */
export type Backoff<Evidence = unknown> = (attempt: number, evidence: Evidence, draw: Draw) => number;

const share = (random: () => number): number => {
  const drawn = random();
  return drawn >= 0 && drawn <= 1 ? drawn : 1;
};

/**
 * The same delay each time.
 *
 * @param ms 0 … 2^31 − 1
 * @param options.jitter the random share taken off, 0 … 1; 0 unless said
 * @throws RangeError, TypeError
 */
export function constant(ms: number, options?: { readonly jitter?: number }): Backoff {
  const check = new Check('constant');
  const given = check.record('', options, ['jitter']);
  const delay = check.number('ms', ms, [0, longestTimerMs]);
  const jitter = check.number('jitter', given.jitter, [0, 1], 0);
  check.done();
  return (_attempt, _evidence, draw) => delay * (1 - (jitter && jitter * share(draw.random)));
}

/**
 * Doubling delays (or by another factor), up to a maximum. With `jitter` 1, the default, each is drawn from 0 to the full
 * delay ("full jitter": Brooker, AWS Architecture Blog 2015). The first full delay is `initialMs`.
 *
 * @throws RangeError, TypeError
 */
export function exponential(options: {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number;
  readonly jitter?: number;
}): Backoff {
  const check = new Check('exponential');
  const given = check.record('', options ?? null, ['initialMs', 'maxMs', 'factor', 'jitter']);
  const initialMs = check.number('initialMs', given.initialMs, [0, longestTimerMs]);
  const maxMs = check.number('maxMs', given.maxMs, [initialMs, longestTimerMs]);
  const factor = check.number('factor', given.factor, [1, 1_000], 2);
  const jitter = check.number('jitter', given.jitter, [0, 1], 1);
  check.done();
  return (attempt, _evidence, draw) => {
    // A power beyond the numbers is Infinity, and Infinity × 0 no number: the maximum stands for both. (Polly#2163)
    const full = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** (attempt - 1));
    return full * (1 - (jitter && jitter * share(draw.random)));
  };
}

/**
 * Each delay is drawn between `initialMs` and three times the one before, up to `maxMs` ("decorrelated jitter", ibid.).
 *
 * @throws RangeError, TypeError
 */
export function decorrelatedJitter(options: { readonly initialMs: number; readonly maxMs: number }): Backoff {
  const check = new Check('decorrelatedJitter');
  const given = check.record('', options ?? null, ['initialMs', 'maxMs']);
  const initialMs = check.number('initialMs', given.initialMs, [0, longestTimerMs]);
  const maxMs = check.number('maxMs', given.maxMs, [initialMs, longestTimerMs]);
  check.done();
  return (attempt, _evidence, { random, previousMs = initialMs }) => {
    if (attempt <= 1) return initialMs;
    const highest = Math.max(initialMs, previousMs * 3);
    return Math.min(maxMs, initialMs + (highest - initialMs) * share(random));
  };
}
