import type { PlacesEvents } from '../../core/bounded/events.ts';

/** The limit changed, after the round that is told. */
export interface LimitChanged {
  readonly policy: string;
  readonly limit: number;
  readonly previous: number;
  /** What the round's calls took on average, and how many were at work at a time. */
  readonly latencyMs: number;
  readonly concurrency: number;
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
