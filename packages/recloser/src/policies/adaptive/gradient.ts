import type { AdaptiveSettings } from './options.ts';
import type { LimitRule, Round } from './round.ts';

const probeEvery = 16;
const probeShare = 0.6;

/**
 * Follows latency: while that stays at its base the limit grows by its root, and it shrinks as latency grows. (Netflix's Gradient2,
 * Envoy's gradient controller.)
 *
 * All depends on the base. One that follows latency drifts up with an overload and ends up allowing it (Netflix
 * concurrency-limits#134); one that doesn't starves a dependency that has become slower for reasons of its own. So the rule
 * experiments: every so often, and whenever the limit shrank by itself, it looks what fewer calls at work did to their throughput. If
 * it fell with them, latency is the dependency's own and the new base. If not, they had only waited in line there, and the lower limit
 * stays. (Uber's Cinnamon and failsafe-go correlate concurrency and throughput to that end, but as they happen to move.)
 */
export const gradient = (settings: AdaptiveSettings): LimitRule => {
  const { initialLimit, minLimit, maxLimit, failureThreshold, backoffRatio } = settings;
  let limit = initialLimit;
  let baseMs = 0;
  /** The round before, if it used its limit. */
  let before: Round | undefined;
  let probing = false;
  let untilProbe = 3;

  /** Where latency leads the limit; the root leaves room to grow. */
  const followed = (latencyMs: number): number =>
    limit * Math.min(1, Math.max(0.5, baseMs / latencyMs)) + Math.sqrt(limit);

  const follow = (round: Round, last: Round | undefined, wasProbe: boolean): void => {
    const { concurrency, reached } = round;
    const latencyMs = Math.max(round.latencyMs, 0.001);
    baseMs ||= latencyMs;
    if (concurrency < 0.75 * round.limit) {
      // Whatever latency does, the limit is not its cause.
      baseMs += (latencyMs - baseMs) / 10;
      if (reached) limit = Math.max(limit, followed(latencyMs));
      return;
    }
    before = round;
    if (last !== undefined && concurrency < 0.87 * last.concurrency) {
      const fewer = Math.log(last.concurrency / concurrency);
      const faster = Math.log(last.latencyMs / latencyMs);
      // By Little's law throughput lost the rest.
      if (faster <= fewer / 2) baseMs = latencyMs;
      else {
        baseMs = Math.min(baseMs, latencyMs);
        if (wasProbe) {
          limit = round.limit;
          probing = true;
          return;
        }
      }
    } else if (latencyMs < baseMs) baseMs += (latencyMs - baseMs) / 5;
    limit = followed(latencyMs);
    if (--untilProbe > 0) return;
    untilProbe = probeEvery;
    probing = true;
  };

  return (round) => {
    const last = before;
    const wasProbe = probing;
    before = undefined;
    probing = false;
    if (round.failureRate > failureThreshold) limit *= backoffRatio;
    else follow(round, last, wasProbe);
    limit = Math.min(maxLimit, Math.max(minLimit, limit));
    return probing ? Math.min(limit * probeShare, limit - 1) : limit;
  };
};
