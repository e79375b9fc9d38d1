import { atOnce } from '../asked.ts';
import { also, number, optionsOf, orFunction, type Reader, type Readers, read, wait } from '../check.ts';
import { report } from '../events/emitter.ts';
import type { Basics } from '../policy-options.ts';
import { systemRandom } from './clock.ts';

/** What a back-off may draw on: the policy's own random source, and the delay it gave before this one. */
export interface Draw {
  /** The policy's `random`. */
  random(): number;
  /** The delay before this one. */
  readonly previousMs: number | undefined;
}

/**
 * How long to wait, in milliseconds. `attempt` counts from 1; `evidence` is what the policy knows of the failure. Your own is a
 * plain function; what it returns is clamped to 0 … the policy's maximum.
 */
export type Backoff<Evidence = unknown> = (attempt: number, evidence: Evidence, draw: Draw) => number;

/** A back-off of this package. It may be called with the attempt alone: then chance is `Math.random`, and there was no delay before. */
export type ReadyBackoff = (attempt: number, evidence?: unknown, draw?: Partial<Draw>) => number;

const share = (random = systemRandom): number => {
  const drawn = random();
  return drawn >= 0 && drawn <= 1 ? drawn : 1;
};

const jittered = (fullMs: number, jitter: number, draw?: Partial<Draw>): number =>
  fullMs * (1 - (jitter && jitter * share(draw?.random)));

const fraction = number(0, 1);
const rising = <More extends object>(more?: Readers<More>) =>
  also(optionsOf({ initialMs: wait, maxMs: wait }, more), ({ initialMs, maxMs }, fault, isSound) => {
    if (isSound && maxMs < initialMs) fault('maxMs', `at least initialMs (${initialMs})`, maxMs, false);
  });

/**
 * The same delay each time.
 *
 * @param ms 0 … 2^31 − 1
 * @param options.jitter the random share taken off, 0 … 1; default 0
 * @throws RangeError, TypeError
 */
export function constant(ms: number, options: { readonly jitter?: number | undefined } = {}): ReadyBackoff {
  const { jitter = 0 } = read('constant', options, (value, path, fault) => {
    wait(ms, 'ms', fault);
    return optionsOf({}, { jitter: fraction })(value, path, fault);
  });
  return (_attempt, _evidence, draw) => jittered(ms, jitter, draw);
}

/**
 * Delays that grow by the same step, up to a maximum. With `jitter` 1, the default, each is drawn from 0 to the full delay.
 *
 * @param options.initialMs the first full delay, 0 … 2^31 − 1
 * @param options.maxMs the longest delay, `initialMs` … 2^31 − 1
 * @param options.stepMs by how much each is longer, 0 … 2^31 − 1; default `initialMs`
 * @param options.jitter the random share taken off, 0 … 1; default 1
 * @throws RangeError, TypeError
 */
export function linear(options: {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly stepMs?: number | undefined;
  readonly jitter?: number | undefined;
}): ReadyBackoff {
  const growing = rising({ stepMs: wait, jitter: fraction });
  const { initialMs, maxMs, stepMs = initialMs, jitter = 1 } = read('linear', options, growing);
  return (attempt, _evidence, draw) => jittered(Math.min(maxMs, initialMs + stepMs * (attempt - 1)), jitter, draw);
}

/**
 * Doubling delays (or by another factor), up to a maximum. With `jitter` 1, the default, each is drawn from 0 to the full
 * delay ("full jitter": Brooker, AWS Architecture Blog 2015).
 *
 * @param options.initialMs the first full delay, 0 … 2^31 − 1
 * @param options.maxMs the longest delay, `initialMs` … 2^31 − 1
 * @param options.factor how many times longer each is, 1 … 1,000; default 2
 * @param options.jitter the random share taken off, 0 … 1; default 1
 * @throws RangeError, TypeError
 */
export function exponential(options: {
  readonly initialMs: number;
  readonly maxMs: number;
  readonly factor?: number | undefined;
  readonly jitter?: number | undefined;
}): ReadyBackoff {
  const growing = rising({ factor: number(1, 1_000), jitter: fraction });
  const { initialMs, maxMs, factor = 2, jitter = 1 } = read('exponential', options, growing);
  return (attempt, _evidence, draw) => {
    // A power beyond the numbers is Infinity, and Infinity × 0 no number: the maximum stands for both. (Polly#2163)
    const full = initialMs === 0 ? 0 : Math.min(maxMs, initialMs * factor ** (attempt - 1));
    return jittered(full, jitter, draw);
  };
}

/**
 * Each delay is drawn between `initialMs` and three times the one before, up to `maxMs` ("decorrelated jitter", ibid.).
 *
 * @param options.initialMs the first and the shortest delay, 0 … 2^31 − 1
 * @param options.maxMs the longest delay, `initialMs` … 2^31 − 1
 * @throws RangeError, TypeError
 */
export function decorrelatedJitter(options: { readonly initialMs: number; readonly maxMs: number }): ReadyBackoff {
  const { initialMs, maxMs } = read('decorrelatedJitter', options, rising());
  return (attempt, _evidence, { random, previousMs = initialMs } = {}) => {
    if (attempt <= 1) return initialMs;
    const highest = Math.max(initialMs, previousMs * 3);
    return Math.min(maxMs, initialMs + (highest - initialMs) * share(random));
  };
}

/** An option that says how long to wait: the same each time, or a back-off. */
export const delays: Reader<never> = orFunction(wait);

/** The delay of a back-off, clamped to 0 … the maximum; the maximum if it throws or returns no number. */
export function delayOf<Evidence>(
  policy: Pick<Basics, 'name' | 'random' | 'onListenerError'>,
  option: string,
  backoff: number | Backoff<Evidence>,
  maxMs: number,
  attempt: number,
  evidence: Evidence,
  previousMs: number | undefined,
): number {
  let ms = maxMs;
  try {
    ms = typeof backoff === 'number' ? backoff : backoff(attempt, evidence, { random: policy.random, previousMs });
    if (typeof atOnce(ms, policy, option) !== 'number' || Number.isNaN(ms))
      throw new RangeError(`${option}: the back-off answered ${String(ms)}`);
  } catch (fault) {
    report(policy, fault, option);
    ms = maxMs;
  }
  return Math.min(maxMs, Math.max(0, ms));
}
