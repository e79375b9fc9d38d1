import type { RetryBudget } from '../../core/budget.ts';
import { mayRepeat } from '../../core/call/attempt.ts';
import type { Scope } from '../../core/call/scope.ts';
import { CircuitOpenError, RejectedError } from '../../core/errors.ts';
import type { Judgement } from '../../core/outcome.ts';
import type { Basics } from '../../core/policy-options.ts';
import { delayOf } from '../../core/time/backoff.ts';
import type { GaveUpCause } from './events.ts';
import type { RetrySettings } from './options.ts';

/** How far a call has got, and how its last attempt ended. */
export interface Standing extends Judgement {
  readonly scope: Scope;
  readonly attempts: number;
  readonly startedAt: number;
  /** How long was waited before that attempt. */
  readonly previousMs: number | undefined;
  readonly ok: boolean;
  readonly result: unknown;
}

/** Whether the attempt ended in a way that asks for another. */
function asksForMore({ retryRefusals }: RetrySettings, { ok, result, verdict, retryAfterMs }: Standing): boolean {
  if (ok || !(result instanceof RejectedError)) return verdict === 'failure';
  const { reason } = result;
  return retryRefusals && retryAfterMs > 0 && !(result instanceof CircuitOpenError) && reason !== 'budget-exhausted';
}

/**
 * How long to wait before the next attempt, which is paid for then, or why there is none; `undefined` where the call is not one to be
 * tried again, by how it ended or by what it is.
 */
export function planned(
  settings: RetrySettings,
  basics: Basics,
  budget: RetryBudget | undefined,
  standing: Standing,
): number | GaveUpCause | undefined {
  const { attempts, backoff, maxDelayMs, maxElapsedMs, repeatable } = settings;
  const { scope, ok, result, retryAfterMs, startedAt, previousMs } = standing;
  if (!asksForMore(settings, standing) || scope.aborted || !mayRepeat(repeatable, scope, basics)) return undefined;
  if (standing.attempts >= attempts) return 'attempts';
  if (retryAfterMs > maxDelayMs) return 'retry-after';
  const failed = { error: ok ? undefined : result, value: ok ? result : undefined, retryAfterMs };
  const delayMs = delayOf(basics, 'backoff', backoff, maxDelayMs, standing.attempts, failed, previousMs);
  const waitMs = Math.max(delayMs, retryAfterMs);
  if (maxElapsedMs !== Infinity && basics.clock.now() + waitMs - startedAt > maxElapsedMs) return 'elapsed';
  return budget?.take() === false ? 'budget' : waitMs;
}
