import type { RequestListener } from 'node:http';
import { dashboard, type Incident } from '@recloser/dashboard';
import type { Breaker } from '../breakers.ts';

export interface Page {
  readonly url: string;
  incident(): Promise<Incident>;
  close(): void;
}

/** What is served beside the page, by path. */
const beside: Readonly<Record<string, RequestListener>> = {};

/** The live page of this process: it shows the very breakers that the calls go through, and may act on them. */
export async function showPage(breakers: readonly Breaker[]): Promise<Page> {
  const page = dashboard({ breakers, title: 'outage demo', instance: 'client', actions: true });
  const { url } = await page.listen({ beside });
  return { url, incident: () => page.incident(), close: page.close };
}
