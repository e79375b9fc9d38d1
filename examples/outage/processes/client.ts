/** The client of the demo, a process of its own: it plays the recorded arrivals twice and tells its parent how it goes. */
import { liveWithParent } from './live-with-parent.ts';
import type { FromClient, ToClient } from './messages.ts';
import { preparePage } from './page.ts';
import { play } from './play.ts';

const progressMs = 120;
const tell = (news: FromClient) => process.send?.(news);

liveWithParent();
const stopped = new Promise<void>((resolve) => {
  process.on('message', async (message: ToClient) => {
    if (message.type === 'stop') return resolve();
    const showPage = message.dashboard ? preparePage(message.part.speed) : undefined;
    const run = await play(message.port, message.recording, message.part);
    const page = await showPage?.(run.breakers);
    if (page !== undefined) tell({ type: 'page', url: page.url });
    const ticker = setInterval(() => tell({ type: 'progress', snapshot: run.snapshot() }), progressMs);
    void stopped.then(run.stop);
    await run.over;
    clearInterval(ticker);
    const result = run.finish();
    const incident = await page?.incident();
    tell({ type: 'finished', ...result, ...(incident && { incident }) });
    page?.close();
  });
});
