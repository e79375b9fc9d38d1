import type { RejectionReason } from '../errors.ts';

/** A call was refused. */
export interface PlaceRejection {
  readonly policy: string;
  readonly key: string | undefined;
  /** `bulkhead-full`: no place, and no room to wait for one. `queue-timeout`: no place within `queueTimeoutMs`. */
  readonly reason: RejectionReason;
}

/** A call waits for a place. */
export interface Queued {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many calls wait now, this one included. */
  readonly queued: number;
}

/** A call that waited has got a place. */
export interface Dequeued {
  readonly policy: string;
  readonly key: string | undefined;
  readonly waitedMs: number;
}

/** Work went on for so long after its call had ended (`abandonAfterMs`) that its place was given back. */
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
