/** Which of its own errors a breaker rejects with: open, timed out, at capacity, shut down. */
export type BreakerErrorCode = 'EOPENBREAKER' | 'ETIMEDOUT' | 'ESEMLOCKED' | 'ESHUTDOWN';

/** An error of the breaker itself, not of its action: `CircuitBreaker.isOurError` tells. */
export interface BreakerError<Code extends BreakerErrorCode = BreakerErrorCode> extends Error {
  readonly code: Code;
}

const brand = Symbol.for('recloser.opossum.error');

/**
 * Errors of the breaker are plain ones, as opossum's. What says that they are, and as what the policies of `recloser` know them (a
 * `retry` around the breaker does not retry a refusal), stands unseen on their prototype.
 */
function kind(...nativeNames: readonly string[]): new (message: string) => Error & { code?: unknown } {
  const Kind = class extends Error {};
  Reflect.deleteProperty(Kind.prototype, 'constructor');
  for (const symbol of [brand, ...nativeNames.map((name) => Symbol.for(`recloser.${name}`))]) {
    Object.defineProperty(Kind.prototype, symbol, { value: true });
  }
  return Kind;
}

const kinds: Record<BreakerErrorCode, ReturnType<typeof kind>> = {
  EOPENBREAKER: kind('RejectedError', 'CircuitOpenError'),
  ESEMLOCKED: kind('RejectedError', 'BulkheadFullError'),
  ESHUTDOWN: kind('RejectedError'),
  ETIMEDOUT: kind(),
};

export function breakerError<Code extends BreakerErrorCode>(message: string, code: Code): BreakerError<Code> {
  return Object.assign(new kinds[code](message), { code });
}

export function isBreakerError(error: unknown): error is BreakerError {
  return (error as { [brand]?: unknown } | null | undefined)?.[brand] === true;
}
