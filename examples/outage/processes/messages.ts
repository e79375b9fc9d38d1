import type { Incident } from '@recloser/dashboard';
import type { Recording } from '../recording/recording.ts';
import type { Snapshot } from '../report.ts';

/** What the upstream process is told, and says. */
export interface Serve {
  readonly recording: Recording;
  readonly seed: number;
  readonly speed: number;
}
export interface Serving {
  readonly port: number;
}

/** What the client process is told: first to play, then perhaps to stop before the end. */
export type ToClient =
  | {
      readonly type: 'play';
      readonly port: number;
      readonly recording: Recording;
      readonly part: Part;
      readonly dashboard: boolean;
    }
  | { readonly type: 'stop' };

/** The calls to be made. */
export interface Part {
  readonly first: number;
  readonly end: number;
  readonly fromMs: number;
  readonly speed: number;
}

/** What the client process says: how it goes, several times a second, and once how it went. */
export type FromClient =
  | { readonly type: 'progress'; readonly snapshot: Snapshot }
  | { readonly type: 'page'; readonly url: string }
  | ({ readonly type: 'finished' } & Outcome);

export interface Outcome {
  readonly snapshot: Snapshot;
  /** The last moment at which calls left. */
  readonly untilMs: number;
  readonly fidelity: Fidelity;
  /** What the page has recorded, if there was one. */
  readonly incident?: Incident;
}

/** How far the replay was from the recording, in the recording's milliseconds: of all calls the 99th percentile. */
export interface Fidelity {
  /** Calls left later than they should have. */
  readonly lateMs: number;
  /** Bare calls took longer than recorded. */
  readonly addedMs: number;
  /** The recording stood still because the machine did, in real milliseconds. */
  readonly stoodStillMs: number;
  /** How many calls failed for want of a socket. */
  readonly noSocket: number;
}

/** Headers of a request: which call it is, when it was recorded to start, and when it left (`process.hrtime`, ns). */
export const callHeader = 'x-call';
export const momentHeader = 'x-recording-ms';
export const sentHeader = 'x-sent-ns';
/** Header of an answer: how long the recording says it took. */
export const durationHeader = 'x-recorded-duration-ms';
