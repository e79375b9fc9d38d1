import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { alertsFile } from './files.ts';

export interface Alert {
  readonly state: 'pending' | 'firing';
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** A Prometheus that scrapes one target each second, by our alerts without their patience. */
export class Prometheus {
  readonly #url: string;
  readonly #child: ChildProcess;
  readonly #folder: string;
  #said = '';

  private constructor(program: string, port: number, folder: string) {
    this.#url = `http://127.0.0.1:${port}/api/v1/`;
    this.#folder = folder;
    const flags = {
      'config.file': join(folder, 'prometheus.yml'),
      'storage.tsdb.path': join(folder, 'data'),
      'web.listen-address': `127.0.0.1:${port}`,
      'log.level': 'warn',
    };
    this.#child = spawn(
      program,
      Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`),
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    this.#child.stderr?.on('data', (data: Buffer) => (this.#said += data));
  }

  /** Starts it, on a port that is free, and waits until it answers. */
  static async start(program: string, target: URL, job: string): Promise<Prometheus> {
    const folder = mkdtempSync(join(tmpdir(), 'recloser-prometheus-'));
    const impatient = readFileSync(alertsFile, 'utf8').replace(/^( +for:) .*$/gm, '$1 2s');
    writeFileSync(join(folder, 'alerts.yml'), impatient);
    const config = {
      global: { scrape_interval: '1s', scrape_timeout: '1s', evaluation_interval: '1s' },
      rule_files: ['alerts.yml'],
      scrape_configs: [{ job_name: job, metrics_path: target.pathname, static_configs: [{ targets: [target.host] }] }],
    };
    writeFileSync(join(folder, 'prometheus.yml'), stringify(config));
    const started = new Prometheus(program, await freePort(), folder);
    for (let i = 0; i < 100; i++) {
      if (await started.query('1').catch(() => undefined)) return started;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    await started.stop();
    throw new Error(`Prometheus does not answer: ${started.#said}`);
  }

  async #get<T>(path: string): Promise<T> {
    const response = await fetch(this.#url + path);
    const { status, error, data } = (await response.json()) as { status: string; error?: string; data: T };
    if (status !== 'success') throw new Error(`${path}: ${error}`);
    return data;
  }

  /** Its alerts that are pending or firing. */
  async alerts(): Promise<readonly Alert[]> {
    return (await this.#get<{ alerts: Alert[] }>('alerts')).alerts;
  }

  /** What an expression is now. */
  async query(expr: string): Promise<readonly unknown[]> {
    return (await this.#get<{ result: unknown[] }>(`query?query=${encodeURIComponent(expr)}`)).result;
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode === null) {
      const ended = new Promise((resolve) => this.#child.once('close', resolve));
      this.#child.kill('SIGKILL');
      await ended;
    }
    rmSync(this.#folder, { recursive: true });
  }
}

function freePort(): Promise<number> {
  const server = createServer();
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}
