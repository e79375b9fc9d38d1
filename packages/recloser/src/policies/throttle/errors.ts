import { type RejectedError, rejectedErrorClass } from '../../core/errors.ts';

/** A refusal of `adaptiveThrottle`. */
export type ThrottledError = RejectedError;
/** The dependency accepts so few calls that this one was not even tried. */
export const ThrottledError: typeof RejectedError = /* @__PURE__ */ rejectedErrorClass(
  'ThrottledError',
  'ERR_THROTTLED',
);
