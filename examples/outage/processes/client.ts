/** The client of the demo, a process of its own: it plays the recorded arrivals twice and tells its parent how it goes. */
import { liveWithParent } from './live-with-parent.ts';
import type { FromClient, ToClient } from './messages.ts';
import { play } from './play.ts';

const progressMs = 120;
const tell = (news: FromClient) => process.send?.(news);

liveWithParent();
const stopped = new Promise<void>((resolve) => {
  process.on('message', async (message: ToClient) => {
    if (message.type === 'stop') return resolve();
    const run = await play(message.port, message.recording, message.part);
    const ticker = setInterval(() => tell({ type: 'progress', snapshot: run.snapshot() }), progressMs);
    void stopped.then(run.stop);
    await run.over;
    clearInterval(ticker);
    tell({ type: 'finished', ...run.finish() });
  });
});
