import { connect, type Socket } from 'node:net';
import { type CircuitBreaker, circuitBreaker, failureRate } from 'recloser';
import { manualClock } from 'recloser/testing';
import { afterEach, expect, test } from 'vitest';
import { Feed } from '../../packages/dashboard/src/feed/feed.ts';
import { Hub } from '../../packages/dashboard/src/streams/hub.ts';
import { page, serving } from '../dashboard/servers.ts';

const trip = failureRate({ threshold: 0.5, windowMs: 10_000 });
const many = (count: number): CircuitBreaker[] =>
  Array.from({ length: count }, (_, i) => circuitBreaker({ name: `b${i}`, trip }));
const mega = 2 ** 20;

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
  let bytes = 0;
  const sink = {
    write: (chunk: Uint8Array) => void (bytes += chunk.length),
    buffered: 0,
    close: () => {},
    onClose: () => {},
  };
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
  return { clock, feed, told: () => bytes };
}

const ending: (() => void)[] = [];
afterEach(() => {
  for (const end of ending.splice(0)) end();
});

test('500 breakers, all busy, an open page: the feed takes 3 % of a core at most', { timeout: 60_000 }, async () => {
  const breakers = many(500);
  const { clock, told } = watched(breakers);
  let usedMs = 0;
  const seconds = 40;
  for (let second = 0; second < 10 + seconds; second++) {
    traffic(breakers, 20, second);
    const before = process.cpuUsage();
    await clock.advance(1_000);
    const { user, system } = process.cpuUsage(before);
    // The first ones warm up.
    if (second >= 10) usedMs += (user + system) / 1_000;
  }
  console.log(
    `the feed of 500 busy breakers: ${(usedMs / seconds / 10).toFixed(2)} % of a core, ${Math.round(told() / 50 / 1_000)} kB a second`,
  );
  expect(usedMs / seconds).toBeLessThanOrEqual(30);
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
