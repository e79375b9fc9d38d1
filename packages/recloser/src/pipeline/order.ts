/** Orders that are known to hurt: what stands further out, what further in, and why. */
const harmful: readonly (readonly [outer: string, inner: string, why: string])[] = [
  [
    'circuit-breaker',
    'retry-without-budget',
    'the breaker sees only what all attempts came to, and an outage is met with every retry there is',
  ],
  ['bulkhead', 'retry', 'a call keeps its place while it waits for its next attempt'],
  ['retry', 'retry', 'their attempts multiply'],
  ['hedge', 'retry', 'every hedge brings its own retries'],
  ['circuit-breaker', 'hedge', 'a probe of the half-open circuit becomes several calls'],
  ['retry', 'fallback', 'the fallback answers each failed attempt, so nothing is retried'],
  ['circuit-breaker', 'fallback', 'the fallback answers each failure, so the breaker never sees one'],
  ['retry', 'cache', 'a hit is not worth the way through retry'],
  ['circuit-breaker', 'cache', 'hits count as the successes of a dependency that was not asked'],
  ['circuit-breaker', 'coalesce', 'calls that joined count as calls of the dependency, so one failure is many'],
  ['cache', 'fallback', 'the answer is kept as if it were true'],
  ['chaos', 'timeout', 'the latency does not pass the timeout, which is what it is to try'],
  ['chaos', 'circuit-breaker', 'the faults do not pass the breaker, which is what they are to try'],
  ['chaos', 'retry', 'the faults do not pass retry, which is what they are to try'],
];

const isKind = (kind: string, wanted: string): boolean => `${kind}-`.startsWith(`${wanted}-`);

/** Says what is known to hurt about policies in this order, outermost first. */
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
