import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CircuitBreaker, type CircuitBreakerOptions, circuitBreaker } from 'recloser';
import { type Hystrix, type HystrixOptions, hystrix } from 'recloser/telemetry/hystrix';
import { manualClock } from 'recloser/testing';
import { afterEach, beforeEach, expect } from 'vitest';
import { EventStreamClient } from './event-stream.ts';

/**
 * What `validateData()` of the dashboard asserts: a message that lacks one is dropped without a word.
 * Netflix/Hystrix 0d5fe8b, hystrix-dashboard/src/main/webapp/components/hystrixCommand/hystrixCommand.js
 */
const asserted = [
  ...['reportingHosts', 'type', 'name', 'group', 'isCircuitBreakerOpen', 'errorPercentage', 'errorCount'],
  ...['requestCount', 'rollingCountCollapsedRequests', 'rollingCountExceptionsThrown', 'rollingCountFailure'],
  ...['rollingCountFallbackFailure', 'rollingCountFallbackRejection', 'rollingCountFallbackSuccess'],
  ...['rollingCountResponsesFromCache', 'rollingCountSemaphoreRejected', 'rollingCountShortCircuited'],
  ...['rollingCountSuccess', 'rollingCountThreadPoolRejected', 'rollingCountTimeout', 'rollingCountBadRequests'],
  ...['currentConcurrentExecutionCount', 'latencyExecute_mean', 'latencyExecute', 'latencyTotal_mean', 'latencyTotal'],
  'propertyValue_circuitBreakerRequestVolumeThreshold',
  'propertyValue_circuitBreakerSleepWindowInMilliseconds',
  'propertyValue_circuitBreakerErrorThresholdPercentage',
  'propertyValue_circuitBreakerForceOpen',
  'propertyValue_executionIsolationStrategy',
  'propertyValue_executionIsolationThreadTimeoutInMilliseconds',
  'propertyValue_executionIsolationThreadInterruptOnTimeout',
  'propertyValue_executionIsolationSemaphoreMaxConcurrentRequests',
  'propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests',
  'propertyValue_requestCacheEnabled',
  'propertyValue_requestLogEnabled',
  'propertyValue_metricsRollingStatisticalWindowInMilliseconds',
];
/** What older dashboards assert besides, and what Turbine reads (`SerialHystrixDashboardData.java`). */
const others = [
  ...['currentTime', 'rollingCountEmit', 'rollingCountFallbackEmit', 'rollingCountFallbackMissing', 'threadPool'],
  ...['rollingMaxConcurrentExecutionCount', 'propertyValue_circuitBreakerEnabled'],
  ...['propertyValue_circuitBreakerForceClosed', 'propertyValue_executionTimeoutInMilliseconds'],
];
const percentiles = ['0', '25', '50', '75', '90', '95', '99', '99.5', '100'];

export type Message = Record<string, unknown>;

/** Whether a dashboard shows it, and Turbine can add it up. */
export function expectValid(message: Message): void {
  for (const key of [...asserted, ...others]) expect(message[key] ?? undefined, key).toBeDefined();
  expect(message.type).toBe('HystrixCommand');
  for (const key of ['latencyExecute', 'latencyTotal'])
    expect(Object.keys(message[key] as object).toSorted()).toEqual(percentiles.toSorted());
  // Turbine sums numbers and counts booleans: a value of another type in a later message breaks it.
  for (const [key, value] of Object.entries(message)) {
    if (/^(rollingCount|current|error|latency\w+_mean)/.test(key)) expect(Number.isInteger(value), key).toBe(true);
    if (/Enabled$|Force(Open|Closed)$|^isCircuit|InterruptOnTimeout$/.test(key))
      expect(typeof value, key).toBe('boolean');
  }
}

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Ends something when the test is over, however that ends. */
export const afterwards = (end: () => unknown): void => void ending.push(end);

/** Of the test that runs. */
export let clock = manualClock();
beforeEach(() => {
  clock = manualClock();
});

/** A server on a free port of this machine. */
export async function listening(handler: RequestListener): Promise<number> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

export function make(options: HystrixOptions = {}): Hystrix {
  const stream = hystrix({ clock, ...options });
  afterwards(stream.close);
  return stream;
}

interface Watched {
  readonly stream: Hystrix;
  readonly port: number;
  connect(): EventStreamClient;
  readonly client: EventStreamClient;
  readonly statusCode: number | undefined;
  readonly headers: IncomingHttpHeaders;
  /** What the next turn says, by name. */
  turn(ms?: number): Promise<Record<string, Message>>;
}

/** A stream that somebody reads from a real server. */
export async function watched(options: HystrixOptions = {}): Promise<Watched> {
  const stream = make(options);
  const port = await listening(stream);
  const connect = (): EventStreamClient => {
    const client = new EventStreamClient(port);
    afterwards(() => client.close());
    return client;
  };
  const client = connect();
  const { statusCode, headers } = await client.opened;
  const turn = async (ms = 500): Promise<Record<string, Message>> => {
    await client.until((text) => text.endsWith('\n\n'));
    client.text = '';
    await clock.advance(ms);
    await client.until((text) => text.endsWith('\n\n'));
    return Object.fromEntries(client.data.map((message) => [message.name as string, message]));
  };
  return { stream, port, connect, client, statusCode, headers, turn };
}

export const failing = (): never => {
  throw new Error('down');
};
type Runs = Pick<CircuitBreaker, 'execute'>;
/** A call that succeeds, and one that fails. */
export const pass = (policy: Runs, key?: string): Promise<unknown> =>
  policy.execute(() => 1, key === undefined ? {} : { key });
export const fail = (policy: Runs, key?: string): Promise<unknown> =>
  policy.execute(failing, key === undefined ? {} : { key }).catch(() => {});
export const breaker = (name: string, options: CircuitBreakerOptions = {}): CircuitBreaker =>
  circuitBreaker({ name, clock, ...options });
