import type { CallEnd } from '../core/call/call.ts';
import { type ChannelsOf, channelsOf } from '../core/events/channels.ts';
import type { ListenerOptions } from '../core/policy-options.ts';
import type { Evidence } from './evidence.ts';
import type { ComputedState } from './machine.ts';
import type { ForcedState } from './override.ts';

/** One of the three states the breaker computes or the four that are set. */
export type CircuitState = ComputedState | ForcedState;

/** The circuit changed its computed state. */
export interface Transition {
  readonly breaker: string;
  readonly from: ComputedState;
  readonly to: ComputedState;
  readonly generation: number;
  readonly evidence: Evidence;
  /** The evidence in one English sentence. */
  readonly why: string;
  /** When opened: in how many milliseconds it probes. */
  readonly retryAfterMs?: number;
}

/** A call ended as a success. */
export interface Settled {
  readonly breaker: string;
  readonly key: string | undefined;
  /**
   * 0 where no durations are taken: they are where the breaker needs them (`latency`, `slowCallMs`, `classify`, a rule over time), and of
   * calls that begin while somebody subscribes to the channel of `succeeded` or `failed`. 0, too, of a call that was at work already when
   * `update` brought the need of them.
   */
  readonly elapsedMs: number;
  readonly slow: boolean;
  /** Whether its work settled, or its time was up or it was aborted before. */
  readonly end: CallEnd;
}

/** A call ended as a failure or was ignored; `error` is `undefined` where a value was classified so. */
export interface SettledWithError extends Settled {
  readonly error: unknown;
}

/** A call was refused: the error is the one its caller gets. */
export interface Rejection {
  readonly breaker: string;
  readonly key: string | undefined;
  readonly reason: string;
  readonly retryAfterMs: number | undefined;
}

/** A call got the answer of a fallback in place of its error. */
export interface BreakerFellBack {
  readonly breaker: string;
  readonly key: string | undefined;
  /** What the call would have got. */
  readonly error: unknown;
}

/** The fallback had none either: the caller gets `failure`. */
export interface BreakerFallbackFailed extends BreakerFellBack {
  readonly failure: unknown;
}

/** A result came in when it could no longer count: after its timeout, or after the state it belonged to. */
export interface Late {
  readonly breaker: string;
  readonly cause: 'timed-out' | 'generation';
  readonly ok: boolean;
}

/** A person or a program set a state, took it off again, or ended the sleep of an open circuit (`woken`). */
export interface Action {
  readonly breaker: string;
  readonly action: 'forced' | 'released' | 'expired' | 'reset' | 'woken';
  /** The state that is shown from now on. */
  readonly state: CircuitState;
  readonly previous: CircuitState;
  readonly reason: string | undefined;
  readonly by: string | undefined;
  readonly expiresInMs: number | undefined;
}

/** Options were changed under way. */
export interface Updated {
  readonly breaker: string;
  readonly changed: readonly string[];
}

/** What listeners get, by event. */
export interface BreakerEvents {
  opened: Transition;
  'half-opened': Transition;
  closed: Transition;
  succeeded: Settled;
  failed: SettledWithError;
  ignored: SettledWithError;
  rejected: Rejection;
  'timed-out': SettledWithError;
  late: Late;
  'fell-back': BreakerFellBack;
  'fallback-failed': BreakerFallbackFailed;
  forced: Action;
  released: Action;
  updated: Updated;
}

/** What `on` listens to. */
export type EventName = keyof BreakerEvents;

/** Listeners as options: `onOpened`, `onHalfOpened`, `onTimedOut`, … */
export type Listeners = ListenerOptions<BreakerEvents>;

export const eventNames: readonly EventName[] = [
  ...(['opened', 'half-opened', 'closed', 'succeeded', 'failed', 'ignored'] as const),
  ...(['rejected', 'timed-out', 'late', 'fell-back', 'fallback-failed', 'forced', 'released', 'updated'] as const),
];

export const kind = 'circuit-breaker';
export const channels: ChannelsOf<EventName> = /* @__PURE__ */ channelsOf(kind, eventNames);
