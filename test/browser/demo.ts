import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { fileWith, type RecordedCall } from '../demo/recordings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Demo {
  readonly child: ChildProcess;
  readonly url: string;
  /** What it printed, when it has ended. */
  readonly ended: Promise<string>;
  /** Where it says its incident is, when it has ended. */
  readonly incident: Promise<string | undefined>;
}

/** Starts the demo as `npm start` does, and waits for the address it prints. */
export function demo(...args: string[]): Promise<Demo> {
  const child = spawn(process.execPath, ['--import', 'tsx', 'examples/outage/main.ts', ...args], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let [out, all] = ['', ''];
  const ended = new Promise<string>((resolve) => child.once('close', () => resolve(out)));
  const incident = ended.then(() => /--open (\S+)/.exec(all)?.[1]);
  child.stdout.on('data', (data: Buffer) => (out += data));
  return new Promise((resolve, reject) => {
    const look = (data: Buffer) => {
      all += data;
      const [, url] = /(http:\/\/127\.0\.0\.1:\d+\/)/.exec(all) ?? [];
      if (url !== undefined) resolve({ child, url, ended, incident });
    };
    child.stdout.on('data', look);
    child.stderr.on('data', look);
    child.once('close', () => reject(new Error(all)));
  });
}

const dependencies = [
  'payments',
  'search',
  'inventory',
  'pricing',
  'shipping',
  'identity',
  'catalogue',
  'notifications',
];

function callOf(dependency: string, i: number, atMs: number): RecordedCall {
  const durationMs = 20 + ((i * 7) % 90);
  if (dependency === 'payments' && atMs > 20_000) return { durationMs: 45_000, outcome: 'error' };
  if (dependency === 'search' && atMs > 30_000 && i % 3 > 0) return { durationMs, outcome: 'error', status: 503 };
  if (dependency === 'inventory' && i % 6 === 0) return { durationMs, outcome: 'error', status: 500 };
  return { durationMs, outcome: 'ok', status: 200 };
}

/** Two minutes of eight dependencies: one begins to hang, one to fail, one is ailing. */
export function outage(): string {
  const rows = Array.from({ length: 9_600 }, (_, i) => {
    const dependency = dependencies[i % dependencies.length] as string;
    const atMs = Math.round(i * 12.5);
    const { durationMs, outcome, status } = callOf(dependency, Math.floor(i / dependencies.length), atMs);
    return `${atMs},${dependency},GET /,${durationMs},${outcome},${status ?? ''}`;
  });
  return fileWith('outage.csv', ['t_ms,dependency,operation,duration_ms,outcome,status', ...rows, ''].join('\n'));
}
