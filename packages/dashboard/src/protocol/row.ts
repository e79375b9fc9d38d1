import type { CircuitState, ComputedState } from 'recloser';

/** A breaker as one line of the list: what it is now, and the figures of the last second. */
export interface Row {
  /** The breaker's name, with `#2` after it where another breaker of the process has the same. */
  readonly id: string;
  readonly state: CircuitState;
  /** The computed state, where a set one covers it. */
  readonly under?: ComputedState | undefined;
  /** Since when it is in this state, epoch ms; absent if that was before anybody looked. */
  readonly since?: number | undefined;
  /** Since when it has not been closed, probes and all; epoch ms. */
  readonly downSince?: number | undefined;
  /** Calls a second that ended well, badly, and that were refused. */
  readonly ok: number;
  readonly failed: number;
  readonly refused: number;
  readonly inFlight: number;
  /** What the trip rule measures, and what it is held against. */
  readonly rule: string;
  readonly value: number;
  readonly threshold: number;
  /** The calls in its window, and how many it needs to decide. */
  readonly calls: number;
  readonly minimumCalls?: number | undefined;
  /** Where it has one, `value` is what the share is at least. */
  readonly confidence?: number | undefined;
  /** Latency of the last one to two minutes, milliseconds. */
  readonly p50?: number | undefined;
  readonly p95?: number | undefined;
  /** Of its calls, where they have one. */
  readonly timeoutMs?: number | undefined;
  /** The breaker's own sentence; absent while closed. */
  readonly explain?: string | undefined;
  /** Why it opened from closed; it stands while it has not closed again, failed probes or not. */
  readonly cause?: string | undefined;
  /** Probes that failed since then. */
  readonly failedProbes?: number | undefined;
  /** Open: in how many milliseconds of the breaker's clock it probes. */
  readonly nextProbeMs?: number | undefined;
  /** Half-open: good probes so far, and how many close. */
  readonly probes?: readonly [successes: number, needed: number] | undefined;
  readonly forced?: Forced | undefined;
  /** It takes no calls any more, whatever its state: every new one is refused, and nothing that is done to it changes that. */
  readonly ending?: 'draining' | 'disposed' | undefined;
  /**
   * Of a registry: its keys by state. The row is all of them together: in the state of the breaker over them while that one refuses
   * calls, else in the worst.
   */
  readonly keys?: KeyCounts | undefined;
  /** Of a registry with a breaker over all its keys: the state of that one, which is what actions are taken on. */
  readonly parent?: CircuitState | undefined;
  /** Of a key of a registry: the id of that row, which it is counted in. */
  readonly of?: string | undefined;
}

export interface KeyCounts {
  readonly size: number;
  readonly open: number;
  readonly halfOpen: number;
  /** In a state that somebody set. */
  readonly forced: number;
}

/** Who set the state, why, and for how long. */
export interface Forced {
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
  readonly expiresInMs?: number | undefined;
}

/** The fields of a row that changed; `null` where one is gone. */
export type RowPatch = { readonly id: string } & { readonly [K in keyof Row]?: Row[K] | null };

/** The fields that differ, or `undefined` if none does. */
export function patchOf(before: Row | undefined, after: Row): RowPatch | undefined {
  const patch: Record<string, unknown> = { id: after.id };
  let changed = before === undefined;
  for (const key of new Set([...Object.keys(before ?? {}), ...Object.keys(after)]) as Set<keyof Row>) {
    if (key === 'id' || same(before?.[key], after[key])) continue;
    patch[key] = after[key] ?? null;
    changed = true;
  }
  return changed ? (patch as RowPatch) : undefined;
}

const same = (a: unknown, b: unknown): boolean =>
  a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));

/** The row after a patch. */
export function patched(before: Row | undefined, patch: RowPatch): Row {
  const row: Record<string, unknown> = { ...before };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete row[key];
    else row[key] = value;
  }
  return row as unknown as Row;
}
