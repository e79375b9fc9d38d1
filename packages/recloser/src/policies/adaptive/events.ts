import type { PlacesEvents } from '../../core/bounded/events.ts';

/** The limit changed after a round; the figures are those of that round. */
export interface LimitChanged {
  readonly policy: string;
  readonly limit: number;
  readonly previous: number;
  /** How long the calls that succeeded took on average; 0 if none did. */
  readonly latencyMs: number;
  /** How many calls were at work at a time, on average. */
  readonly concurrency: number;
  /** The share of calls that failed, 0 … 1. */
  readonly failureRate: number;
}

/** What listeners get, by event. */
export interface AdaptiveEvents extends PlacesEvents {
  'limit-changed': LimitChanged;
}

export const eventNames: readonly (keyof AdaptiveEvents)[] = [
  'rejected',
  'queued',
  'dequeued',
  'abandoned',
  'limit-changed',
];
