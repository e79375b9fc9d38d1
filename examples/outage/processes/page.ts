import type { RequestListener } from 'node:http';
import { dashboard, type Incident } from '@recloser/dashboard';
import { health } from 'recloser/telemetry';
import { hystrix } from 'recloser/telemetry/hystrix';
import { prometheus } from 'recloser/telemetry/prometheus';
import type { Breaker } from '../breakers.ts';

export interface Page {
  readonly url: string;
  incident(): Promise<Incident>;
  close(): void;
}

/**
 * The live page of this process, once there are breakers: it shows the very ones that the calls go through, and may act on them.
 * Metrics are counted from here on. Breakers tell durations in the recording's time and the page counts calls by the second that
 * passes, so the title says by how much they differ.
 */
export function preparePage(speed: number): (breakers: readonly Breaker[]) => Promise<Page> {
  const metrics = prometheus();
  const stream = hystrix({ group: 'outage demo' });
  return async (breakers) => {
    // Nothing is critical: a client that can't reach one dependency still serves what does not need it.
    const ready = health({ policies: breakers });
    /** What is served beside the page, by path. */
    const beside: Readonly<Record<string, RequestListener>> = {
      '/metrics': metrics.handler,
      '/hystrix.stream': stream,
      '/readyz': ready.handler,
    };
    const title = speed === 1 ? 'outage demo' : `outage demo, time × ${Math.round(speed * 10) / 10}`;
    const page = dashboard({ breakers, title, instance: 'client', actions: true });
    const { url } = await page.listen({ beside });
    return {
      url,
      incident: () => page.incident(),
      close() {
        page.close();
        metrics.close();
        stream.close();
      },
    };
  };
}
