import type { CircuitBreaker } from 'recloser';
import type { Feed } from '../feed/feed.ts';
import { endOf } from '../feed/reading.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { Deed, Order } from './order.ts';

type Said = { readonly reason: string; readonly by: string; readonly expiresInMs?: number };

const means: Readonly<Record<Deed, (breaker: CircuitBreaker, said: Said) => void>> = {
  'force-open': (breaker, said) => breaker.forceOpen(said),
  'force-closed': (breaker, said) => breaker.forceClosed(said),
  disable: (breaker, said) => breaker.disable(said),
  'observe-only': (breaker, said) => breaker.observeOnly(said),
  release: (breaker, said) => breaker.release(said),
  reset: (breaker, said) => breaker.reset(said),
  probe: (breaker, said) => breaker.probe(said),
};

export const noSuchBreaker = 'no such breaker';

/** Carries an order out in this process. */
export function perform(feed: Feed, { id, deed, reason, expiresInMs }: Order, by: string): Outcome {
  const { instance } = feed;
  const watch = feed.look(id);
  if (watch === undefined) return { instance, done: false, trouble: noSuchBreaker };
  const { breaker } = watch;
  if (breaker === undefined) return { instance, done: false, trouble: 'no breaker is over all its keys: act on a key' };
  const from = breaker.state;
  const { ending } = endOf(breaker) ?? {};
  if (ending !== undefined) {
    return { instance, done: false, from, trouble: `it is ${ending}: every new call is refused, whatever its state` };
  }
  try {
    means[deed](breaker, { reason, by, ...(expiresInMs === undefined ? {} : { expiresInMs }) });
  } catch (fault) {
    return { instance, done: false, from, trouble: (fault as Error).message };
  }
  return { instance, done: true, from, to: breaker.state };
}
