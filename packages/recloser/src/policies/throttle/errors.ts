import { type RejectedError, rejectedErrorClass } from '../../core/errors.ts';

/** A refusal of `adaptiveThrottle`. */
export type ThrottledError = RejectedError;
/** The dependency accepts so few calls at the moment that this one was not tried: the function was not called. */
export const ThrottledError: typeof RejectedError = /* @__PURE__ */ rejectedErrorClass(
  'ThrottledError',
  'ERR_THROTTLED',
);
