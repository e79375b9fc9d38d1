import { EventEmitter } from 'node:events';
import type { BreakerError } from './errors.ts';
import type { Counter } from './status/bucket.ts';

/** What listeners get, by event. `TI` are the action's arguments, `TR` is its result. */
export interface BreakerEvents<TI extends unknown[] = unknown[], TR = unknown> {
  /** A call was fired, whatever becomes of it. */
  fire: [args: TI];
  /** The action's result; with an `errorFilter` that let it pass, the error. */
  success: [result: TR, latencyMs: number];
  failure: [error: Error, latencyMs: number, args: TI];
  /** The action took longer than `timeout`; `failure` follows. */
  timeout: [error: BreakerError<'ETIMEDOUT'>, latencyMs: number, args: TI];
  /** The circuit is open, or half-open with its probe out. */
  reject: [error: BreakerError<'EOPENBREAKER'>];
  /** What the fallback answered, a promise if it answered one, and the error it answers for. */
  fallback: [result: unknown, error: Error];
  /** All of `capacity` is at work. */
  semaphoreLocked: [error: BreakerError<'ESEMLOCKED'>, latencyMs: number];
  healthCheckFailed: [error: Error];
  open: [];
  /** `resetTimeout` is over: the next call is a probe. */
  halfOpen: [resetTimeout: number];
  close: [];
  shutdown: [];
  cacheHit: [];
  cacheMiss: [];
  coalesceCacheHit: [];
  coalesceCacheMiss: [];
}

export type EventName = keyof BreakerEvents;

/** Emits an event; a listener that throws changes nothing for the call. */
export type Tell = <E extends EventName>(event: E, ...args: BreakerEvents[E]) => void;

/** Counts, until the shutdown: opossum counts by listeners, and a shutdown takes them off. */
export type Count = (counter: Counter, latencyMs?: number) => void;

/** What a breaker has listeners for from the start in opossum: exporters of metrics read the list. */
export const countedEvents: readonly EventName[] = [
  'success',
  'failure',
  'fallback',
  'timeout',
  'fire',
  'reject',
  'cacheHit',
  'cacheMiss',
  'coalesceCacheHit',
  'coalesceCacheMiss',
  'open',
  'close',
  'semaphoreLocked',
];

type Listener<TI extends unknown[], TR, E extends EventName> = (...args: BreakerEvents<TI, TR>[E]) => void;
/** Node's `EventEmitter`, its listeners typed by event. */
export interface BreakerEmitter<TI extends unknown[], TR> extends EventEmitter {
  on<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  once<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  addListener<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  prependListener<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  prependOnceListener<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  off<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
  removeListener<E extends EventName>(event: E, listener: Listener<TI, TR, E>): this;
}

export const BreakerEmitter: new <TI extends unknown[], TR>() => BreakerEmitter<TI, TR> = EventEmitter;
