import { readFileSync } from 'node:fs';
import {
  adaptiveConcurrency,
  adaptiveThrottle,
  bulkhead,
  cache,
  chaos,
  circuitBreaker,
  coalesce,
  fallback,
  hedge,
  rateLimit,
  retry,
  timeout,
} from 'recloser';
import { channelNames } from 'recloser/telemetry';
import { expect, test } from 'vitest';

const policies = {
  'adaptive-concurrency': adaptiveConcurrency(),
  'adaptive-throttle': adaptiveThrottle(),
  bulkhead: bulkhead({ maxConcurrent: 1 }),
  cache: cache(1),
  chaos: chaos({ rate: 0, fault: true }),
  'circuit-breaker': circuitBreaker({ latency: true }),
  coalesce: coalesce(),
  fallback: fallback({ fallback: 1 }),
  hedge: hedge({ delayMs: 1 }),
  'rate-limit': rateLimit({ permits: 1 }),
  retry: retry(),
  timeout: timeout(1),
};

test.each(Object.entries(policies))('the page of %s names every event and every figure', (kind, policy) => {
  const page = readFileSync(new URL(`../../docs/policies/${kind}.md`, import.meta.url), 'utf8');
  const section = /^## Events$.*?(?=^## (?!Metrics$))/ms.exec(page)?.[0] ?? '';
  const named = [...section.matchAll(/`([\w-]+)`/g)].map(([, word]) => word);
  const channel = `recloser:${kind}:`;
  const events = channelNames.filter((name) => name.startsWith(channel)).map((name) => name.slice(channel.length));
  const figures = Object.keys(policy.metrics()).filter((figure) => figure !== 'name');
  expect(events.length).toBeGreaterThan(0);
  expect([...events, ...figures].filter((word) => !named.includes(word))).toEqual([]);
});
