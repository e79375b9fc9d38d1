import type { Entry } from './entry.ts';
import type { Row, RowPatch } from './row.ts';

/** How the process itself fares: whether trouble is theirs or ours. */
export interface ProcessFigures {
  /** How late the event loop was in the last second, 99th percentile, milliseconds. */
  readonly loopDelayMs: number;
  /** Of one core, 0 … 1 and above. */
  readonly cpu: number;
  /** Share of the last second that garbage collection took. */
  readonly gc: number;
  readonly heapMb: number;
}

/** One instance of the service, with all its breakers. Stream event `instance`: a peer came or went. */
export interface Instance {
  readonly name: string;
  /** What it was called until now: before it was heard of, or in another life. */
  readonly formerly?: string | undefined;
  /** Whether its figures are coming in. */
  readonly live: boolean;
  /** What is wrong, if they are not. */
  readonly trouble?: string | undefined;
  readonly process?: ProcessFigures | undefined;
  readonly rows: readonly Row[];
  /** Of the rows that matter most, the last minute: refused, failed and good calls of each second, the newest last. */
  readonly recent: Readonly<Record<string, Recent>>;
}

export interface Recent {
  readonly ok: readonly number[];
  readonly failed: readonly number[];
  readonly refused: readonly number[];
}

/** Stream event `snapshot`: everything. */
export interface Snapshot {
  readonly version: 1;
  readonly title: string;
  /** Of this life of the process: a peer with the same is this very process. */
  readonly life: string;
  /** The instance that this page is served by. */
  readonly self: string;
  readonly at: number;
  readonly instances: readonly Instance[];
  /** The newest last. */
  readonly entries: readonly (Entry & { readonly instance: string })[];
}

/** Stream event `change`: what became other; the regular one of each second has `second`. */
export interface Change {
  readonly instance: string;
  readonly at: number;
  readonly second?: true | undefined;
  readonly rows?: readonly RowPatch[] | undefined;
  readonly gone?: readonly string[] | undefined;
  readonly entries?: readonly Entry[] | undefined;
  readonly process?: ProcessFigures | undefined;
}

/** `GET api/session` */
export interface Session {
  readonly title: string;
  readonly role: 'read' | 'write';
  readonly user?: string | undefined;
  /** Whether this page may act at all, and what it must send in `x-recloser-token` when it does. */
  readonly token?: string | undefined;
  /** A recorded incident is shown instead of live breakers. */
  readonly recorded: boolean;
}
