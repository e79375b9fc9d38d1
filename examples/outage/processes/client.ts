/** The client of the demo, a process of its own: it plays the recorded arrivals twice and tells its parent how it goes. */
import { liveWithParent } from './live-with-parent.ts';
import type { FromClient, ToClient } from './messages.ts';
import { preparePage } from './page.ts';
import { play } from './play.ts';

const progressMs = 120;
const tell = (news: FromClient, told?: () => void) => process.send?.(news, undefined, undefined, told);

liveWithParent();
const stopped = new Promise<void>((resolve) => {
  process.on('message', async (message: ToClient) => {
    if (message.type === 'stop') return resolve();
    const showPage = message.dashboard ? preparePage(message.part.speed) : undefined;
    const run = await play(message.port, message.recording, message.part);
    const page = await showPage?.(run.breakers);
    if (page !== undefined) tell({ type: 'page', url: page.url });
    let ticker: NodeJS.Timeout;
    const tellProgress = () => {
      const beganMs = performance.now();
      // Of 100,000 dependencies a picture takes longer than the time between two: then there are fewer of them.
      const again = () => {
        ticker = setTimeout(tellProgress, Math.max(progressMs, 10 * (performance.now() - beganMs)));
      };
      tell({ type: 'progress', snapshot: run.snapshot() }, again);
    };
    ticker = setTimeout(tellProgress, progressMs);
    void stopped.then(run.stop);
    await run.over;
    clearTimeout(ticker);
    const result = run.finish();
    const incident = await page?.incident();
    tell({ type: 'finished', ...result, ...(incident && { incident }) });
    page?.close();
  });
});
