import { defaults } from './breakers.ts';
import { mostEventful, type Span } from './recording/eventful.ts';
import { firstCallFrom, type Recording } from './recording/recording.ts';
import { UsageError } from './usage-error.ts';
import { duration, moment } from './view/numbers.ts';

/** More than this squeezed into a minute would be faster than real timers and real HTTP can tell the truth. */
const longestMs = 600_000;
/** Ten minutes and a last call are ten minutes. */
const tooLongMs = 615_000;
/** Preferred and longest duration of a run without its start and end, in real seconds; the first as long as it is easy. */
const preferredS = 32;
const longestS = 44;
const easySpeed = 10;
/** What small machines serve without lagging: calls a real second, each of them sent twice. */
const callsPerS = 650;
/** From here on the millisecond that HTTP itself takes is a tenth of a slow call. */
const honestSpeed = defaults.slowCalls.slowCallMs / 10 / 2;

export interface Plan extends Span {
  /** The rows of the calls that are played: from `first` up to, not including, `end`. */
  readonly first: number;
  readonly end: number;
  readonly speed: number;
  /** What the viewer must know about this choice. */
  readonly notes: readonly string[];
}

export interface Wishes {
  readonly fromMs?: number | undefined;
  readonly toMs?: number | undefined;
  readonly speed?: number | undefined;
}

/** @throws UsageError if no call lies between `fromMs` and `toMs` */
export function planRun(recording: Recording, wishes: Wishes): Plan {
  const begin = recording.startMs[0] as number;
  const lastStart = recording.startMs.at(-1) as number;
  const fromMs = wishes.fromMs ?? begin;
  const whole = rowsOf(recording, { fromMs, toMs: wishes.toMs ?? lastStart });
  if (whole.first >= whole.end) {
    const range = `${wishes.fromMs === undefined ? '' : '--from '}${fromMs} to ${wishes.toMs ?? lastStart}`;
    throw new UsageError(`${range}: no call of the recording begins there; it goes from ${begin} to ${lastStart} ms`);
  }
  const chosen = { ...whole, toMs: Math.min(wishes.toMs ?? Number.POSITIVE_INFINITY, lastEnd(recording, whole.end)) };
  if (wishes.speed !== undefined) return { ...chosen, speed: wishes.speed, notes: speedNotes(chosen, wishes.speed) };

  const played = shortened(recording, chosen);
  const notes: string[] = [];
  if (played !== chosen) {
    const why = `too ${lengthMs(chosen) > tooLongMs ? 'long' : 'dense'} to be played honestly`;
    const which = `${moment(played.fromMs)} to ${moment(played.toMs)} (--from ${played.fromMs} --to ${played.toMs})`;
    notes.push(
      `${duration(lengthMs(chosen))} with ${chosen.end - chosen.first} calls are ${why}: this is the most eventful window, ${which}`,
    );
  }
  const seconds = (played.toMs - played.fromMs) / 1000;
  return { ...played, speed: Math.max(0.01, Math.ceil((seconds / playSeconds(played)) * 100) / 100 || 1), notes };
}

type Rows = Pick<Plan, 'first' | 'end' | 'fromMs' | 'toMs'>;

const lengthMs = (rows: Span): number => rows.toMs - rows.fromMs;

function rowsOf(recording: Recording, span: Span): Rows {
  const first = firstCallFrom(recording, span.fromMs);
  let end = firstCallFrom(recording, span.toMs);
  while (end < recording.startMs.length && (recording.startMs[end] as number) <= span.toMs) end++;
  return { ...span, first, end };
}

/** A caller waits no longer than its timeout, so neither does the recording. */
function lastEnd(recording: Recording, end: number): number {
  let latest = 0;
  for (let row = 0; row < end; row++) {
    latest = Math.max(
      latest,
      (recording.startMs[row] as number) + Math.min(recording.durationMs[row] as number, defaults.timeoutMs),
    );
  }
  return Math.ceil(latest);
}

/** The most eventful window if all of it would be too much. */
function shortened(recording: Recording, rows: Rows): Rows {
  const mostCalls = callsPerS * longestS;
  let played = rows;
  let length = (recording.startMs[rows.end - 1] as number) - rows.fromMs;
  for (let calls = rows.end - rows.first; length > tooLongMs || calls > mostCalls; calls = played.end - played.first) {
    length = length > tooLongMs ? longestMs : Math.floor(length * Math.min(0.9, mostCalls / calls));
    if (length < 1) break;
    played = rowsOf(recording, mostEventful(recording, rows.first, rows.end, length));
  }
  return played;
}

function playSeconds(rows: Rows): number {
  const seconds = lengthMs(rows) / 1000;
  const byTime = seconds <= preferredS ? seconds : Math.max(preferredS, Math.min(longestS, seconds / easySpeed));
  return Math.max(byTime, (rows.end - rows.first) / callsPerS);
}

function speedNotes(rows: Rows, speed: number): string[] {
  const realMs = lengthMs(rows) / speed;
  return [
    ...(speed > honestSpeed
      ? [`at speed ${speed} each millisecond that HTTP takes counts as ${speed} ms of the recording`]
      : []),
    ...(realMs > 60_000 ? [`at speed ${speed} this takes ${duration(realMs)}`] : []),
  ];
}
