import {
  BulkheadFullError,
  CircuitOpenError,
  errorOf,
  RejectedError,
  type RejectionDetails,
} from '../../core/errors.ts';
import { span } from '../../core/words.ts';

function text({ reason, retryAfterMs = 0 }: RejectionDetails, why: string): string {
  switch (reason) {
    case 'bulkhead-full':
      return `all ${why} places are taken`;
    case 'disposed':
      return 'the breaker is disposed';
    case 'half-open':
      return 'the circuit is half-open: all its probes are out';
    case 'recovery':
      return `the circuit is recovering: not all calls pass for another ${span(retryAfterMs)}`;
    default:
      return `the circuit is ${reason}${why && `: ${why}`}`;
  }
}

/** A fresh error for each refusal. `why` is what its reason has to add. */
export function refusal(details: RejectionDetails, why: string, captureStacks: boolean): RejectedError {
  const { reason } = details;
  const type =
    reason === 'bulkhead-full' ? BulkheadFullError : reason === 'disposed' ? RejectedError : CircuitOpenError;
  return errorOf(type, text(details, why), details, captureStacks);
}
