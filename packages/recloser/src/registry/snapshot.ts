import { written as breaker, type Snapshot } from '../breaker/snapshot.ts';
import { list, number, type Reader, record, stored } from '../core/check.ts';

/** A registry as JSON; like its breakers, in durations, never instants. */
export interface RegistrySnapshot {
  readonly version: 1;
  /** `_overflow` first if there is one, then from the least recently used on. */
  readonly breakers: readonly Snapshot[];
  readonly parent?: Snapshot | undefined;
}

export const written: Reader<RegistrySnapshot> = stored(
  record({ version: number(1, 1) as Reader<1>, breakers: list(breaker) }, { parent: breaker }),
);
