import type { AdaptiveSettings } from './options.ts';
import type { LimitRule } from './round.ts';

/** Adds one after each good round that reached the limit, takes a share off after each bad one. (Chiu and Jain, 1989; TCP Reno.) */
export const aimd = ({
  initialLimit,
  minLimit,
  maxLimit,
  failureThreshold,
  backoffRatio,
}: AdaptiveSettings): LimitRule => {
  let limit = initialLimit;
  return ({ failureRate, reached }) => {
    if (failureRate > failureThreshold) limit *= backoffRatio;
    else if (reached) limit++;
    limit = Math.min(maxLimit, Math.max(minLimit, limit));
    return limit;
  };
};
