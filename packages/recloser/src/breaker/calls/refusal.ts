import {
  BulkheadFullError,
  CircuitOpenError,
  errorOf,
  RejectedError,
  type RejectionDetails,
} from '../../core/errors.ts';
import { span } from '../../core/words.ts';

/** A fresh error for each refusal. `why` is what its reason has to add. */
export function refusal(details: RejectionDetails, why: string, captureStacks: boolean): RejectedError {
  const { reason, retryAfterMs = 0 } = details;
  let type: typeof RejectedError = CircuitOpenError;
  let text = `the circuit is ${reason}${why && `: ${why}`}`;
  if (reason === 'bulkhead-full') {
    type = BulkheadFullError;
    text = `all ${why} places are taken`;
  } else if (reason === 'disposed') {
    type = RejectedError;
    text = 'the breaker is disposed';
  } else if (reason === 'half-open') text += ': all its probes are out';
  else if (reason === 'recovery')
    text = `the circuit is recovering: not all calls pass for another ${span(retryAfterMs)}`;
  return errorOf(type, text, details, captureStacks);
}
