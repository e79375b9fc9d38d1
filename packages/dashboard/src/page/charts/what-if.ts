import { measured, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';

/** Thresholds to compare with, as shares of the one in force. */
const [lower, higher] = [0.8, 1.2];

/**
 * What other thresholds would have done at the last opening, by the seconds that are kept. Of what comes after an opening nothing is
 * known: those calls were not made.
 */
export function whatIf({ entries, series }: Pick<Detail, 'entries' | 'series'>): string | undefined {
  const opened = entries.findLast(({ from, to, kind }) => kind === 'transition' && from === 'closed' && to === 'open');
  const { rule = '', value = 0, threshold = 0, minimumCalls = 0, windowMs = Infinity } = opened?.evidence ?? {};
  if (opened === undefined || !/^(failureRate|slowCallRate)$/.test(rule)) return undefined;
  const at = series.seconds.findLastIndex((second) => second * 1_000 < opened.at);
  if (at < 0) return undefined;
  const early = threshold * lower;
  const calls = (i: number): number => {
    let sum = 0;
    for (let j = Math.max(0, i - windowMs / 1_000 + 1); j <= i; j++)
      sum += (series.ok[j] ?? 0) + (series.failed[j] ?? 0);
    return sum;
  };
  const reached = (i: number): boolean =>
    Math.abs((series.threshold[i] ?? 0) - threshold) < 1e-3 &&
    (series.value[i] ?? 0) >= early &&
    calls(i) >= minimumCalls;
  let first = at + 1;
  while (first > 0 && reached(first - 1)) first--;
  const before = opened.at - (series.seconds[first] ?? opened.at / 1_000) * 1_000;
  const late = Math.min(1, threshold * higher);
  const then =
    late > threshold
      ? `, at ${measured(rule, late)} ${value >= late ? 'at the same moment' : 'later or not at all'}`
      : '';
  const when = first > at ? 'at the same moment' : `about ${span(Math.ceil(before / 1_000) * 1_000)} earlier`;
  return `at ${measured(rule, early)} ${when}${then}`;
}
