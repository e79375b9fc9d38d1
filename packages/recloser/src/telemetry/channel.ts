import { type Channel, channel } from '../core/events/channels.ts';

/** Gets what a channel carries, and its name. */
export type Subscriber = (message: unknown, name: string | symbol) => void;

/** A channel as `node:diagnostics_channel` makes them, … */
interface Subscribable extends Channel {
  subscribe(subscriber: Subscriber): void;
  unsubscribe(subscriber: Subscriber): unknown;
}

/** … and one brought to life where there is no such module. */
class Subscribers {
  list: readonly Subscriber[] = [];

  constructor(name: string, idle: Channel) {
    const subscribers = this;
    Object.defineProperty(idle, 'hasSubscribers', { get: () => subscribers.list.length > 0 });
    Object.assign(idle, {
      publish(message: unknown): void {
        for (const subscriber of subscribers.list) {
          try {
            subscriber(message, name);
          } catch (fault) {
            // As in Node: it must not reach the call, and must not go unseen.
            void Promise.reject(fault);
          }
        }
      },
      subscribe(subscriber: Subscriber): void {
        subscribers.list = [...subscribers.list, subscriber];
      },
      unsubscribe(subscriber: Subscriber): void {
        subscribers.list = subscribers.list.filter((other) => other !== subscriber);
      },
    });
  }
}

/**
 * Listens to a channel of any kind of policy: in Node it is `subscribe` of `node:diagnostics_channel`, elsewhere the same by our own
 * means. The answer takes the subscriber off again.
 */
export function listenTo(name: string, subscriber: Subscriber): () => void {
  const found = channel(name);
  if (!('subscribe' in found)) new Subscribers(name, found);
  // Its own function, so that one given twice is two.
  const own: Subscriber = (message, of) => subscriber(message, of);
  (found as Subscribable).subscribe(own);
  return () => void (found as Subscribable).unsubscribe(own);
}
