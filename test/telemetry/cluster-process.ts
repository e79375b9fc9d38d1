/** A cluster of two workers that have called different things, for `cluster.test.ts`: the primary tells what each exposes, and all together. */
import cluster from 'node:cluster';
import { once } from 'node:events';
import { AggregatorRegistry, register } from 'prom-client';
import { bulkhead, circuitBreaker, failureRate, registry } from 'recloser';
import { prometheus } from 'recloser/telemetry/prometheus';

export interface Exposed {
  readonly workers: readonly string[];
  readonly all: string;
}

const failing = async (): Promise<never> => {
  throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
};

/** Answers with its policies: the series of those that nobody holds are gone. */
async function work(worker: number): Promise<readonly object[]> {
  const trip = failureRate({ threshold: 0.5, windowMs: 60_000, minimumCalls: 5 });
  const payments = circuitBreaker({ name: 'payments', trip });
  for (let i = 0; i < 10 * worker; i++) await payments.execute(async () => i);
  for (let i = 0; i < worker; i++) await payments.execute(failing).catch(() => {});
  // Open in both, since different times.
  const search = circuitBreaker({ name: 'search', failureThreshold: 1 });
  await search.execute(failing).catch(() => {});
  await search.execute(failing).catch(() => {});
  await new Promise((resolve) => setTimeout(resolve, 20));
  const hosts = registry({ name: 'hosts' });
  for (let i = 0; i < worker; i++) await hosts.execute(() => i, { key: `host-${i}` });
  const places = bulkhead({ name: 'places', maxConcurrent: 5 * worker });
  void places.execute(() => new Promise(() => {}));
  // Here, and not in the other.
  const alone = worker === 2 ? [circuitBreaker({ name: 'alone', start: 'forced-open' })] : [];
  return [payments, search, hosts, places, ...alone];
}

const all = new AggregatorRegistry();
if (cluster.isPrimary) {
  const workers: string[] = [];
  for (const worker of [1, 2]) {
    const [text] = await once(cluster.fork({ WORKER: String(worker) }), 'message');
    workers.push(text as string);
  }
  process.send?.({ workers, all: await all.clusterMetrics() } satisfies Exposed);
  process.disconnect();
  for (const worker of Object.values(cluster.workers ?? {})) worker?.kill();
} else {
  prometheus({ registry: register as never });
  const held = await work(Number(process.env.WORKER));
  process.send?.(await register.metrics());
  process.on('disconnect', () => process.exit(held.length > 0 ? 0 : 1));
}
