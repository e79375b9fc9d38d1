/**
 * The calls that still count, and how many of them were hits: failures for one rule, slow calls for another. Its JSON holds
 * ages instead of instants, so that it can go on in another process.
 */
export interface Window {
  readonly calls: number;
  readonly hits: number;
  add(hit: boolean, now: number): void;
  /** Both figures as they are at `now`, without moving anything. */
  count(now: number): { readonly calls: number; readonly hits: number };
  clear(now: number): void;
  toJSON(now: number): unknown;
}
