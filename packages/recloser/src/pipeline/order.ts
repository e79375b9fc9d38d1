/** Orders that are known to hurt: the outer policy, the inner one, and why. */
const harmful: readonly (readonly [outer: string, inner: string, why: string])[] = [
  [
    'circuit-breaker',
    'retry-without-budget',
    'the breaker sees only how all attempts together ended, and an outage is met with every retry there is',
  ],
  ['bulkhead', 'retry', 'a call keeps its place while it waits for its next attempt'],
  ['retry', 'retry', 'their attempts multiply'],
  ['hedge', 'retry', 'every hedge brings its own retries'],
  ['circuit-breaker', 'hedge', 'a probe of the half-open circuit becomes several calls'],
  ['retry', 'fallback', 'the fallback answers each failed attempt, so nothing is retried'],
  ['circuit-breaker', 'fallback', 'the fallback answers each failure, so the breaker never sees one'],
  ['retry', 'cache', 'a hit need not go through retry'],
  ['circuit-breaker', 'cache', 'hits count as successes of a dependency that was not asked'],
  ['circuit-breaker', 'coalesce', 'calls that joined count as calls of the dependency, so one failure is many'],
  ['cache', 'fallback', 'the answer is kept as if it were true'],
  ['chaos', 'timeout', 'the latency never meets the timeout that it is there to test'],
  ['chaos', 'circuit-breaker', 'the faults never meet the breaker that they are there to test'],
  ['chaos', 'retry', 'the faults never meet the retries that they are there to test'],
];

const isKind = (kind: string, wanted: string): boolean => `${kind}-`.startsWith(`${wanted}-`);

/** Says what is known to hurt when policies stand in this order, outermost first. */
export function warnings(kinds: readonly string[]): string[] {
  const found = harmful.flatMap(([outer, inner, why]) => {
    const at = kinds.findIndex((kind) => isKind(kind, outer));
    return at >= 0 && kinds.slice(at + 1).some((kind) => isKind(kind, inner))
      ? [`${outer.replaceAll('-', ' ')} around ${inner.replaceAll('-', ' ')}: ${why}`]
      : [];
  });
  const retry = kinds.findIndex((kind) => isKind(kind, 'retry'));
  if (
    retry > 0 &&
    kinds.slice(0, retry).includes('timeout') &&
    !kinds.slice(retry).some((kind) => kind.endsWith('timeout'))
  ) {
    found.push('timeout around retry only: one attempt that hangs takes all of the time; put another timeout inside');
  }
  return found;
}
