import { many, percent, span } from '../core/words.ts';
import type { Evidence } from './evidence.ts';
import type { Machine, MachineSettings } from './machine.ts';
import type { Override } from './override.ts';
import type { Measurement, TripRule } from './trip-rules/rule.ts';

const thresholdOf = ({ rule, threshold }: Measurement): string =>
  /Rate$|Sample$/.test(rule) ? percent(threshold) : String(threshold);

function described(m: Measurement, trip: TripRule): string | undefined {
  try {
    return trip.describe?.(m);
  } catch {
    return undefined; // the user's: the plain words will do
  }
}

const inWords = (m: Measurement, trip: TripRule): string =>
  described(m, trip) ?? `${m.rule} at ${/Rate$/.test(m.rule) ? percent(m.value) : m.value}`;

/** What a sentence needs to know besides the state. */
type Background = MachineSettings & { readonly trip: TripRule };

/** Evidence in words, with the errors behind it. */
export function whyOf(why: Evidence, trip: TripRule): string {
  const { rule, value, threshold, calls, failures = 0, topErrors, slowestMs = 0 } = why;
  const errors = topErrors.map(({ name, count }) => `${name} ×${count}`).join(', ');
  const withErrors = (text: string): string => (errors ? `${text} (${errors})` : text);
  switch (rule) {
    case 'reset':
      return 'reset';
    case 'sleepWindow':
      return `the sleep window of ${span(threshold)} is over`;
    case 'probeTimeout':
      return 'a probe did not settle in time';
    case 'probeSample':
      return withErrors(`${failures} of ${many(calls, 'probe')} failed, threshold ${percent(threshold)}`);
    case 'probe':
      if (!failures) return `${value} of ${many(threshold, 'probe')} succeeded`;
      return errors ? withErrors('a probe failed') : `a probe was slow (${span(slowestMs)})`;
    default:
      return withErrors(`${inWords(why, trip)}${value === threshold ? '' : `, threshold ${thresholdOf(why)}`}`);
  }
}

/** One sentence: what is, since when, why, and what must happen next. */
export function explain(
  machine: Machine,
  settings: Background,
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

function explainComputed(machine: Machine, settings: Background, m: Measurement, now: number): string {
  const { trip, sample, successThreshold, rampMs } = settings;
  if (machine.state === 'closed') {
    const leftMs = machine.ramp === undefined ? 0 : machine.ramp.since + rampMs - now;
    if (leftMs > 0) return `closed and recovering: all calls pass in ${span(leftMs)}`;
    const least = m.minimumCalls ?? 0;
    return `closed: ${inWords(m, trip)}, opens at ${thresholdOf(m)}${m.calls < least ? ` from ${many(least, 'call')} on` : ''}`;
  }
  const why = whyOf(machine.evidence, trip);
  if (machine.state === 'open') {
    const leftMs = machine.openedAt + machine.sleepMs - now;
    const next = leftMs > 0 ? `next probe in ${span(leftMs)}` : 'the next call is a probe';
    return `open for ${span(now - machine.openedAt)}: ${why}, ${next}`;
  }
  const { since, probes, successes, failures } = machine;
  const progress = sample
    ? `${successes + failures} of ${many(sample.calls, 'probe')} back, decides after all`
    : `${successes} of ${many(successThreshold, 'probe')} succeeded, closes after all`;
  return `half-open for ${span(now - since)}: ${many(probes.length, 'probe')} out, ${progress}; it had opened on ${why}`;
}
