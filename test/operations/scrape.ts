import {
  anyOf,
  bulkhead,
  circuitBreaker,
  failureRate,
  fallback,
  RejectedError,
  registry,
  retry,
  slowCallRate,
} from 'recloser';
import { prometheus } from 'recloser/telemetry/prometheus';
import { manualClock } from 'recloser/testing';

/** What Prometheus is answered by a process in which policies of every kind have been at work. */
export async function scrape(): Promise<string> {
  const sink = prometheus();
  const clock = manualClock();
  const failing = (): never => {
    throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
  };
  const work = (ms: number): Promise<void> => new Promise((resolve) => void clock.setTimeout(resolve, ms));
  const of = { windowMs: 60_000, minimumCalls: 4 };
  const payments = circuitBreaker({
    name: 'payments',
    clock,
    trip: anyOf(failureRate({ threshold: 0.9, ...of }), slowCallRate({ threshold: 0.9, slowCallMs: 100, ...of })),
    successThreshold: 1,
    timeoutMs: 500,
    fallback: () => 'substitute',
  });
  const again = retry({ name: 'again', clock, attempts: 2, backoff: () => 0 });
  const places = bulkhead({ name: 'places', clock, maxConcurrent: 1, maxQueue: 1 });
  const instead = fallback('substitute', { name: 'instead' });
  const hosts = registry({ name: 'hosts', clock });
  const calls: Promise<unknown>[] = [
    ...[10, 20, 200, 1_000].map((ms) => payments.execute(() => work(ms))),
    ...[1, 2, 3].map(() => places.execute(() => work(300))),
    again.execute(failing),
    instead.execute(failing),
    hosts.execute(() => 1, { key: 'a.example' }),
  ];
  const settled = Promise.allSettled(calls);
  await clock.advance(2_000);
  const refused = (await settled).filter(({ status }) => status === 'rejected');
  if (!refused.some((result) => (result as PromiseRejectedResult).reason instanceof RejectedError)) {
    throw new Error('the full bulkhead refused nothing');
  }
  // An episode from opening to closing, and refusals while it lasts.
  for (let i = 0; i < 60 && payments.state === 'closed'; i++) await payments.execute(failing);
  await payments.execute(() => 1);
  await clock.advance(60_000);
  await payments.execute(() => 1);
  for (let i = 0; i < 4; i++) await payments.execute(() => 1);
  // Another is open, a third only observes.
  const search = circuitBreaker({ name: 'search', clock, failureThreshold: 1 });
  const quotes = circuitBreaker({ name: 'quotes', clock, failureThreshold: 1, start: 'observe-only' });
  for (const breaker of [search, quotes]) await breaker.execute(failing).catch(() => {});
  await quotes.execute(() => 1);
  const text = sink.text();
  sink.close();
  return text;
}
