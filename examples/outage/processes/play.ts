import { type Breaker, defaults } from '../breakers.ts';
import type { Recording } from '../recording/recording.ts';
import type { Snapshot } from '../report.ts';
import { type Ask, httpCaller } from './ask.ts';
import { FidelityMeter } from './fidelity.ts';
import { heartbeats } from './heartbeat.ts';
import { Lane } from './lane.ts';
import { callHeader, momentHeader, type Outcome, type Part } from './messages.ts';
import { RecordingClock } from './recording-clock.ts';

export interface Run {
  /** Settles when all calls have left and are answered, or none of their callers would still wait. */
  readonly over: Promise<void>;
  snapshot(): Snapshot;
  /** Lets no more calls leave; those under way may still be answered, for a moment. */
  stop(): void;
  /** The result; what comes in later changes nothing. */
  finish(): Outcome;
  readonly breakers: readonly Breaker[];
}

/** A stop must be seen in a long gap too. */
const longestNapMs = 250;
/** After the last call's timeout, for its timer to fire; real time. */
const graceMs = 30;
/** After a stop nobody wants to wait for a timeout in full; real time. */
const stopMs = 1_500;

/** Plays the recorded arrivals: an open loop, each call leaves at its own moment, answered or not. */
export async function play(port: number, recording: Recording, part: Part): Promise<Run> {
  let noSocket = 0;
  const onNoSocket = () => void noSocket++;
  const [guarded, bare] = [httpCaller(port, onNoSocket), httpCaller(port, onNoSocket)];
  await warmUp([guarded, bare]);
  const clock = new RecordingClock(part.fromMs, part.speed);
  await heartbeats(port, () => clock.beat());
  const lanes = recording.dependencies.map((name) => new Lane(name, clock));
  const meter = new FidelityMeter();

  const send = (row: number): void => {
    const atMs = recording.startMs[row] as number;
    const lane = lanes[recording.dependency[row] as number] as Lane;
    const headers = { [callHeader]: row, [momentHeader]: atMs };
    const leftMs = clock.now();
    meter.left(leftMs - atMs);
    const callBare = () =>
      lane.callBare(bare, headers).then((answer) => {
        if (answer !== undefined) meter.answered(clock.now() - leftMs - answer.recordedMs);
      });
    const callGuarded = () => lane.callGuarded(guarded, headers);
    // Whoever goes first waits less for the other: turn by turn.
    for (const call of row % 2 === 0 ? [callBare, callGuarded] : [callGuarded, callBare]) void call();
  };

  let next = part.first;
  let end = part.end;
  let untilMs = recording.startMs[end - 1] as number;
  let lastWordMs = untilMs + defaults.timeoutMs + graceMs * part.speed;
  const over = new Promise<void>((resolve) => {
    const turn = () => {
      const nowMs = clock.now();
      while (next < end && (recording.startMs[next] as number) <= nowMs) send(next++);
      if (next >= end && !(nowMs < lastWordMs && lanes.some((lane) => lane.waiting > 0))) {
        resolve();
        return;
      }
      const napMs = next >= end ? 5 : ((recording.startMs[next] as number) - nowMs) / part.speed;
      setTimeout(turn, Math.min(napMs, longestNapMs));
    };
    turn();
  });
  const stop = () => {
    const nowMs = clock.now();
    if (next < end) [end, untilMs] = [next, nowMs];
    lastWordMs = Math.min(lastWordMs, nowMs + stopMs * part.speed);
  };

  const snapshot = (atTheEnd: boolean): Snapshot => {
    const atMs = clock.now();
    return {
      atMs,
      dependencies: lanes.map((lane) => lane.report(atMs, atTheEnd)),
      live: lanes.map((lane) => lane.live()),
    };
  };
  return {
    over,
    stop,
    breakers: lanes.map(({ breaker }) => breaker),
    snapshot: () => snapshot(false),
    finish: () => ({
      snapshot: snapshot(true),
      untilMs,
      fidelity: { ...meter.result(), stoodStillMs: clock.stoodStillMs, noSocket },
    }),
  };
}

/** Cold code and cold connections would make the first calls slow, at speed 10 by a tenth of a second. */
async function warmUp(callers: readonly Ask[]): Promise<void> {
  for (let round = 0; round < 10; round++) {
    await Promise.all(callers.flatMap((ask) => Array.from({ length: 10 }, () => ask('/', {}).catch(() => undefined))));
  }
}
