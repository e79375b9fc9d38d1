import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Plan } from '../plan.ts';
import type { Recording } from '../recording/recording.ts';
import type { Snapshot } from '../report.ts';
import type { FromClient, Outcome, Serve, Serving, ToClient } from './messages.ts';

export interface Performance {
  readonly recording: Recording;
  readonly plan: Plan;
  readonly seed: number;
  /** Ends the run early. */
  readonly stop: AbortSignal;
  onProgress(snapshot: Snapshot): void;
  readonly dashboard: boolean;
  /** The page is there. */
  onPage(url: string): void;
}

/** How long the client may take to tell its result after it was stopped. */
const lastWordMs = 4_000;

/**
 * Plays a recording in two processes, an upstream and a client, and ends both, whatever happens.
 *
 * @throws Error if one of them ends by itself
 */
export async function perform({
  recording,
  plan,
  seed,
  stop,
  onProgress,
  dashboard,
  onPage,
}: Performance): Promise<Outcome> {
  const upstream = start('upstream');
  const client = start('client');
  const end = () => {
    for (const child of [upstream, client]) child.removeAllListeners().kill('SIGKILL');
  };
  process.on('exit', end);
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      const { speed, first, end, fromMs } = plan;
      const play = ({ port }: Serving): ToClient => ({
        type: 'play',
        port,
        recording,
        part: { first, end, fromMs, speed },
        dashboard,
      });
      upstream.once('message', (serving: Serving) => tell(client, play(serving)));
      client.on('message', (news: FromClient) => {
        if (news.type === 'progress') onProgress(news.snapshot);
        else if (news.type === 'page') onPage(news.url);
        else resolve(news);
      });
      for (const [name, child] of Object.entries({ upstream, client })) {
        child.once('error', reject);
        child.once('exit', (code, signal) =>
          reject(new Error(`the ${name} process ended by itself (${signal ?? code})`)),
        );
      }
      const stopClient = () => {
        tell(client, { type: 'stop' });
        setTimeout(() => reject(new Error('the client process did not answer')), lastWordMs).unref();
      };
      if (stop.aborted) stopClient();
      stop.addEventListener('abort', stopClient);
      tell(upstream, { recording, seed, speed });
    });
  } finally {
    end();
    process.off('exit', end);
  }
}

/** What it prints goes to stderr: stdout belongs to the report. */
function start(name: string): ChildProcess {
  const file = fileURLToPath(new URL(`${name}.ts`, import.meta.url));
  return fork(file, { serialization: 'advanced', stdio: ['ignore', 2, 2, 'ipc'] });
}

/** A child that is gone tells so by its exit. */
function tell(child: ChildProcess, message: Serve | ToClient): void {
  child.send(message, () => {});
}
