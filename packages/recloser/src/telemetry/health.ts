import type { CircuitBreaker } from '../breaker/breaker.ts';
import type { CircuitState } from '../breaker/events.ts';
import { having, list, optionsOf, type Reader, read, share, text } from '../core/check.ts';
import type { Registry } from '../registry/registry.ts';
import { answer, answered, type HttpRequest, type HttpResponse, onlyRead, type Reply } from './http.ts';

/** `degraded`: it can serve, but not everything. `unavailable`: send it no requests. */
export type HealthStatus = 'ok' | 'degraded' | 'unavailable';

/** A breaker or registry without which this instance can serve nobody. */
export interface Critical {
  readonly name: string;
  /** For a registry: it is down when this share of its breakers refuses, above 0 up to 1. Without it only its parent is asked. */
  readonly openShare?: number | undefined;
}

/** Options of `health`. */
export interface HealthOptions {
  readonly policies: readonly (CircuitBreaker | Registry)[];
  /** The names of those without which this instance can serve nobody; default none. */
  readonly critical?: readonly (string | Critical)[] | undefined;
}

/** The health of one breaker or registry. */
export interface BreakerHealth {
  readonly name: string;
  readonly status: HealthStatus;
  readonly critical: boolean;
  /** For a registry, that of its parent, if it has one. */
  readonly state?: CircuitState;
  /** For a registry: how many of its breakers are in which state. */
  readonly states?: { readonly [S in CircuitState]?: number };
  /** For a registry: how many of its breakers refuse calls now. */
  readonly refusing?: number;
  /** It takes no more calls: `drain` or `dispose` was called. */
  readonly ending?: 'draining' | 'disposed';
  /** One English sentence. */
  readonly why: string;
  /** For how long it has been open or half-open. */
  readonly sinceMs?: number;
  /** In how long an open one takes a probe; for one that is forced open, in how long that expires. */
  readonly retryAfterMs?: number;
}

/** What readiness answers. */
export interface HealthReport {
  readonly status: HealthStatus;
  readonly breakers: readonly BreakerHealth[];
}

/** A function that reads the health of this instance, with handlers for a readiness endpoint. */
export interface Health {
  (): HealthReport;
  /** For `node:http`, Express and the like: 200, or 503 when unavailable. */
  readonly handler: (request: HttpRequest, response: HttpResponse) => void;
  /** The same for the Fetch standard: Hono, Deno, Bun, route handlers. */
  readonly fetch: (request: HttpRequest) => Response;
}

const isRegistry = (policy: CircuitBreaker | Registry): policy is Registry => 'peek' in policy;

const criticalOnes: Reader<string | Critical> = (value, path, fault) =>
  typeof value === 'string' ? value : optionsOf({ name: text }, { openShare: share })(value, path, fault);

const policy: Reader<CircuitBreaker | Registry> = having('a circuit breaker or a registry', {
  metrics: 'function',
  explain: 'function',
  name: 'string',
});

const options: Reader<HealthOptions> = optionsOf<Pick<HealthOptions, 'policies'>, Pick<HealthOptions, 'critical'>>(
  { policies: list(policy) },
  { critical: list(criticalOnes) },
);

function readCritical({ policies, critical = [] }: HealthOptions): Map<string, Critical> {
  const all = new Map(critical.map((one) => (typeof one === 'string' ? [one, { name: one }] : [one.name, one])));
  for (const { name, openShare } of all.values()) {
    const meant = policies.filter((policy) => policy.name === name);
    // A name that no policy has would silently protect nobody.
    if (meant.length === 0) throw new TypeError(`health: critical names '${name}', which is none of the policies`);
    const breaker = meant.find((policy) => !isRegistry(policy));
    if (breaker && openShare) throw new TypeError(`health: '${name}' is a breaker: openShare is for registries`);
    const mute = meant.find((policy) => isRegistry(policy) && policy.parent === undefined);
    if (mute && !openShare)
      throw new TypeError(`health: the registry '${name}' has no parent: say from which openShare on it is down`);
  }
  return all;
}

/** For how long, and what is left of its sleep: 0 if the next call is a probe. A sleep under a state that was set ends nothing. */
function timesOf(breaker: CircuitBreaker): { sinceMs?: number; retryAfterMs?: number; recovering: boolean } {
  const { sleepMs = 0, openForMs, woken, halfOpenForMs, ramp, forced } = breaker.toJSON();
  const sinceMs = openForMs ?? halfOpenForMs;
  const sleepLeftMs = openForMs === undefined ? undefined : woken ? 0 : Math.max(0, sleepMs - openForMs);
  const leftMs = forced ? forced.expiresInMs : sleepLeftMs;
  return {
    ...(sinceMs === undefined ? {} : { sinceMs: Math.round(sinceMs) }),
    ...(leftMs === undefined ? {} : { retryAfterMs: Math.ceil(leftMs) }),
    recovering: ramp !== undefined && ramp.elapsedMs < (breaker.settings.recovery?.rampMs ?? 0),
  };
}

const endings = {
  no: undefined,
  draining: 'draining: calls at work end, new ones are refused',
  disposed: 'disposed: every call is refused',
};

/** What the report says of one that takes no more calls: no probe will bring it back. */
function endOf({ ending }: CircuitBreaker | Registry): Pick<BreakerHealth, 'why' | 'ending'> | undefined {
  const why = endings[ending];
  return ending === 'no' || why === undefined ? undefined : { ending, why };
}

/** Whether it refuses every call. One that is due for a probe does not: without calls it would stay open for ever. */
const isRefusing = ({ ending, state, available }: CircuitBreaker): boolean =>
  endings[ending] !== undefined || ((state === 'open' || state === 'forced-open') && !available);

function ofBreaker(breaker: CircuitBreaker, critical: boolean): BreakerHealth {
  const { name, state } = breaker;
  const { recovering, ...times } = timesOf(breaker);
  const end = endOf(breaker);
  const isTroubled = state === 'open' || state === 'half-open' || state === 'forced-open';
  const status =
    critical && isRefusing(breaker)
      ? 'unavailable'
      : end || isTroubled || (state === 'closed' && recovering)
        ? 'degraded'
        : 'ok';
  return { name, status, critical, state, ...(end ?? { why: breaker.explain(), ...(isTroubled ? times : {}) }) };
}

function ofRegistry(registry: Registry, critical: Critical | undefined): BreakerHealth {
  const { name, parent, size } = registry;
  const { states } = registry.metrics();
  let refusing = 0;
  for (const [, breaker] of registry) if (isRefusing(breaker)) refusing++;
  const end = endOf(registry);
  const over = parent && ofBreaker(parent, critical !== undefined);
  const isDown =
    critical !== undefined && (end || (critical.openShare && refusing > 0 && refusing >= critical.openShare * size));
  const isTroubled = end || (states.open ?? 0) + (states['half-open'] ?? 0) + (states['forced-open'] ?? 0) > 0;
  const own = isDown ? 'unavailable' : isTroubled ? 'degraded' : 'ok';
  const { state, sinceMs, retryAfterMs } = over ?? {};
  return {
    name,
    status: worst([own, over?.status ?? 'ok']),
    critical: critical !== undefined,
    ...(state && { state }),
    states,
    refusing,
    ...(end ?? { why: registry.explain() }),
    ...(end || sinceMs === undefined ? {} : { sinceMs }),
    ...(end || retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
}

const worst = (all: readonly HealthStatus[]): HealthStatus =>
  (['unavailable', 'degraded'] as const).find((status) => all.includes(status)) ?? 'ok';

function replyOf({ status, breakers }: HealthReport): Reply {
  const down = breakers.filter((breaker) => breaker.status === 'unavailable');
  const afterMs = Math.max(0, ...down.map(({ retryAfterMs = 0 }) => retryAfterMs));
  return {
    status: down.length > 0 ? 503 : 200,
    headers: {
      'content-type': 'application/json; charset=utf-8',
      'cache-control': 'no-store',
      ...(afterMs > 0 && { 'retry-after': String(Math.ceil(afterMs / 1_000)) }),
    },
    body: `${JSON.stringify({ status, breakers })}\n`,
  };
}

/**
 * Whether this instance should get requests. Only a breaker declared critical makes it `unavailable`, and only while it refuses every call
 * (one that is drained or disposed of: for good). Everything else makes it `degraded`: an instance that can't reach one dependency can still
 * serve what does not need it. This is for readiness. Never let liveness depend on it: restarting a process mends no dependency. Reading
 * changes nothing.
 *
 * @throws TypeError, RangeError with all faults of the options together
 * @example
 * const ready = health({ policies: [payments, search, hosts], critical: ['payments'] });
 * createServer(ready.handler).listen(8081);
 */
export function health(given: HealthOptions): Health {
  const taken = read('health', given, options);
  const critical = readCritical(taken);
  const check = (): HealthReport => {
    const breakers = taken.policies.map((policy) =>
      isRegistry(policy) ? ofRegistry(policy, critical.get(policy.name)) : ofBreaker(policy, critical.has(policy.name)),
    );
    return { status: worst(breakers.map(({ status }) => status)), breakers };
  };
  const reply = (request: HttpRequest): Reply => onlyRead(request) ?? replyOf(check());
  return Object.assign(check, {
    handler: (request: HttpRequest, response: HttpResponse) => answer(reply(request), request, response),
    fetch: (request: HttpRequest) => answered(reply(request), request),
  });
}
