import { mayRepeat } from '../../core/call/attempt.ts';
import type { Scope } from '../../core/call/scope.ts';
import { CircuitOpenError, RejectedError } from '../../core/errors.ts';
import type { Judgement } from '../../core/outcome.ts';
import { delayOf } from '../../core/time/backoff.ts';
import type { GaveUpCause } from './events.ts';
import type { RetrySettings } from './options.ts';

/** How far a call is, and what its last attempt came to. */
export interface Standing extends Judgement {
  readonly scope: Scope;
  readonly attempts: number;
  readonly startedAt: number;
  /** The wait before the last attempt. */
  readonly previousMs: number | undefined;
  readonly ok: boolean;
  readonly result: unknown;
}

/** Whether the attempt ended in a way to make another, and the call is one at which that may be done. */
export function asksForMore(settings: RetrySettings, { scope, ok, result, verdict, retryAfterMs }: Standing): boolean {
  const refusal = !ok && result instanceof RejectedError;
  const fits = refusal
    ? settings.retryRefusals &&
      retryAfterMs > 0 &&
      !(result instanceof CircuitOpenError) &&
      result.reason !== 'budget-exhausted'
    : verdict === 'failure';
  return fits && !scope.aborted && mayRepeat(settings.repeatable, scope, settings.basics);
}

/** How long to wait before the next attempt, which is paid for then, or why there is none. */
export function planned(settings: RetrySettings, standing: Standing): number | GaveUpCause {
  const { basics, attempts, backoff, maxDelayMs, maxElapsedMs, budget } = settings;
  const { ok, result, retryAfterMs, startedAt, previousMs } = standing;
  if (standing.attempts >= attempts) return 'attempts';
  if (retryAfterMs > maxDelayMs) return 'retry-after';
  const failed = { error: ok ? undefined : result, value: ok ? result : undefined, retryAfterMs };
  const delayMs = delayOf(basics, 'backoff', backoff, maxDelayMs, standing.attempts, failed, previousMs);
  const waitMs = Math.max(delayMs, retryAfterMs);
  if (maxElapsedMs !== Infinity && basics.clock.now() + waitMs - startedAt > maxElapsedMs) return 'elapsed';
  return budget?.take() === false ? 'budget' : waitMs;
}
