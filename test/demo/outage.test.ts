import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Report } from '../../examples/outage/report.ts';
import { fileWith, type RecordedCall, recordingOf } from './recordings.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function start(
  command: string,
  args: readonly string[],
): { child: ChildProcess; saw(text: string): Promise<void>; ended: Promise<Ended> } {
  // A group of its own, as a shell gives it: what ends a group does not end the tests.
  const child = spawn(command, args, { cwd: root, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const said = { out: '', err: '' };
  child.stdout?.on('data', (data: Buffer) => (said.out += data));
  child.stderr?.on('data', (data: Buffer) => (said.err += data));
  const saw = async (text: string) => {
    const data = () => Promise.race([once(child.stdout!, 'data'), once(child.stderr!, 'data')]);
    while (!`${said.out}${said.err}`.includes(text)) await data();
  };
  return { child, saw, ended: once(child, 'close').then(([code]) => ({ code: code as number | null, ...said })) };
}

const demo = (...args: string[]) => start(process.execPath, ['--import', 'tsx', 'examples/outage/main.ts', ...args]);
const reportOf = ({ out }: Ended) => JSON.parse(out) as Report;
const openedOf = (report: Report) => report.dependencies.filter(({ opened }) => opened > 0).map(({ name }) => name);

/** Fast, with a client's fault now and then and a failure or a slow call so rare that nobody would open for it. */
function healthyCall(dependency: string, atMs: number): RecordedCall {
  const turn = Math.floor(atMs / 200);
  if (dependency === 'stock' && turn % 2 === 0) return { durationMs: 15, outcome: 'client_error', status: 404 };
  if (turn % 60 === 7) return { durationMs: 40, outcome: 'error' };
  if (turn % 60 === 20) return { durationMs: 900, outcome: 'slow', status: 200 };
  return { durationMs: 10 + (turn % 7) * 12, outcome: 'ok', status: 200 };
}

const hanging = (dependency: string, atMs: number): RecordedCall =>
  dependency === 'payments, third party' && atMs >= 15_000 && atMs < 40_000
    ? { durationMs: 45_000, outcome: 'error' }
    : healthyCall(dependency, atMs);

function expectSound(report: Report): void {
  for (const { name, calls, ok, failures, refused, opened, transitions } of report.dependencies) {
    expect(ok + failures + refused, name).toBe(calls);
    expect(calls, name).toBe(300);
    expect(opened, name).toBe(transitions.filter(({ to }) => to === 'open').length);
    let state = 'closed';
    for (const { from, to, atMs, why } of transitions) {
      expect(from).toBe(state);
      expect(atMs).toBeGreaterThanOrEqual(report.fromMs);
      expect(atMs).toBeLessThanOrEqual(report.toMs);
      expect(why).not.toBe('');
      state = to;
    }
  }
}

test('where one dependency of four hangs, that one opens, and its callers get their time back', {
  timeout: 60_000,
}, async () => {
  const trace = recordingOf('hanging.csv', hanging);
  const ended = await start('npm', ['start', '--silent', '--', '--json', '--trace', trace, '--speed', '15']).ended;
  expect(ended.code, ended.err).toBe(0);
  const report = reportOf(ended);
  expect(Object.keys(report)).toEqual(['trace', 'seed', 'speed', 'fromMs', 'toMs', 'dependencies']);
  expect(report).toMatchObject({ trace, seed: 1, speed: 15, fromMs: 0 });
  expectSound(report);
  expect(openedOf(report)).toEqual(['payments, third party']);
  const hung = report.dependencies.find(({ opened }) => opened > 0)!;
  expect(hung.transitions[0]).toMatchObject({ from: 'closed', to: 'open' });
  expect(hung.transitions[0]?.why).toContain('TimeoutError');
  expect(hung.transitions[0]?.atMs).toBeGreaterThan(15_000);
  expect(hung.transitions[0]?.atMs).toBeLessThan(35_000);
  expect(hung.refused).toBeGreaterThan(20);
  // 125 calls hung for 45 s each, or to the end.
  expect(hung.bareTimeSpentMs).toBeGreaterThan(2_000_000);
  expect(hung.timeSpentMs).toBeLessThan(hung.bareTimeSpentMs / 4);
});

test('a healthy recording opens nothing, off the terminal as plain lines', { timeout: 60_000 }, async () => {
  const { code, out, err } = await demo('--trace', recordingOf('healthy.csv', healthyCall), '--speed', '15').ended;
  expect(code, err).toBe(0);
  expect(out).toContain('Nothing opened');
  expect(out).toMatch(/● payments, third party +300 +295 +5 +0 +0/);
  expect(out).not.toContain('\u001b');
});

test('Ctrl-C ends with the table so far', { timeout: 60_000 }, async () => {
  const { child, saw, ended } = demo('--trace', recordingOf('stopped.csv', hanging), '--speed', '15');
  await saw('✕ payments');
  child.kill('SIGINT');
  const { code, out } = await ended;
  expect(code).toBe(0);
  const [, calls] = /all +(\d+) /.exec(out) ?? [];
  expect(Number(calls)).toBeGreaterThan(300);
  expect(Number(calls)).toBeLessThan(1_200);
});

test.each(['SIGTERM', 'SIGHUP'] as const)(
  'a %s to all its processes ends with the table so far',
  {
    timeout: 60_000,
  },
  async (signal) => {
    const { child, saw, ended } = demo('--trace', recordingOf('grouped.csv', healthyCall), '--speed', '5');
    await saw('to go');
    process.kill(-child.pid!, signal);
    const { code, out, err } = await ended;
    expect(code, err).toBe(0);
    expect(out).toMatch(/all +\d+ /);
  },
);

test('Ctrl-C after the last call does not wait for an answer that hangs', { timeout: 60_000 }, async () => {
  const trace = fileWith('hung.csv', 't_ms,dependency,operation,duration_ms,outcome,status\n0,a,op,60000,error,\n');
  const { child, saw, ended } = demo('--trace', trace, '--speed', '0.4', '--no-dashboard');
  await saw('to go');
  child.kill('SIGINT');
  const { code, out, err } = await ended;
  expect(code, err).toBe(0);
  expect(out).toMatch(/a +1 +0 +1 +0 +0/);
});

test.skipIf(!existsSync('/dev/full'))(
  'a report that can’t be written is a failure, and said',
  {
    timeout: 60_000,
  },
  async () => {
    const args = ['--json', '--from', '0', '--to', '1s', '--no-dashboard'].join(' ');
    const { code, err } = await start('sh', [
      '-c',
      `"${process.execPath}" --import tsx examples/outage/main.ts ${args} > /dev/full`,
    ]).ended;
    expect(code).toBe(1);
    expect(err).toContain('ENOSPC');
  },
);

test('failures that are the machine’s and not the recording’s are said to be', { timeout: 60_000 }, async () => {
  const rows = Array.from({ length: 300 }, (_, i) => `${i * 10},a,op,60000,ok,`);
  const trace = fileWith('many.csv', ['t_ms,dependency,operation,duration_ms,outcome,status', ...rows].join('\n'));
  const run = `ulimit -n 120; "${process.execPath}" --import tsx examples/outage/main.ts --json --no-dashboard --speed 4 --trace "${trace}"`;
  const { code, err } = await start('sh', ['-c', run]).ended;
  expect(code, err).toBe(0);
  expect(err).toMatch(/\d+ calls failed because this machine gives no more sockets/);
});

test('remarks that nobody reads do not cost the report', { timeout: 60_000 }, async () => {
  const trace = recordingOf('unheard.csv', healthyCall);
  const { child, ended } = demo('--json', '--trace', trace, '--to', '6s', '--speed', '1', '--no-dashboard');
  child.stderr?.destroy();
  const { code, out } = await ended;
  expect(code).toBe(0);
  expect(() => JSON.parse(out)).not.toThrow();
});

test('the death of the demo leaves no process behind', { timeout: 60_000 }, async () => {
  const { child, saw, ended } = demo('--trace', recordingOf('killed.csv', healthyCall), '--speed', '3');
  await saw('at speed 3');
  // Without zombies, which only wait for somebody to ask how they ended.
  const running = () =>
    execFileSync('ps', ['-A', '-o', 'ppid=,pid=,stat='])
      .toString()
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , stat]) => stat !== undefined && !stat.startsWith('Z'))
      .map(([ppid, pid]) => ({ ppid: Number(ppid), pid: Number(pid) }));
  let orphans: number[] = [];
  while (orphans.length < 2) orphans = running().flatMap(({ ppid, pid }) => (ppid === child.pid ? [pid] : []));
  child.kill('SIGKILL');
  // The pipes that the children share with it are closed only when they have ended too.
  await ended;
  expect(running().filter(({ pid }) => orphans.includes(pid))).toEqual([]);
});

test.each([
  [
    3,
    ['--trace', fileWith('bad.csv', 't_ms,dependency,operation,duration_ms,outcome,status\n0,a,op,fast,ok,\n')],
    'bad.csv: line 2, column 4 (duration_ms): expected milliseconds',
  ],
  [3, ['--trace', 'no-such-file.csv'], "no-such-file.csv: can't be read"],
  [2, ['--speed', '-3x'], '--speed'],
  [2, ['--from', '9h'], 'no call of the recording begins there'],
])('exit code %i for %j', { timeout: 60_000 }, async (expected, args, message) => {
  const { code, out, err } = await demo('--json', ...args).ended;
  expect({ code, out }).toEqual({ code: expected, out: '' });
  expect(err).toContain(message);
});
