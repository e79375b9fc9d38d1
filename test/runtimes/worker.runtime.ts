import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bundled } from './bundle.ts';
import { promises } from './promises.ts';
import { installed } from './runtimes.setup.ts';

const config = (flags: readonly string[]): string => `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "main", worker = .main)],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "main")],
);
const main :Workerd.Worker = (
  modules = [(name = "main", esModule = embed "main.js")],
  compatibilityDate = "2026-07-01",
  compatibilityFlags = [${flags.map((flag) => `"${flag}"`)}],
);`;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe.each([
  ['with Node’s modules', ['nodejs_compat']],
  ['without them', []],
])('workerd %s', (_name, flags) => {
  const folder = mkdtempSync(join(tmpdir(), 'recloser-worker-'));
  let worker: ChildProcess;
  let port = '';
  const ask = async (path: string): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/${path}`);
    return response.status === 200 ? response.json() : { status: response.status };
  };
  beforeAll(async () => {
    writeFileSync(join(folder, 'main.js'), await bundled('worker.mjs'));
    writeFileSync(join(folder, 'config.capnp'), config(flags));
    const args = ['serve', join(folder, 'config.capnp'), '--control-fd=3'];
    worker = spawn(installed('.bin/workerd'), args, { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
    const told = worker.stdio[3] as Readable;
    port = await new Promise((resolve) => told.on('data', (text) => resolve(/"port":(\d+)/.exec(text)?.[1] ?? '')));
  });

  afterAll(async () => {
    worker.kill('SIGKILL'); // it would wait for what clients left behind
    await once(worker, 'exit');
    rmSync(folder, { recursive: true });
  });

  describe('in one request', () => {
    let results: Record<string, string>;
    beforeAll(async () => {
      results = ((await ask('promises')) as { answer: Record<string, string> }).answer;
    });
    for (const name of Object.keys(promises)) test(name, () => expect(results[name]).toBe(''));
  });

  test('calls of several requests that hang each time out', async () => {
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 4; i++) {
      calls.push(ask('hang'));
      await sleep(60);
    }
    expect(await Promise.all(calls)).toEqual(Array(4).fill({ error: 'TimeoutError' }));
    expect(await ask('metrics')).toMatchObject({ answer: { timedOutRequests: 4, inFlight: 0 } });
  });

  test('S8: a probe whose request is gone, and its timers with it, does not keep the circuit half-open', async () => {
    expect(await ask('fail')).toEqual({ error: 'Error' });
    expect(await ask('probe-and-leave')).toEqual({ answer: 'left' });
    expect(await ask('probe')).toEqual({ error: 'CircuitOpenError' });
    await sleep(500);
    expect(await ask('probe')).toEqual({ answer: 'back' });
  });

  test('nobody joins work whose request is gone for ever', async () => {
    expect(await ask('fly-and-leave')).toEqual({ answer: 'left' });
    await sleep(300);
    expect(await ask('fly')).toEqual({ answer: 'landed' });
  });

  // (Where there are no async contexts, nobody can tell one request from another.)
  test.runIf(flags.length > 0)(
    'waiting for a place that another request holds ends in a refusal, and harms neither that one nor the place',
    async () => {
      const ends = await Promise.all(Array.from({ length: 4 }, () => ask('queue')));
      expect(ends.filter((end) => (end as { answer?: string }).answer === 'served').length).toBeGreaterThan(0);
      for (const end of ends) expect([{ answer: 'served' }, { error: 'BulkheadFullError' }]).toContainEqual(end);
      expect(await ask('free')).toMatchObject({ answer: { inFlight: 1, queued: 0 } });
    },
  );

  test('work that the request waits for with waitUntil gives its place back, although it was answered before', async () => {
    expect(await ask('hold-and-leave')).toEqual({ answer: 'left' });
    await sleep(500);
    expect(await ask('hold')).toEqual({ answer: 'held' });
  });
});
