import type { BreakerMetrics } from 'recloser';
import type { Entry } from './entry.ts';
import type { Row } from './row.ts';

/** One breaker of one instance, as far back as is kept. */
export interface Detail {
  readonly instance: string;
  readonly id: string;
  readonly at: number;
  readonly row: Row;
  readonly explain: string;
  /** When its process began, epoch ms: a deploy, or a restart. */
  readonly startedAt?: number | undefined;
  readonly metrics: BreakerMetrics;
  readonly series: Series;
  /** The newest last. */
  readonly entries: readonly Entry[];
  /** The newest last. */
  readonly errors: readonly ErrorSeen[];
  readonly configuration: readonly Setting[];
  /** Of a registry. */
  readonly keys?: KeyFigures | undefined;
}

/** The breakers of a registry. */
export interface KeyFigures {
  readonly size: number;
  readonly maxEntries: number;
  readonly evicted: number;
  readonly overflowed: number;
  readonly states: Readonly<Record<string, number>>;
  /** Whether there is a breaker over all keys, to be acted on. */
  readonly parent: boolean;
}

/** One value a second; `null` where nothing was measured. */
export interface Series {
  /** Epoch seconds of each value. */
  readonly seconds: readonly number[];
  readonly ok: readonly (number | null)[];
  readonly failed: readonly (number | null)[];
  readonly refused: readonly (number | null)[];
  readonly value: readonly (number | null)[];
  readonly threshold: readonly (number | null)[];
  readonly p50: readonly (number | null)[];
  readonly p95: readonly (number | null)[];
}

export interface ErrorSeen {
  readonly at: number;
  /** The error's `code`, else its name. */
  readonly name: string;
  readonly message: string;
}

/** One option in force, and where its value comes from. */
export interface Setting {
  readonly option: string;
  readonly value: string | number | boolean;
  readonly source: 'default' | 'given' | 'updated';
  /** Of an update: when, epoch ms. */
  readonly at?: number | undefined;
}

/** What "copy incident" copies, and what the page opens again. */
export interface Incident {
  readonly format: 'recloser-incident';
  readonly version: 1;
  readonly title: string;
  readonly recordedAt: number;
  readonly breakers: readonly Detail[];
}
