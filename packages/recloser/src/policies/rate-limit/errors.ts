import { type RejectedError, rejectedErrorClass } from '../../core/errors.ts';

/** A refusal of `rateLimit`; HTTP 429. */
export type RateLimitedError = RejectedError;
/** The rate limit is spent: the function was not called. Reads as HTTP 429; `retryAfterMs` says in how long there are permits again. */
export const RateLimitedError: typeof RejectedError = /* @__PURE__ */ rejectedErrorClass(
  'RateLimitedError',
  'ERR_RATE_LIMITED',
  429,
);
