import { type BreakerEvents, eventNames as breakerEvents } from '../breaker/events.ts';

/** A breaker was added or taken out. */
export interface MemberChange {
  readonly registry: string;
  readonly name: string;
  /** How many breakers there are now. */
  readonly size: number;
}

/** What listeners get, by event: what happens to the registry, and everything its breakers tell, each in its own name. */
export interface RegistryEvents extends BreakerEvents {
  added: MemberChange;
  /** It was idle, the least recently used of those, and its place was needed. */
  evicted: MemberChange;
  /** `delete` took it out. */
  removed: MemberChange;
}

export const eventNames: readonly (keyof RegistryEvents)[] = /* @__PURE__ */ (
  breakerEvents as readonly (keyof RegistryEvents)[]
).concat('added', 'evicted', 'removed');

export const isBreakerEvent = (event: keyof RegistryEvents): event is keyof BreakerEvents =>
  breakerEvents.includes(event as keyof BreakerEvents);
