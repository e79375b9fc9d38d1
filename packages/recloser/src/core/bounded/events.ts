import type { RejectionReason } from '../errors.ts';

/** A call found no place. */
export interface PlaceRejection {
  readonly policy: string;
  readonly key: string | undefined;
  /** `bulkhead-full`: no place and no room to wait; `queue-timeout`: it waited too long. */
  readonly reason: RejectionReason;
}

/** A call waits for a place. */
export interface Queued {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many wait now, this one included. */
  readonly queued: number;
}

/** A call that waited has its place. */
export interface Dequeued {
  readonly policy: string;
  readonly key: string | undefined;
  readonly waitedMs: number;
}

/** Work outlived its call by so much that its place was given back. */
export interface Abandoned {
  readonly policy: string;
}

/** What listeners get, by event. */
export interface PlacesEvents {
  rejected: PlaceRejection;
  queued: Queued;
  dequeued: Dequeued;
  abandoned: Abandoned;
}

export const placesEvents: readonly (keyof PlacesEvents)[] = ['rejected', 'queued', 'dequeued', 'abandoned'];
