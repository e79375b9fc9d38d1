import {
  BulkheadFullError,
  CircuitOpenError,
  RejectedError,
  type RejectionDetails,
  type RejectionReason,
  withoutStack,
} from '../../core/errors.ts';
import { span } from '../../core/words.ts';

const classes: Partial<Record<RejectionReason, typeof RejectedError>> = {
  'bulkhead-full': BulkheadFullError,
  disposed: RejectedError,
};

function text(details: RejectionDetails, why: string): string {
  switch (details.reason) {
    case 'open':
      return `the circuit is open: ${why}`;
    case 'half-open':
      return 'the circuit is half-open and all its probes are out';
    case 'recovery':
      return `the circuit is recovering, not all calls pass for another ${span(details.retryAfterMs ?? 0)}`;
    case 'forced-open':
      return why === '' ? 'the circuit is forced open' : `the circuit is forced open: ${why}`;
    case 'bulkhead-full':
      return `all ${why} places are taken`;
    default:
      return 'the breaker is disposed';
  }
}

/** A fresh error for each refusal. `why` is what its reason has to add. */
export function refusal(details: RejectionDetails, why: string, captureStacks: boolean): RejectedError {
  const type = classes[details.reason] ?? CircuitOpenError;
  const message = `${details.breaker}: ${text(details, why)}`;
  return captureStacks ? new type(message, details) : withoutStack(type, message, details);
}
