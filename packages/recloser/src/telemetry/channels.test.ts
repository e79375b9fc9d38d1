import { channel } from 'node:diagnostics_channel';
import { circuitBreaker, RejectedError, retry } from 'recloser';
import { channelNames, subscribe } from 'recloser/telemetry';
import { manualClock } from 'recloser/testing';
import { afterEach, describe, expect, test, vi } from 'vitest';

const failing = (): never => {
  throw new Error('down');
};

describe('subscribe', () => {
  test('hears of every policy, with the policy, until it is taken off', async () => {
    const seen: string[] = [];
    const off = subscribe('recloser:circuit-breaker:opened', ({ policy, payload }, name) => {
      seen.push(`${name} ${policy.kind} ${policy.label} ${payload.from}>${payload.to}`);
    });
    const open = async (name: string): Promise<void> => {
      const breaker = circuitBreaker({ name, failureThreshold: 1 });
      await breaker.execute(failing).catch(() => {});
    };
    await open('a');
    await open('b');
    off();
    await open('c');
    expect(seen).toEqual([
      'recloser:circuit-breaker:opened circuit-breaker a closed>open',
      'recloser:circuit-breaker:opened circuit-breaker b closed>open',
    ]);
  });

  test('one that is given twice is two, and each is taken off by itself', () => {
    let told = 0;
    const subscriber = (): void => void told++;
    const first = subscribe('recloser:policy:created', subscriber);
    const second = subscribe('recloser:policy:created', subscriber);
    retry();
    first();
    retry();
    second();
    retry();
    expect(told).toBe(3);
  });

  test('whoever hears of ignored or timed-out calls alone gets their key and how long they took', async () => {
    const clock = manualClock();
    const seen: unknown[] = [];
    const take = ({ payload }: { readonly payload: { readonly key?: unknown; readonly elapsedMs: number } }): void => {
      seen.push([payload.key, payload.elapsedMs]);
    };
    const offs = [
      subscribe('recloser:circuit-breaker:ignored', take),
      subscribe('recloser:circuit-breaker:timed-out', take),
    ];
    const after = (ms: number) => () => new Promise((_, reject) => void clock.setTimeout(() => reject(refusal), ms));
    const refusal = new RejectedError('further in', { breaker: 'inner', reason: 'open' });
    const breaker = circuitBreaker({ clock, latency: false });
    const late = circuitBreaker({ clock, timeoutMs: 70, latency: false });
    const calls = [breaker.execute(after(30), { key: 'ana' }), late.execute(after(100), { key: 'ben' })];
    const settled = Promise.allSettled(calls);
    await clock.advance(100);
    await settled;
    for (const off of offs) off();
    expect(seen).toEqual([
      ['ana', 30],
      ['ben', 70],
    ]);
    expect(channel('recloser:circuit-breaker:failed').hasSubscribers).toBe(false);
  });

  test('bad input gets one clear error', () => {
    expect(() => subscribe('recloser:nothing' as never, () => {})).toThrow(
      /no channel 'recloser:nothing' \(known: recloser:/,
    );
    expect(() => subscribe('recloser:policy:created', 1 as never)).toThrow('the subscriber must be a function');
  });

  test('every policy has its channels', () => {
    expect(channelNames.length).toBe(new Set(channelNames).size);
    expect(channelNames).toContain('recloser:adaptive-concurrency:limit-changed');
  });
});

describe('where there is no node:diagnostics_channel', () => {
  afterEach(() => {
    vi.restoreAllMocks();
    vi.resetModules();
  });

  test('it is the same: all subscribers hear, a fault of one reaches neither the call nor the others', async () => {
    vi.resetModules();
    vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined as never);
    const library = await import('../index.ts');
    const telemetry = await import('./index.ts');
    const faults: unknown[] = [];
    const others = process.listeners('unhandledRejection');
    process.removeAllListeners('unhandledRejection');
    process.on('unhandledRejection', (fault) => faults.push(fault));
    try {
      const seen: unknown[] = [];
      const breaker = library.circuitBreaker({ name: 'early' });
      const offs = [
        telemetry.subscribe('recloser:circuit-breaker:failed', () => {
          throw new Error('mine');
        }),
        telemetry.subscribe('recloser:circuit-breaker:failed', ({ policy }) => seen.push(policy.name)),
      ];
      await expect(breaker.execute(failing)).rejects.toThrow('down');
      for (const off of offs) off();
      await breaker.execute(failing).catch(() => {});
      await new Promise((resolve) => setImmediate(resolve));
      expect(seen).toEqual(['early']);
      expect(faults).toMatchObject([{ message: 'mine' }]);
    } finally {
      process.removeAllListeners('unhandledRejection');
      for (const other of others) process.on('unhandledRejection', other);
    }
  });
});
