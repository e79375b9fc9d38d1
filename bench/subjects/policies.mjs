import { strictEqual } from 'node:assert';
import { own, returnsAtOnce } from '../measure/own.mjs';

const recloser = await import(process.env.RECLOSER_BUILD ?? 'recloser');
const node = Number.parseInt(process.versions.node, 10);
const cockatiel = await (node >= 22 ? import('cockatiel4') : import('cockatiel3'));

const execute = (policy, fn = returnsAtOnce()) =>
  own(['policy', 'fn'], 'return () => policy.execute(() => fn())', policy, fn);
const keyed = (policy, fn = returnsAtOnce()) =>
  own(['policy', 'fn', 'options'], 'return () => policy.execute(() => fn(), options)', policy, fn, { key: 'a' });

/** Whatever else it does, a policy counts every call. */
function counting(policy, makeCall = execute) {
  const check = (calls) => strictEqual(policy.metrics().totalRequests, calls, policy.name);
  return { call: makeCall(policy), check };
}

/** Policies one inside the other: each of them has seen every call, and the breaker in the middle that it was a success. */
function stacked(breaker, ...policies) {
  const check = (calls) => {
    for (const policy of policies) strictEqual(policy.metrics().totalRequests, calls, policy.name);
    strictEqual(breaker.metrics().successfulRequests, calls);
  };
  return { call: execute(recloser.pipeline({ onWarning: false }, ...policies)), check };
}

const breakers = {
  ours: () => recloser.circuitBreaker(),
  theirs: () =>
    cockatiel.circuitBreaker(cockatiel.handleAll, {
      halfOpenAfter: 3_600_000,
      breaker: new cockatiel.ConsecutiveBreaker(5),
    }),
};
const ourLimit = () => recloser.timeout(2_000);
const ourPlaces = () => recloser.bulkhead({ maxConcurrent: 50 });
const theirLimit = () => cockatiel.timeout(2_000, cockatiel.TimeoutStrategy.Aggressive);
const theirPlaces = () => cockatiel.bulkhead(50);
const theirRetry = () =>
  cockatiel.retry(cockatiel.handleAll, { maxAttempts: 2, backoff: new cockatiel.ExponentialBackoff() });

/** What each path of policies measures of us; the paths are called after the policies. */
export const ours = {
  retry: () => counting(recloser.retry({ attempts: 3 })),
  timeout: () => counting(ourLimit()),
  bulkhead: () => counting(ourPlaces()),
  'rate-limit': () => counting(recloser.rateLimit({ permits: 2 ** 31 - 1, windowMs: 1_000 })),
  hedge: () => counting(recloser.hedge({ delayMs: 1_000 })),
  fallback: () => counting(recloser.fallback('other')),
  cache: () => counting(recloser.cache({ ttlMs: 3_600_000 }), keyed),
  coalesce: () => counting(recloser.coalesce(), keyed),
  chaos: () => counting(recloser.chaos({ rate: 1, fault: true })),
  'adaptive-concurrency': () => counting(recloser.adaptiveConcurrency()),
  'adaptive-throttle': () => counting(recloser.adaptiveThrottle()),
  'three-strategies'() {
    const breaker = breakers.ours();
    return stacked(breaker, breaker, ourLimit(), ourPlaces());
  },
  'four-strategies'() {
    const breaker = breakers.ours();
    return stacked(breaker, recloser.retry({ attempts: 3 }), breaker, ourLimit(), ourPlaces());
  },
  'five-strategies'() {
    const breaker = breakers.ours();
    return stacked(breaker, ourPlaces(), ourLimit(), recloser.retry({ attempts: 3 }), ourLimit(), breaker);
  },
};

/** What cockatiel has of it. */
export const theirs = {
  retry: () => ({ call: execute(theirRetry()) }),
  timeout: () => ({ call: execute(theirLimit()) }),
  bulkhead: () => ({ call: execute(theirPlaces()) }),
  fallback: () => ({ call: execute(cockatiel.fallback(cockatiel.handleAll, 'other')) }),
  'three-strategies': () => ({ call: execute(cockatiel.wrap(breakers.theirs(), theirLimit(), theirPlaces())) }),
  'four-strategies': () => ({
    call: execute(cockatiel.wrap(theirRetry(), breakers.theirs(), theirLimit(), theirPlaces())),
  }),
  'five-strategies': () => ({
    call: execute(cockatiel.wrap(theirPlaces(), theirLimit(), theirRetry(), theirLimit(), breakers.theirs())),
  }),
};
