import type { Transition } from '../../breaker/events.ts';
import type { RejectionReason } from '../../core/errors.ts';

/** As labels write it. */
export const label = (word: string): string =>
  word.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replaceAll('-', '_');

const ofRules: Record<string, string> = {
  consecutiveFailures: 'consecutive',
  failureRate: 'failure_ratio',
  slowCallRate: 'slow_ratio',
  sleepWindow: 'open_elapsed',
  probeTimeout: 'probe_failed',
  reset: 'manual',
  woken: 'manual',
};

/** Why a circuit changed its state; a trip rule of the user's goes by its name. */
export function reasonOf({
  to,
  evidence: { rule },
}: Pick<Transition, 'to'> & { readonly evidence: { readonly rule: string } }): string {
  if (rule === 'probe' || rule === 'probeSample') return to === 'closed' ? 'probes_ok' : 'probe_failed';
  return ofRules[rule] ?? label(rule);
}

const ofRejections: Partial<Record<RejectionReason, string>> = {
  open: 'circuit_open',
  'half-open': 'probe_limit',
  'budget-exhausted': 'budget',
};

/** Why a call was refused. */
export const rejectionOf = (reason: RejectionReason): string => ofRejections[reason] ?? label(reason);
