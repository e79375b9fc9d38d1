import { many, percent, span } from '../core/words.ts';
import { deepFreeze, type Evidence, remembered } from './evidence.ts';
import { leasesOf, type Machine, type MachineSettings, rampLeftMs, rowOf, sleepLeftMs } from './machine.ts';
import type { Override } from './override.ts';
import type { Measurement, TripRule } from './trip-rules/rule.ts';

type Explained = MachineSettings & { readonly trip: TripRule };

const figure = (rule: string, value: number): string =>
  /Rate$|Sample$|^adaptive$/.test(rule) ? percent(value) : String(value);

/** What was measured, in the words of whoever measured it. */
function inWords(m: Measurement, trip: TripRule): string {
  const { rule, value, threshold, calls, failures } = m;
  if (rule === 'reset') return rule;
  if (rule === 'probeTimeout') return 'a probe did not settle in time';
  if (rule === 'probeSample') return `${failures} of ${many(calls, 'probe')} failed`;
  if (rule === 'probe') return failures ? 'a probe failed' : `${value} of ${many(threshold, 'probe')} succeeded`;
  try {
    const words = trip.describe?.(m);
    if (words !== undefined) return words;
  } catch {
    // The user's: the plain words will do.
  }
  return `${rule} at ${figure(rule, value)}`;
}

/** Evidence in words, with what is behind it. */
export function whyOf(why: Evidence, trip: TripRule): string {
  const { rule, value, threshold, topErrors, slowestMs, failures = 0, slowCalls = 0 } = why;
  if (rule === 'woken') return 'a probe was asked for';
  if (rule === 'sleepWindow') return `the sleep window of ${span(threshold)} is over`;
  const behind = topErrors.map(({ name, count }) => `${name} ×${count}`);
  if (slowestMs) behind.push(`slowest ${span(slowestMs)}`);
  const limit = value === threshold ? '' : `, threshold ${figure(rule, threshold)}`;
  const of = Math.max(failures, slowCalls) > remembered ? `of the last ${remembered}: ` : '';
  return inWords(deepFreeze(why), trip) + limit + (behind.length > 0 ? ` (${of}${behind.join(', ')})` : '');
}

/** One sentence: the state, since when, why, and what must happen next. */
export function explain(
  machine: Machine,
  settings: Explained,
  m: Measurement,
  over: Override | undefined,
  now: number,
): string {
  const computed = explainComputed(machine, settings, m, now);
  if (over === undefined) return computed;
  const { state, by, reason, expiresAt } = over;
  const until = expiresAt === Infinity ? 'until released' : `for another ${span(expiresAt - now)}`;
  return `${state}${by ? ` by ${by}` : ''}${reason ? ` (${reason})` : ''} ${until}; underneath: ${computed}`;
}

function explainComputed(machine: Machine, settings: Explained, m: Measurement, now: number): string {
  const { trip, sample, successThreshold } = settings;
  if (machine.state === 'closed') {
    const leftMs = rampLeftMs(machine, now, settings);
    if (leftMs > 0) return `closed and recovering: all calls pass in ${span(leftMs)}`;
    const { rule, threshold, calls, minimumCalls: least = 0 } = m;
    const from = calls < least ? ` from ${many(least, 'call')} on` : '';
    // The figure of `allOf` is how many rules say so.
    const limit = rule === 'allOf' ? '' : `, opens at ${figure(rule, threshold)}${from}`;
    return `closed: ${inWords(m, trip)}${limit}`;
  }
  const why = whyOf(machine.evidence, trip);
  if (machine.state === 'open') {
    const leftMs = sleepLeftMs(machine, now);
    const next = leftMs > 0 ? `next probe in ${span(leftMs)}` : 'the next call is a probe';
    return `open for ${span(now - machine.openedAt)}: ${why}, ${next}`;
  }
  const { probingSince, successes, failures } = machine;
  const out = many(leasesOf(machine, now, settings).length, 'probe');
  const all = sample?.calls ?? successThreshold;
  const next = sample ? 'settled, decides' : 'succeeded, closes';
  return `half-open for ${span(now - probingSince)}: ${out} out, ${sample ? successes + failures : rowOf(machine)} of ${many(all, 'probe')} ${next} at ${all}; it had opened on ${why}`;
}
