import { AsyncLocalStorage } from 'node:async_hooks';
import { runInNewContext } from 'node:vm';
import {
  bulkhead,
  type CircuitBreaker,
  chaos,
  circuitBreaker,
  rateLimit,
  registry,
  retry,
  retryBudget,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type LogOptions, log, messageFirst } from './index.ts';

interface Heard {
  readonly level: string;
  readonly entry: Record<string, unknown>;
  readonly message: string;
}

let clock = manualClock();
let lines: Heard[] = [];
const stops: (() => void)[] = [];

beforeEach(() => {
  clock = manualClock();
  lines = [];
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.restoreAllMocks();
});

const take =
  (level: string) =>
  (entry: object, message: string): void =>
    void lines.push({ level, entry: entry as Record<string, unknown>, message });
const logger = { info: take('info'), warn: take('warn'), error: take('error') };

function listen(options: LogOptions = {}): () => void {
  const stop = log(logger, { clock, ...options });
  stops.push(stop);
  return stop;
}

const down = Object.assign(new Error('connect ETIMEDOUT https://ana:hunter2@pay.example'), { code: 'ETIMEDOUT' });
const failing = (): never => {
  throw down;
};
const call = (breaker: { execute: CircuitBreaker['execute'] }, fn: () => unknown = failing, key?: string) =>
  breaker.execute(fn, key === undefined ? {} : { key }).catch(() => {});

const make = (name = 'payments') =>
  circuitBreaker({ name, clock, failureThreshold: 2, sleepWindowMs: 1_000, successThreshold: 1 });

test('what callers choose makes no second line', async () => {
  listen();
  const hosts = registry({ name: 'hosts', clock, defaults: { failureThreshold: 1 } });
  const key = 'b\r\nhosts/c: closed\u2028\u001b[2J';
  await call(hosts, failing, key);
  hosts.get(key).forceOpen({ reason: 'one\ntwo' });
  expect(lines.map(({ message }) => message)).toEqual([
    expect.stringMatching(/^hosts\/b hosts\/c: closed \[2J: closed → open: /),
    'hosts/b hosts/c: closed [2J: forced, open → forced-open until released: one two',
  ]);
  expect(lines[1]?.entry).toMatchObject({ breaker: key, reason: 'one\ntwo' });
});

test('a transition is one line with the whole evidence, in words and in figures', async () => {
  listen();
  const breaker = make();
  await call(breaker);
  await call(breaker);
  expect(lines).toEqual([
    {
      level: 'warn',
      message: 'payments: closed → open: 2 consecutive failures (ETIMEDOUT ×2), probes in 1 s',
      entry: {
        event: 'recloser.circuit_breaker.transition',
        breaker: 'payments',
        from: 'closed',
        to: 'open',
        generation: 2,
        why: '2 consecutive failures (ETIMEDOUT ×2)',
        retryAfterMs: 1_000,
        evidence: expect.objectContaining({
          rule: 'consecutiveFailures',
          value: 2,
          threshold: 2,
          topErrors: [{ name: 'ETIMEDOUT', count: 2 }],
          lastError: { name: 'ETIMEDOUT', message: down.message },
        }),
      },
    },
  ]);
  await clock.advance(1_000);
  await call(breaker, () => 1);
  expect(lines.slice(1).map(({ level, entry }) => [level, entry.from, entry.to])).toEqual([
    ['info', 'open', 'half-open'],
    ['info', 'half-open', 'closed'],
  ]);
  expect(() => JSON.stringify(lines)).not.toThrow();
});

test('a transition tells the trace of the call it happened in, and is told without one where that can’t be said', async () => {
  const trace = new AsyncLocalStorage<string>();
  listen({ traceId: () => trace.getStore() });
  const breaker = make();
  await Promise.all(['7f3a', '81bc'].map((id) => trace.run(id, () => call(breaker, async () => failing()))));
  expect(lines.map(({ entry }) => entry.trace_id)).toEqual(['81bc']);
  await clock.advance(1_000);
  await call(breaker, () => 1);
  expect(lines).toHaveLength(3);
  expect(lines[2]?.entry.trace_id).toBeUndefined();
  lines.length = 0;
  listen({
    traceId: () => {
      throw new Error('no tracer');
    },
  });
  // Async by mistake: that it rejects is no unhandled rejection.
  listen({ traceId: (() => Promise.reject(new Error('no tracer'))) as never });
  await Promise.all([call(breaker), call(breaker)]);
  expect(lines.map(({ entry }) => entry.to)).toEqual(['open', 'open', 'open']);
  expect(lines[2]?.entry.trace_id).toBeUndefined();
});

test('error messages are logged as `redact` leaves them, and not at all where it fails', async () => {
  const evidenceOf = async (redact: LogOptions['redact']) => {
    const stop = listen({ redact });
    lines = [];
    const breaker = make();
    await call(breaker);
    await call(breaker);
    stop();
    return (lines[0]!.entry.evidence as { lastError: unknown }).lastError;
  };
  expect(await evidenceOf((message) => message.replace(/\/\/.*@/, '//…@'))).toEqual({
    name: 'ETIMEDOUT',
    message: 'connect ETIMEDOUT https://…@pay.example',
  });
  expect(await evidenceOf(() => undefined)).toEqual({ name: 'ETIMEDOUT' });
  expect(await evidenceOf(failing)).toEqual({ name: 'ETIMEDOUT' });
  expect(await evidenceOf((async () => failing()) as never)).toEqual({ name: 'ETIMEDOUT' });
});

test('what people do is a line each: who, why and for how long', async () => {
  listen();
  const breaker = make();
  breaker.forceOpen({ by: 'ana', reason: 'vendor incident', expiresInMs: 60_000 });
  breaker.release({ by: 'ben' });
  breaker.disable();
  breaker.reset({ reason: 'over' });
  breaker.update({ sleepWindowMs: 2_000 });
  const told = lines.filter(({ entry }) => entry.event !== 'recloser.circuit_breaker.transition');
  expect(told.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'warn payments: forced, closed → forced-open for 1 min by ana: vendor incident',
    'info payments: released, forced-open → closed by ben',
    'warn payments: forced, closed → disabled until released',
    'info payments: reset, disabled → closed: over',
    'info payments: changed sleepWindowMs',
  ]);
  expect(told[0]?.entry).toEqual({
    event: 'recloser.circuit_breaker.action',
    breaker: 'payments',
    action: 'forced',
    from: 'closed',
    to: 'forced-open',
    by: 'ana',
    reason: 'vendor incident',
    expiresInMs: 60_000,
  });
});

test('the first refusal is told at once, the rest no more than once in 10 s with how many, the last ones too', async () => {
  listen({ levels: { opened: 'off', forced: 'off' } });
  const breaker = make();
  breaker.forceOpen();
  for (let second = 0; second < 25; second++) {
    for (let i = 0; i < 100; i++) await call(breaker);
    await clock.advance(1_000);
  }
  await clock.advance(60_000);
  expect(lines.map(({ message }) => message)).toEqual([
    'payments: refused 1 call (forced-open)',
    'payments: refused 999 calls in 10 s (forced-open ×999)',
    'payments: refused 1000 calls in 10 s (forced-open ×1000)',
    'payments: refused 500 calls in 10 s (forced-open ×500)',
  ]);
  const told = lines.map(({ entry }) => entry.count as number).reduce((sum, count) => sum + count);
  expect(told).toBe(breaker.metrics().rejectedRequests);
  expect(clock.pending).toBe(0);
  await call(breaker);
  expect(lines.at(-1)?.entry).toMatchObject({
    event: 'recloser.circuit_breaker.rejections',
    breaker: 'payments',
    count: 1,
    reasons: { 'forced-open': 1 },
  });
});

test('thousands of keys of a registry share the lines of its name, and keys stay out of them', async () => {
  listen({ levels: { opened: 'off' } });
  const hosts = registry({ name: 'hosts', clock, defaults: { failureThreshold: 1 } });
  for (let i = 0; i < 500; i++) {
    await call(hosts, failing, `tenant-${i}`);
    await call(hosts, failing, `tenant-${i}`);
  }
  await clock.advance(10_000);
  hosts.update({ defaults: { sleepWindowMs: 5 } });
  await clock.advance(10_000);
  expect(lines.map(({ message }) => message)).toEqual([
    'hosts: refused 1 call (open)',
    'hosts: refused 499 calls in 10 s (open ×499)',
    '1 breaker of hosts: changed sleepWindowMs',
    '499 breakers of hosts: changed sleepWindowMs',
  ]);
  expect(JSON.stringify(lines)).not.toContain('tenant-');
});

test('a transition of a key names key and registry, one of the parent the parent', async () => {
  listen({ levels: { rejected: 'off' } });
  const hosts = registry({
    name: 'hosts',
    clock,
    defaults: { failureThreshold: 1 },
    parent: { threshold: 0.5, minimumOpen: 2 },
  });
  await call(hosts, failing, 'a.example');
  await call(hosts, failing, 'b.example');
  expect(lines.map(({ message }) => message.split(':', 1)[0])).toEqual([
    'hosts/a.example',
    'hosts/b.example',
    'hosts/parent',
  ]);
  expect(lines[0]?.entry).toMatchObject({ breaker: 'a.example', label: 'hosts' });
  expect(lines[2]?.entry).toMatchObject({ breaker: 'hosts', label: 'hosts/parent' });
  hosts.get('a.example').update({ timeoutMs: 50 });
  expect(lines.at(-1)?.entry).toMatchObject({ label: 'hosts', changed: ['timeoutMs'] });
});

test('refusals of every kind of policy are told, each with its reason', async () => {
  listen();
  const limited = rateLimit({ clock, name: 'api', permits: 1, windowMs: 1_000 });
  await call(limited, () => 1);
  await call(limited, () => 1);
  const spent = retryBudget({ clock, share: 0, minPerSecond: 0 });
  await call(retry({ clock, name: 'again', backoff: () => 0, budget: spent }));
  expect(lines.map(({ entry }) => entry)).toMatchObject([
    { event: 'recloser.rate_limit.rejections', policy: 'api', kind: 'rate-limit', reasons: { 'rate-limited': 1 } },
    { event: 'recloser.retry.rejections', policy: 'again', kind: 'retry', reasons: { budget: 1 } },
  ]);
});

test('chaos switched on and off, and work that was given up, are told', async () => {
  listen();
  const monkey = chaos({ clock, name: 'prices', rate: 0.5, fault: true });
  monkey.enable({ by: 'ada', reason: 'game day', expiresInMs: 600_000 });
  monkey.disable({ by: 'ada' });
  monkey.enable();
  const places = bulkhead({ clock, name: 'places', maxConcurrent: 1, abandonAfterMs: 10 } as never);
  const gaveUp = new AbortController();
  const hung = places.execute(() => new Promise(() => {}), { signal: gaveUp.signal }).catch(() => {});
  gaveUp.abort();
  await hung;
  await clock.advance(20);
  expect(lines.map(({ level, message }) => `${level} ${message}`)).toEqual([
    'warn prices: chaos enabled for 10 min by ada: game day',
    'info prices: chaos disabled by ada',
    'warn prices: chaos enabled',
    'warn places: gave up on 1 piece of work',
  ]);
  expect(lines[2]?.entry).not.toHaveProperty('expiresInMs');
});

test('a broken logger reaches no call, and is told once', async () => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  const broken = { info: failing, warn: () => Promise.reject(down), error: failing };
  stops.push(log(broken, { clock }));
  const breaker = make();
  await expect(breaker.execute(() => 7)).resolves.toBe(7);
  await expect(breaker.execute(failing)).rejects.toBe(down);
  await expect(breaker.execute(failing)).rejects.toBe(down);
  await expect(breaker.execute(failing)).rejects.toMatchObject({ code: 'ERR_CIRCUIT_OPEN' });
  breaker.reset();
  expect(printed.mock.calls).toEqual([['recloser: the logger given to log() threw (told once):', down]]);
});

const having = (then: (resolve: unknown, reject: (fault: unknown) => void) => void): object =>
  Object.defineProperty({}, 'then', { value: then });

test.each<[string, () => unknown]>([
  ['another realm', runInNewContext('async (fault) => { throw fault; }').bind(undefined, down)],
  ['a library', () => having((_, reject) => reject(down))],
])('a logger whose promise is of %s and rejects is told of, and nothing is left unhandled', async (_, rejecting) => {
  const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
  stops.push(log({ ...logger, warn: rejecting }, { clock }));
  make().forceOpen();
  await new Promise((resolve) => setImmediate(resolve));
  expect(printed.mock.calls).toEqual([['recloser: the logger given to log() threw (told once):', down]]);
});

test('a logger whose own transport is refused is not told of that without end', async () => {
  const transport = make('log-transport');
  transport.forceOpen();
  const write = (entry: object, message: string): void => {
    take('info')(entry, message);
    void call(transport);
  };
  stops.push(log({ info: write, warn: write, error: write }, { clock }));
  await call(transport);
  expect(lines).toHaveLength(1);
});

test('after it is stopped nothing is logged but the refusals not told yet', async () => {
  const stop = listen();
  const breaker = make();
  breaker.forceOpen();
  await call(breaker);
  await call(breaker);
  await clock.advance(3_000);
  stop();
  stop();
  await call(breaker);
  breaker.release();
  await clock.advance(60_000);
  expect(lines.map(({ message }) => message)).toEqual([
    'payments: forced, closed → forced-open until released',
    'payments: refused 1 call (forced-open)',
    'payments: refused 1 call in 3 s (forced-open)',
  ]);
  expect(clock.pending).toBe(0);
});

test('levels are yours, and loggers that want the message first are served', async () => {
  const told: unknown[] = [];
  const winston = {
    info: () => {},
    warn: () => {},
    error: (message: string, { event }: object & { event?: string }) => told.push([message, event]),
  };
  stops.push(log(messageFirst(winston), { clock, levels: { forced: 'error' } }));
  make().forceOpen();
  expect(told).toEqual([['payments: forced, closed → forced-open until released', 'recloser.circuit_breaker.action']]);
});

test('bad input gets one clear error', () => {
  expect(() => log({ info: () => {} } as never)).toThrow(/logger must be a logger with warn,error/);
  expect(() => log(logger, { rejectionsEveryMs: 0, levels: { opened: 'loud' } } as never)).toThrow(
    /rejectionsEveryMs must be .* got 0; levels.opened must be one of .* got 'loud'/,
  );
});
