import type { Evidence } from './evidence.ts';
import type { Machine, MachineSettings, Open } from './machine.ts';
import type { Override } from './override.ts';
import type { Measurement } from './trip-rules/rule.ts';

/** A duration for people: `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1_000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min${seconds % 60 ? ` ${seconds % 60} s` : ''}`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h${minutes % 60 ? ` ${minutes % 60} min` : ''}`;
}

const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;
const many = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;

const windowOf = ({ windowMs, calls }: Measurement): string =>
  windowMs === undefined ? `the last ${many(calls, 'call')}` : `${many(calls, 'call')} in ${span(windowMs)}`;

/** The share that was seen, and the bound it is judged by where that is another. */
function shareOf({ calls, confidence, value }: Measurement, hits = 0): string {
  const seen = percent(calls === 0 ? 0 : hits / calls);
  return confidence === undefined
    ? seen
    : `${seen} (at least ${percent(value)} with ${percent(confidence)} confidence)`;
}

/** What was measured, and against what. */
export function measured(m: Measurement): string {
  switch (m.rule) {
    case 'consecutiveFailures':
      return `${many(m.value, 'consecutive failure')}`;
    case 'failureRate':
      return `failure rate ${shareOf(m, m.failures)} of ${windowOf(m)}, threshold ${percent(m.threshold)}`;
    case 'slowCallRate':
      return `${shareOf(m, m.slowCalls)} of ${windowOf(m)} took ${span(m.slowCallMs ?? 0)} or more, threshold ${percent(m.threshold)}`;
    case 'failureCount':
      return `${many(m.value, 'failure')} among ${windowOf(m)}, threshold ${m.threshold}`;
    case 'allOf':
      return (m.parts ?? []).map(measured).join(' and ');
    case 'probe':
      return m.failures ? 'a probe failed' : `${m.value} of ${many(m.threshold, 'probe')} succeeded`;
    case 'probeSample':
      return `${m.failures ?? 0} of ${many(m.calls, 'probe')} failed, threshold ${percent(m.threshold)}`;
    case 'probeTimeout':
      return 'a probe did not settle in time';
    case 'sleepWindow':
      return `the sleep window of ${span(m.threshold)} is over`;
    case 'reset':
      return 'reset';
    default:
      return `${m.rule} at ${m.value}, threshold ${m.threshold}`;
  }
}

/** Evidence in words, with the errors behind it. */
export function whyOf(why: Evidence): string {
  if (why.rule === 'probe' && why.failures && why.topErrors.length === 0) {
    return `a probe was slow (${span(why.slowestMs ?? 0)})`;
  }
  const errors = why.topErrors.map(({ name, count }) => `${name} ×${count}`).join(', ');
  return errors === '' || why.rule === 'sleepWindow' ? measured(why) : `${measured(why)} (${errors})`;
}

/** One sentence: what is, since when, why, and what must happen next. */
export function explain(
  machine: Machine,
  settings: MachineSettings,
  measurement: Measurement,
  over: Override | undefined,
  now: number,
): string {
  const computed = explainComputed(machine, settings, measurement, now);
  if (over === undefined) return computed;
  const by = over.by === undefined ? '' : ` by ${over.by}`;
  const reason = over.reason === undefined ? '' : ` (${over.reason})`;
  const until =
    over.expiresAt === Infinity ? 'until released' : `for another ${span(Math.max(0, over.expiresAt - now))}`;
  return `${over.state}${by}${reason} ${until}; underneath: ${computed}`;
}

function explainComputed(machine: Machine, settings: MachineSettings, m: Measurement, now: number): string {
  switch (machine.state) {
    case 'closed': {
      const ramp = machine.ramp;
      if (ramp !== undefined && now - ramp.since < settings.rampMs) {
        const share = settings.initialShare + ((1 - settings.initialShare) * (now - ramp.since)) / settings.rampMs;
        return `closed and recovering: ${percent(share)} of calls pass, all in ${span(settings.rampMs - (now - ramp.since))}`;
      }
      return `closed: ${measured(m)}; ${opensWhen(m)}`;
    }
    case 'open':
      return `open for ${span(now - machine.openedAt)}: ${whyOf(machine.evidence)}, ${nextProbe(machine, now)}`;
    case 'half-open': {
      const { sample, successThreshold } = settings;
      const out = many(machine.probes.length, 'probe');
      const progress =
        sample === undefined
          ? `${machine.successes} of ${many(successThreshold, 'probe')} succeeded, closes after ${many(Math.max(1, successThreshold - machine.successes), 'more success').replace('successs', 'successes')}`
          : `${machine.successes + machine.failures} of ${sample.calls} probes back, decides after ${sample.calls}`;
      return `half-open for ${span(now - machine.since)}: ${out} out, ${progress}; it had opened on ${whyOf(machine.evidence)}`;
    }
  }
}

function opensWhen(m: Measurement): string {
  if (m.rule === 'consecutiveFailures') return `opens after ${Math.max(1, m.threshold - m.value)} more in a row`;
  if (m.minimumCalls !== undefined && m.calls < m.minimumCalls) {
    return `opens at the threshold from ${m.minimumCalls} calls on`;
  }
  return 'opens at the threshold';
}

const nextProbe = (machine: Open, now: number): string =>
  machine.nextAttemptAt > now ? `next probe in ${span(machine.nextAttemptAt - now)}` : 'the next call is a probe';
