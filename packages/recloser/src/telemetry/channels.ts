import { type BreakerEvents, eventNames as breakerEvents } from '../breaker/events.ts';
import { type PlacesEvents, placesEvents } from '../core/bounded/events.ts';
import type { Message } from '../core/events/channels.ts';
import { type AdaptiveEvents, eventNames as adaptiveEvents } from '../policies/adaptive/events.ts';
import { type CacheEvents, eventNames as cacheEvents } from '../policies/cache/events.ts';
import { type ChaosEvents, eventNames as chaosEvents } from '../policies/chaos/events.ts';
import { type CoalesceEvents, eventNames as coalesceEvents } from '../policies/coalesce/events.ts';
import { type FallbackEvents, eventNames as fallbackEvents } from '../policies/fallback/events.ts';
import { type HedgeEvents, eventNames as hedgeEvents } from '../policies/hedge/events.ts';
import { type RateLimitEvents, eventNames as rateLimitEvents } from '../policies/rate-limit/events.ts';
import { type RetryEvents, eventNames as retryEvents } from '../policies/retry/events.ts';
import { type ThrottleEvents, eventNames as throttleEvents } from '../policies/throttle/events.ts';
import { type TimeoutEvents, eventNames as timeoutEvents } from '../policies/timeout/events.ts';
import type { RegistryEvents } from '../registry/events.ts';
import { listenTo } from './channel.ts';

/** The policy that a message is from. */
export interface Teller {
  /** What it is: the middle part of its channels' names. (A retry whose budget is off is `retry-without-budget`.) */
  readonly kind: string;
  readonly name: string;
  /** What metrics call it: its name; for a breaker of a registry, the registry's. */
  readonly label: string;
  /** For a breaker of a registry, what it is to the registry; else `undefined`. */
  readonly kept: 'member' | 'parent' | undefined;
  /** For a breaker of a registry, that registry. */
  readonly keeper?: Teller | undefined;
}

/** What listeners get, by kind of policy and event. */
export interface EventsByKind {
  'circuit-breaker': BreakerEvents;
  retry: RetryEvents;
  timeout: TimeoutEvents;
  bulkhead: PlacesEvents;
  'adaptive-concurrency': AdaptiveEvents;
  'adaptive-throttle': ThrottleEvents;
  'rate-limit': RateLimitEvents;
  hedge: HedgeEvents;
  fallback: FallbackEvents;
  cache: CacheEvents;
  coalesce: CoalesceEvents;
  chaos: ChaosEvents;
  'circuit-breaker-registry': Pick<RegistryEvents, 'added' | 'evicted' | 'removed'>;
  /** Told of policies of every kind. */
  policy: { created: undefined; disposed: undefined };
}

/** A kind of policy. */
export type Kind = keyof EventsByKind;
/** What a kind of policy tells. */
export type EventOf<K extends Kind> = keyof EventsByKind[K] & string;

/** What every channel carries, by its name. */
export type Messages = {
  [Name in {
    [K in Kind]: `recloser:${K}:${EventOf<K>}`;
  }[Kind]]: Name extends `recloser:${infer K extends Kind}:${infer E}`
    ? Message<Teller, EventsByKind[K][E & keyof EventsByKind[K]]>
    : never;
};

/** The name of a channel. */
export type ChannelName = keyof Messages;

const events: { readonly [K in Kind]: readonly EventOf<K>[] } = {
  'circuit-breaker': breakerEvents,
  retry: retryEvents,
  timeout: timeoutEvents,
  bulkhead: placesEvents,
  'adaptive-concurrency': adaptiveEvents,
  'adaptive-throttle': throttleEvents,
  'rate-limit': rateLimitEvents,
  hedge: hedgeEvents,
  fallback: fallbackEvents,
  cache: cacheEvents,
  coalesce: coalesceEvents,
  chaos: chaosEvents,
  'circuit-breaker-registry': ['added', 'evicted', 'removed'],
  policy: ['created', 'disposed'],
};

/** The names of all channels. */
export const channelNames: readonly ChannelName[] = Object.entries(events).flatMap(([kind, names]) =>
  names.map((event) => `recloser:${kind}:${event}` as ChannelName),
);

/** What these tell of a call, its key and how long it took, is recorded only while somebody listens to how calls fail or succeed. */
const needsMore: readonly ChannelName[] = ['recloser:circuit-breaker:ignored', 'recloser:circuit-breaker:timed-out'];

/**
 * Subscribes to a channel; the answer takes the subscriber off again. The subscriber runs in the middle of the call that the message is
 * about, in its async context, so it must be quick. What it throws does not reach the call, but ends the process as an uncaught error (as in
 * Node's own channels).
 *
 * @throws TypeError if there is no such channel
 * @example
 * subscribe('recloser:circuit-breaker:opened', ({ policy, payload }) => alert(`${policy.name}: ${payload.why}`));
 */
export function subscribe<N extends ChannelName>(
  name: N,
  subscriber: (message: Messages[N], name: N) => void,
): () => void {
  if (!channelNames.includes(name))
    throw new TypeError(`subscribe: no channel '${String(name)}' (known: ${channelNames.join(', ')})`);
  if (typeof subscriber !== 'function') throw new TypeError('subscribe: the subscriber must be a function');
  const off = listenTo(name, subscriber as (message: unknown, name: string | symbol) => void);
  if (!needsMore.includes(name)) return off;
  const noMore = listenTo('recloser:circuit-breaker:failed', () => {});
  return () => {
    off();
    noMore();
  };
}
