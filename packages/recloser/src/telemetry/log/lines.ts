import type { Action, Transition } from '../../breaker/events.ts';
import type { Evidence } from '../../breaker/evidence.ts';
import { many, span } from '../../core/words.ts';
import type { Enabled, Switched } from '../../policies/chaos/events.ts';
import type { Teller } from '../channels.ts';
import type { Burst } from './bursts.ts';

/** What a logger gets. */
export interface Line {
  readonly entry: { readonly event: string } & Readonly<Record<string, unknown>>;
  readonly message: string;
}

/** Whether it is one of a registry's many. */
export const isMember = (policy: Teller): boolean => policy.kept === 'member';

/** `payments`; `hosts/a.example` and `hosts/parent` of a registry. */
function titleOf(policy: Teller): string {
  return isMember(policy) ? `${policy.label}/${policy.name}` : policy.label;
}

/** Which policy it is about, in the words that metrics use too. */
function about({ kind, name, label }: Teller): Record<string, unknown> {
  const named = label === name ? {} : { label };
  return kind === 'circuit-breaker' ? { breaker: name, ...named } : { policy: name, kind, ...named };
}

const eventOf = (kind: string, event: string): string => `recloser.${kind.replaceAll('-', '_')}.${event}`;

export type Redact = (message: string) => string | undefined;

/** What the user's function returns; if it throws, or is async by mistake, the line goes without. */
function attempt<T>(ask: (() => T) | undefined): T | undefined {
  try {
    const answer = ask?.();
    if (typeof answer !== 'object') return answer;
    Promise.resolve(answer).catch(() => {});
  } catch {}
  return undefined;
}

function redacted(evidence: Evidence, redact: Redact): Evidence {
  const { lastError, ...rest } = evidence;
  if (lastError === undefined) return evidence;
  const { name } = lastError;
  // If it can't say what is no secret, all of it is one.
  const message = attempt(() => redact(lastError.message));
  return { ...rest, lastError: { name, ...(typeof message === 'string' && { message }) } as typeof lastError };
}

export function transitionLine(
  policy: Teller,
  transition: Transition,
  redact: Redact | undefined,
  traceId: (() => string | undefined) | undefined,
): Line {
  const { from, to, generation, why, evidence, retryAfterMs } = transition;
  const next = retryAfterMs === undefined ? '' : `, probes in ${span(retryAfterMs)}`;
  return {
    entry: {
      event: eventOf(policy.kind, 'transition'),
      ...about(policy),
      from,
      to,
      generation,
      why,
      retryAfterMs,
      trace_id: attempt(traceId),
      evidence: redact === undefined ? evidence : redacted(evidence, redact),
    },
    message: `${titleOf(policy)}: ${from} → ${to}: ${why}${next}`,
  };
}

const byWhom = (by: string | undefined, reason: string | undefined): string =>
  `${by ? ` by ${by}` : ''}${reason ? `: ${reason}` : ''}`;

export function actionLine(policy: Teller, told: Action): Line {
  const { action, state, previous, by, reason, expiresInMs } = told;
  const until = action !== 'forced' ? '' : expiresInMs === undefined ? ' until released' : ` for ${span(expiresInMs)}`;
  return {
    entry: {
      event: eventOf(policy.kind, 'action'),
      ...about(policy),
      action,
      from: previous,
      to: state,
      by,
      reason,
      expiresInMs,
    },
    message: `${titleOf(policy)}: ${action}, ${previous} → ${state}${until}${byWhom(by, reason)}`,
  };
}

export function switchLine(policy: Teller, on: boolean, told: Switched | Enabled): Line {
  const { by, reason } = told;
  const { expiresInMs = Infinity } = told as Partial<Enabled>;
  const until = expiresInMs === Infinity ? {} : { expiresInMs };
  const word = on ? 'enabled' : 'disabled';
  return {
    entry: { event: eventOf(policy.kind, word), ...about(policy), by, reason, ...until },
    message: `${titleOf(policy)}: chaos ${word}${expiresInMs === Infinity ? '' : ` for ${span(expiresInMs)}`}${byWhom(by, reason)}`,
  };
}

export function updateLine(policy: Teller, changed: readonly string[], { count }: Burst): Line {
  const all = isMember(policy);
  return {
    entry: {
      event: eventOf(policy.kind, 'updated'),
      ...(all ? { label: policy.label, breakers: count } : about(policy)),
      changed,
    },
    message: `${all ? `${many(count, 'breaker')} of ${policy.label}` : titleOf(policy)}: changed ${changed.join(', ')}`,
  };
}

/** Refusals or abandoned work, many at a time. The keys of the calls are left out: one may be somebody's name. */
export function burstLine(
  policy: Teller,
  event: 'rejections' | 'abandoned',
  burst: Burst,
  retryAfterMs: number | undefined,
): Line {
  const { count, byReason, overMs } = burst;
  const { kind, label } = policy;
  const reasons = Object.entries(byReason).map(([reason, n]) => (count === 1 ? reason : `${reason} ×${n}`));
  const what = event === 'rejections' ? `refused ${many(count, 'call')}` : `gave up on ${many(count, 'piece')} of work`;
  const behind = event === 'rejections' ? ` (${reasons.join(', ')})` : '';
  return {
    entry: {
      event: eventOf(kind, event),
      ...(kind === 'circuit-breaker' ? { breaker: label } : { policy: label, kind }),
      count,
      ...(event === 'rejections' && { reasons: byReason, retryAfterMs }),
      ...(overMs > 0 && { overMs }),
    },
    message: `${label}: ${what}${overMs > 0 ? ` in ${span(overMs)}` : ''}${behind}`,
  };
}
