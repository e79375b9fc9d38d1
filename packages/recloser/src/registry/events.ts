import { type BreakerEvents, eventNames as breakerEvents } from '../breaker/events.ts';

/** A member came or went. */
export interface MemberChange {
  readonly registry: string;
  readonly name: string;
  /** How many members there are now. */
  readonly size: number;
}

/** What listeners get, by event: what happens to the registry, and all that its breakers tell, each under its own name. */
export interface RegistryEvents extends BreakerEvents {
  added: MemberChange;
  /** It was idle, had been out of use the longest, and its place was needed. */
  evicted: MemberChange;
  /** Somebody took it out. */
  removed: MemberChange;
}

export const eventNames: readonly (keyof RegistryEvents)[] = /* @__PURE__ */ (
  breakerEvents as readonly (keyof RegistryEvents)[]
).concat('added', 'evicted', 'removed');

export const isBreakerEvent = (event: keyof RegistryEvents): event is keyof BreakerEvents =>
  breakerEvents.includes(event as keyof BreakerEvents);
