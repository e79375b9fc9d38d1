import { also, number, optionsOf, type Readers, read, wait } from '../check.ts';

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

const fraction = number(0, 1);
const rising = <More extends object>(more?: Readers<More>) =>
  also(optionsOf({ initialMs: wait, maxMs: wait }, more), ({ initialMs, maxMs }, fault) => {
    if (maxMs < initialMs) fault('maxMs', `at least initialMs (${initialMs})`, maxMs, false);
  });

/**
 * The same delay each time.
 *
 * @param ms 0 … 2^31 − 1
 * @param options.jitter the random share taken off, 0 … 1; 0 unless said
 * @throws RangeError, TypeError
 */
export function constant(ms: number, options: { readonly jitter?: number } = {}): Backoff {
  const { jitter = 0 } = read('constant', options, (value, path, fault) => {
    wait(ms, 'ms', fault);
    return optionsOf({}, { jitter: fraction })(value, path, fault);
  });
  return (_attempt, _evidence, draw) => ms * (1 - (jitter && jitter * share(draw.random)));
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
  const growing = rising({ factor: number(1, 1_000), jitter: fraction });
  const { initialMs, maxMs, factor = 2, jitter = 1 } = read('exponential', options, growing);
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
  const { initialMs, maxMs } = read('decorrelatedJitter', options, rising());
  return (attempt, _evidence, { random, previousMs = initialMs }) => {
    if (attempt <= 1) return initialMs;
    const highest = Math.max(initialMs, previousMs * 3);
    return Math.min(maxMs, initialMs + (highest - initialMs) * share(random));
  };
}
