// What a scenario needs of a breaker, opossum's or ours, and how what it hands out is shown in a trace.
import Opossum from 'opossum';
import Ours from 'recloser/opossum';

export interface Status {
  readonly window: { latencyTimes: number[]; [figure: string]: unknown }[];
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  listenerCount(event: string): number;
}

export interface Subject {
  readonly options: Record<string, unknown>;
  readonly action: unknown;
  readonly name: string;
  readonly group: string;
  readonly closed: boolean;
  readonly opened: boolean;
  readonly halfOpen: boolean;
  readonly pendingClose: boolean;
  readonly warmUp: boolean;
  readonly isShutdown: boolean;
  readonly enabled: boolean;
  readonly volumeThreshold: number;
  readonly semaphore: { readonly count: number };
  readonly status: Status;
  readonly stats: { fires: number; failures: number; successes: number; [figure: string]: unknown };
  fire(...args: unknown[]): Promise<unknown>;
  call(context: unknown, ...args: unknown[]): Promise<unknown>;
  fallback(fallback: unknown): unknown;
  healthCheck(check: unknown, every?: unknown): void;
  shutdown(): void;
  toJSON(): { state: Record<string, unknown>; status: object };
  getSignal(): AbortSignal | undefined;
  getAbortController(): AbortController | undefined;
  on(event: string, listener: (...args: unknown[]) => void): unknown;
  eventNames(): (string | symbol)[];
  listenerCount(event: string): number;
}

export interface Construct {
  new (action: unknown, options?: unknown): Subject;
  newStatus(options: object): Status;
  isOurError(error: unknown): boolean;
}

export const theirs = Opossum as unknown as Construct;
export const ours = Ours as unknown as Construct;

export const events = [
  'fire',
  'success',
  'failure',
  'timeout',
  'reject',
  'fallback',
  'open',
  'close',
  'halfOpen',
  'semaphoreLocked',
  'healthCheckFailed',
  'cacheHit',
  'cacheMiss',
  'coalesceCacheHit',
  'coalesceCacheMiss',
  'shutdown',
] as const;

export const getters = [
  'group',
  'enabled',
  'closed',
  'opened',
  'halfOpen',
  'pendingClose',
  'warmUp',
  'isShutdown',
  'volumeThreshold',
] as const;

/** An error without what is told apart on purpose: its stack, and its `cause`. */
export function shown(value: unknown): unknown {
  if (value instanceof Promise) return 'a promise';
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return value.map(shown);
  if (!(value instanceof Error)) return value;
  const properties = Object.fromEntries(Object.entries(value).filter(([name]) => name !== 'cause'));
  const isOwn = [theirs, ours].map((breaker) => breaker.isOurError(value)).includes(true);
  return { kind: value.constructor.name, name: value.name, message: value.message, ...properties, isOwn };
}
