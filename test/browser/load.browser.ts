import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { dashboard } from '@recloser/dashboard';
import { type CircuitBreaker, type Clock, circuitBreaker, failureRate } from 'recloser';
import { manualClock } from 'recloser/testing';
import { afterEach, expect, test } from 'vitest';
import { Feed } from '../../packages/dashboard/src/feed/feed.ts';
import { Hub } from '../../packages/dashboard/src/streams/hub.ts';
import { page, serving } from '../dashboard/servers.ts';

const trip = failureRate({ threshold: 0.5, windowMs: 10_000 });
const many = (count: number): CircuitBreaker[] =>
  Array.from({ length: count }, (_, i) => circuitBreaker({ name: `b${i}`, trip }));
const mega = 2 ** 20;
const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

/** `calls` to each breaker, in latencies from 1 ms to a second. */
function traffic(breakers: readonly CircuitBreaker[], calls: number, second: number): void {
  for (const [i, breaker] of breakers.entries()) {
    for (let call = 0; call < calls; call++) {
      const permit = breaker.acquire();
      const ms = 2 ** (((i + call * 7 + second) % 100) / 10);
      if ((i + call) % 20 === 0) permit?.failure(new Error('down'), ms);
      else permit?.success(ms);
    }
  }
}

function watched(breakers: CircuitBreaker[], historyBytes = 64 * mega) {
  const clock = manualClock();
  const sink = { write: () => {}, buffered: 0, close: () => {}, onClose: () => {} };
  const feed = new Feed(
    {
      breakers,
      instance: 'here',
      clock,
      historyBytes,
      report: (fault) => {
        throw fault;
      },
    },
    (change) => hub.publish('change', change),
  );
  const hub = new Hub({ clock, maxStreams: 10, snapshot: () => feed.state() });
  hub.open(sink, undefined);
  ending.push(() => feed.close());
  return { clock, feed };
}

const ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end();
});

const down = new Error('down');
const good = async (): Promise<number> => 1;
const bad = async (): Promise<never> => {
  throw down;
};

/**
 * Calls to all of them at a steady rate, however busy the machine is: what is owed is made. Of every other one the latency is told, from
 * 1 ms to a second; one in twenty fails; a fiftieth of the breakers is down.
 */
function busy(breakers: readonly CircuitBreaker[], perSecond: number): { readonly made: number } {
  const load = { made: 0 };
  const began = performance.now();
  const timer = setInterval(() => {
    for (const due = ((performance.now() - began) / 1_000) * perSecond; load.made < due; load.made++) {
      const at = load.made % breakers.length;
      const round = Math.floor(load.made / breakers.length);
      const breaker = breakers[at] as CircuitBreaker;
      const fails = at % 50 === 0 || (at + round) % 20 === 0;
      if (round % 2 === 0) breaker.execute(fails ? bad : good).catch(() => {});
      else {
        const permit = breaker.acquire();
        const ms = 2 ** (((at + round * 7) % 100) / 10);
        if (fails) permit?.failure(down, ms);
        else permit?.success(ms);
      }
    }
  }, 5);
  ending.push(() => clearInterval(timer));
  return load;
}

/** A reader of the page's stream in a process of its own, whose time is not counted here. */
async function reader(port: number): Promise<void> {
  const read = `require('node:http').get('http://127.0.0.1:${port}/api/stream', (r) => r.resume().once('data', () => console.log()))`;
  const child = spawn(process.execPath, ['-e', read], { stdio: ['ignore', 'pipe', 'inherit'] });
  ending.push(() => child.kill());
  await once(child.stdout, 'data');
}

/** Of this process, all its threads, in milliseconds. */
const cpuMs = (since?: NodeJS.CpuUsage): number => {
  const { user, system } = process.cpuUsage(since);
  return (user + system) / 1_000;
};

/** A clock that counts what its timers take of the processor: all that the page does by itself, a message to its readers included. */
function countingClock() {
  const counted = { ms: 0 };
  const setTimeout = (callback: () => void, ms: number): unknown =>
    globalThis.setTimeout(() => {
      const before = process.cpuUsage();
      callback();
      counted.ms += cpuMs(before);
    }, ms);
  const clock: Clock = {
    now: () => performance.now(),
    setTimeout,
    clearTimeout: (timer) => clearTimeout(timer as NodeJS.Timeout),
  };
  return { clock, counted };
}

test('500 breakers at 50,000 calls a second, an open page: its feed takes 3 % of a core at most', {
  timeout: 60_000,
}, async () => {
  const breakers = many(500);
  const load = busy(breakers, 50_000);
  const { clock, counted } = countingClock();
  const mounted = dashboard({ breakers, title: 'busy', instance: 'busy', clock });
  ending.push(() => void mounted.close());
  const { url } = await mounted.listen({ port: 0 });
  await reader(Number(new URL(url).port));
  await sleep(3_000);
  const [began, before] = [performance.now(), load.made];
  const taken: number[] = [];
  for (let second = 0; second < 15; second++) {
    const [from, so] = [performance.now(), counted.ms];
    await sleep(1_000);
    taken.push(((counted.ms - so) / (performance.now() - from)) * 100);
  }
  const perSecond = Math.round((load.made - before) / ((performance.now() - began) / 1_000));
  const [least, most] = [Math.min(...taken), Math.max(...taken)];
  console.log(
    `500 breakers, ${perSecond} calls/s: the feed takes ${median(taken).toFixed(1)} % of a core (${least.toFixed(1)} to ${most.toFixed(1)} in a second)`,
  );
  expect(perSecond).toBeGreaterThan(49_000);
  expect(least).toBeGreaterThan(0);
  expect(median(taken)).toBeLessThanOrEqual(3);
});

test('10,000 busy breakers: memory stays within its bounds', { timeout: 120_000 }, async () => {
  const breakers = many(10_000);
  traffic(breakers, 2, 0);
  const used = (): number => {
    globalThis.gc?.();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  };
  const before = used();
  const { clock, feed } = watched(breakers, 16 * mega);
  // One second of so many is more history than may be kept.
  for (let second = 0; second < 6; second++) {
    traffic(breakers, 1, second);
    await clock.advance(1_000);
  }
  const grown = (used() - before) / mega;
  console.log(`10,000 busy breakers: ${grown.toFixed(0)} MiB, ${feed.series.bytes / mega} MiB of it history`);
  expect(feed.series.bytes).toBeLessThanOrEqual(16 * mega);
  expect(grown).toBeLessThan(100);
});

test('200 open streams, 50 of them stalled: those are dropped, the others go on, memory stays bounded', {
  timeout: 180_000,
}, async () => {
  const breakers = many(2_000);
  const { page: mounted } = page({ breakers, maxStreams: 250 });
  const port = await serving(mounted);
  const sockets: Socket[] = [];
  const received = new Map<Socket, number>();
  for (let i = 0; i < 200; i++) {
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /api/stream HTTP/1.1\r\nhost: localhost\r\n\r\n'),
    );
    socket.on('error', () => {});
    if (i < 50) socket.pause();
    else socket.on('data', (chunk) => received.set(socket, (received.get(socket) ?? 0) + chunk.length));
    sockets.push(socket);
  }
  ending.push(() => {
    for (const socket of sockets) socket.destroy();
  });
  const used = (): number => {
    const { heapUsed, external } = process.memoryUsage();
    return (heapUsed + external) / mega;
  };
  let peak = 0;
  const began = performance.now();
  for (let second = 0; mounted.streams.dropped < 50 && performance.now() - began < 150_000; second++) {
    traffic(breakers, 1, second);
    peak = Math.max(peak, used());
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const before = new Map(received);
  traffic(breakers, 1, 0);
  await new Promise((resolve) => setTimeout(resolve, 2_500));
  globalThis.gc?.();
  const settled = used();
  console.log(
    `50 stalled streams were dropped after ${((performance.now() - began) / 1_000).toFixed(0)} s, peak ${peak.toFixed(0)} MiB, ${settled.toFixed(0)} MiB after that`,
  );
  expect(mounted.streams).toEqual({ open: 150, dropped: 50 });
  for (const [socket, bytes] of received) expect(bytes).toBeGreaterThan(before.get(socket) ?? 0);
  expect(received.size).toBe(150);
  expect(peak).toBeLessThan(400);
  expect(settled).toBeLessThan(200);
});
