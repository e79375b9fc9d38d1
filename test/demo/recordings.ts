import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

export interface RecordedCall {
  readonly durationMs: number;
  readonly outcome: string;
  readonly status?: number;
}

const directory = mkdtempSync(join(tmpdir(), 'recloser-outage-'));
afterAll(() => rmSync(directory, { recursive: true }));

export function fileWith(name: string, text: string): string {
  const path = join(directory, name);
  writeFileSync(path, text);
  return path;
}

const dependencies = ['orders', 'payments, third party', 'stock', 'users'];

/** A recording of four dependencies, each called five times a second for a minute, the calls told by `callOf`. */
export function recordingOf(name: string, callOf: (dependency: string, atMs: number) => RecordedCall): string {
  const rows = Array.from({ length: 1_200 }, (_, i) => {
    const dependency = dependencies[i % 4] as string;
    const { durationMs, outcome, status } = callOf(dependency, i * 50);
    return `${i * 50},"${dependency}",GET /,${durationMs},${outcome},${status ?? ''}`;
  });
  return fileWith(name, ['t_ms,dependency,operation,duration_ms,outcome,status', ...rows, ''].join('\r\n'));
}
