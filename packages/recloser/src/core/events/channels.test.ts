import { channel as nodeChannel, subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, describe, expect, test, vi } from 'vitest';
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
  registry,
  retry,
  timeout,
} from '../../index.ts';
import { manualClock } from '../../testing/index.ts';

const heard: { name: string; message: { policy: { name: string }; event: string; payload: unknown } }[] = [];
const listener = (message: unknown, name: string | symbol): void => {
  heard.push({ name: String(name), message: message as (typeof heard)[0]['message'] });
};
const listened = new Set<string>();
function listen(...names: string[]): void {
  for (const name of names) {
    subscribe(name, listener);
    listened.add(name);
  }
}

afterEach(() => {
  for (const name of listened) unsubscribe(name, listener);
  listened.clear();
  heard.length = 0;
});

const failing = (): never => {
  throw new Error('down');
};

describe('the channels of node:diagnostics_channel', () => {
  test('a policy tells its beginning and its end, whatever its kind', () => {
    listen('recloser:policy:created', 'recloser:policy:disposed');
    const made = [
      circuitBreaker(),
      retry(),
      timeout(10),
      bulkhead({ maxConcurrent: 1 }),
      adaptiveConcurrency(),
      adaptiveThrottle(),
      rateLimit({ permits: 1, windowMs: 1_000 }),
      hedge({ delayMs: 10 }),
      fallback(1),
      cache(10),
      coalesce(),
      chaos({ rate: 0, fault: true }),
      registry(),
    ];
    expect(heard.map(({ message }) => message.policy)).toEqual(made);
    const [breaker] = made;
    (breaker as ReturnType<typeof circuitBreaker>).dispose();
    expect(heard.at(-1)).toEqual({
      name: 'recloser:policy:disposed',
      message: { policy: breaker, event: 'disposed', payload: undefined },
    });
  });

  test('its end is told once, however often it is brought about', async () => {
    const breaker = circuitBreaker();
    const services = registry({ parent: {} });
    const all = [breaker, services, services.get('a'), services.parent];
    listen('recloser:policy:disposed');
    breaker.dispose();
    for (let i = 0; i < 2; i++) {
      await breaker.drain();
      breaker.dispose();
      await services.drain();
      services.dispose();
    }
    expect(heard).toHaveLength(all.length);
    expect(new Set(heard.map(({ message }) => message.policy))).toEqual(new Set(all));
  });

  test('what listeners of the policy hear, subscribers hear as well, and before them', async () => {
    listen('recloser:circuit-breaker:opened');
    const breaker = circuitBreaker({ name: 'payments', failureThreshold: 1 });
    const order: number[] = [];
    breaker.on('opened', () => order.push(heard.length));
    await breaker.execute(failing).catch(() => {});
    expect(order).toEqual([1]);
    const { name, message } = heard[0] as (typeof heard)[0];
    expect(name).toBe('recloser:circuit-breaker:opened');
    expect(message).toMatchObject({ policy: { name: 'payments' }, event: 'opened', payload: { from: 'closed' } });
    expect(message.policy).toBe(breaker);
  });

  test('an event that nobody subscribed to is not told', async () => {
    listen('recloser:circuit-breaker:failed');
    const breaker = circuitBreaker();
    await breaker.execute(() => 1);
    expect(heard).toEqual([]);
  });

  test('S17: durations are taken while somebody subscribes to how calls end, and only then', async () => {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock });
    const slow = (): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimeout(resolve, 30);
      });
    const told: number[] = [];
    breaker.on('succeeded', ({ elapsedMs }) => told.push(elapsedMs));
    const first = breaker.execute(slow);
    await clock.advance(30);
    await first;
    listen('recloser:circuit-breaker:succeeded');
    const second = breaker.execute(slow);
    await clock.advance(30);
    await second;
    expect(told).toEqual([0, 30]);
    expect(heard.map(({ message }) => message.payload)).toMatchObject([{ elapsedMs: 30, end: 'settled' }]);
  });

  test('how a call ended is told: by itself, by its time limit, by its caller', async () => {
    const clock = manualClock();
    listen('recloser:circuit-breaker:failed', 'recloser:circuit-breaker:ignored');
    const breaker = circuitBreaker({ clock, timeoutMs: 10 });
    const never = (): Promise<void> => new Promise(() => {});
    const gaveUp = new AbortController();
    const ended = Promise.allSettled([
      breaker.execute(failing),
      breaker.execute(never),
      breaker.execute(never, { signal: gaveUp.signal }),
    ]);
    gaveUp.abort();
    await clock.advance(10);
    await ended;
    const ends = heard.map(({ message }) => [message.event, (message.payload as { end: string }).end]);
    expect(ends.sort()).toEqual([
      ['failed', 'settled'],
      ['failed', 'timed-out'],
      ['ignored', 'aborted'],
    ]);
  });

  test('the fallback of a breaker tells whether it had an answer', async () => {
    listen('recloser:circuit-breaker:fell-back', 'recloser:circuit-breaker:fallback-failed');
    const breaker = circuitBreaker();
    await breaker.execute(failing, { fallback: 'plan B' });
    await breaker.execute(failing, { fallback: failing }).catch(() => {});
    expect(heard.map(({ message }) => message.event)).toEqual(['fell-back', 'fallback-failed']);
  });

  test('that it had none is told also where nobody asks whether it had one', async () => {
    listen('recloser:circuit-breaker:fallback-failed');
    await circuitBreaker()
      .execute(failing, { fallback: failing })
      .catch(() => {});
    expect(heard.map(({ message }) => message.event)).toEqual(['fallback-failed']);
  });

  test('breakers of a registry go by its name in metrics, the one over all keys by another', async () => {
    listen('recloser:circuit-breaker:failed');
    const hosts = registry({ name: 'hosts', parent: { threshold: 0.5 } });
    await hosts.execute(failing, { key: 'a.example' }).catch(() => {});
    expect(heard.map(({ message }) => message.policy)).toMatchObject([{ name: 'a.example', label: 'hosts' }]);
    expect(hosts.parent).toMatchObject({ name: 'hosts', label: 'hosts/parent' });
  });

  test('retry tells every call with its attempts', async () => {
    const clock = manualClock();
    listen('recloser:retry:settled');
    const policy = retry({ clock, attempts: 3, backoff: () => 0 });
    await policy.execute(() => 1);
    let calls = 0;
    await policy.execute(() => (++calls < 3 ? failing() : calls));
    await policy.execute(failing).catch(() => {});
    expect(heard.map(({ message }) => message.payload)).toMatchObject([
      { attempts: 1, verdict: 'success' },
      { attempts: 3, verdict: 'success' },
      { attempts: 3, verdict: 'failure' },
    ]);
  });

  test('a call that waited for a place tells how long', async () => {
    const clock = manualClock();
    listen('recloser:bulkhead:dequeued');
    const policy = bulkhead({ clock, maxConcurrent: 1, maxQueue: 1 });
    const work = (): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimeout(resolve, 20);
      });
    const both = [policy.execute(work), policy.execute(work)];
    await clock.advance(40);
    await Promise.all(both);
    expect(heard.map(({ message }) => message.payload)).toMatchObject([{ waitedMs: 20 }]);
  });
});

describe('where there is no node:diagnostics_channel', () => {
  test('channels stand ready for whoever brings them to life, one of a name for all copies of the package', async () => {
    vi.resetModules();
    const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    try {
      const { channel } = await import('./channels.ts');
      const own = channel('recloser:test:own');
      expect(own).not.toBe(nodeChannel('recloser:test:own'));
      expect(own.hasSubscribers).toBe(false);
      own.publish({ policy: {}, event: 'own', payload: 1 });
      vi.resetModules();
      const copy = await import('./channels.ts');
      expect(copy.channel('recloser:test:own')).toBe(own);
    } finally {
      spy.mockRestore();
      vi.resetModules();
    }
  });
});
