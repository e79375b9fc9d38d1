import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

export interface ChildResult {
  readonly code: number | null;
  readonly output: string;
  readonly ms: number;
}

/**
 * Runs a module's text in a Node of its own, with `recloser` at its source, and ends it after `limitMs`. `onOutput` gets the
 * child's id and what it has printed so far.
 */
export function runInNode(
  text: string,
  { limitMs = 20_000, args = [] as readonly string[], onOutput = (_pid: number, _output: string): void => {} } = {},
): Promise<ChildResult> {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const started = performance.now();
  const child = spawn(process.execPath, [...args, '--import', 'tsx', '--input-type=module', '-'], {
    cwd: root,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
      onOutput(child.pid as number, output);
    });
  }
  child.stdin.end(text);
  return new Promise((resolve) => {
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code, output, ms: performance.now() - started });
    });
  });
}
