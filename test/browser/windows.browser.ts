import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dashboard, dashboard } from '@recloser/dashboard';
import type { Browser, Page } from 'playwright-core';
import { type CircuitBreaker, circuitBreaker } from 'recloser';
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { hasChromium, launch, opened } from './chromium.ts';

describe.skipIf(!hasChromium)('windows of one browser', () => {
  let browser: Browser;
  let breaker: CircuitBreaker;
  let shown: Dashboard;
  let url: string;
  const ending: (() => unknown)[] = [];

  beforeAll(async () => {
    browser = await launch();
    return () => browser.close();
  });
  beforeEach(async () => {
    breaker = circuitBreaker({ name: 'payments' });
    shown = dashboard({ breakers: [breaker], title: 'prod-api' });
    ({ url } = await shown.listen({ port: 0 }));
    ending.push(() => shown.close());
  });
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  /** A browser with one window; the faults of all it will have. */
  async function window(before = '', address = url) {
    const { page, faults } = await opened(browser, address, {}, before);
    page.context().on('weberror', (fault) => faults.push(fault.error().message));
    page.context().on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    ending.push(() => page.context().close());
    await isLive(page);
    return { page, faults };
  }

  /** One more of the same browser. */
  async function another(page: Page): Promise<Page> {
    const more = await page.context().newPage();
    await more.goto(page.url());
    await isLive(more);
    return more;
  }

  const isLive = (page: Page) => expect.poll(() => page.textContent('.pulse'), { timeout: 10_000 }).toBe('live');
  const streams = (open: number) => expect.poll(() => shown.streams.open, { timeout: 5_000 }).toBe(open);

  async function tell(pages: readonly Page[], state: 'open' | 'closed'): Promise<void> {
    const said = state === 'open' ? 'forced-open' : 'closed';
    const seen = pages.map((page) => page.waitForSelector(`.row.state-${said}`, { timeout: 1_500 }));
    if (state === 'open') breaker.forceOpen({ reason: 'a test' });
    else breaker.release();
    await Promise.all(seen);
  }

  test('share one stream: each begins with all there is, hears of what happens within 1.5 s, and the last to go ends it', async () => {
    const { page, faults } = await window();
    await streams(1);
    const second = await another(page);
    await streams(1);
    await tell([page, second], 'open');
    await page.close();
    await tell([second], 'closed');
    await isLive(second);
    expect(shown.streams).toEqual({ open: 1, dropped: 0 });
    await second.close();
    await streams(0);
    expect(faults).toEqual([]);
  });

  test('one that nobody sees goes alone, and comes back to the stream of the others', async () => {
    const { page } = await window();
    const second = await another(page);
    const see = (hidden: boolean) =>
      second.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${hidden} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await see(true);
    await expect.poll(() => second.textContent('.pulse'), { timeout: 10_000 }).toBe('connecting …');
    await tell([page], 'open');
    expect(await second.locator('.row.state-closed').count()).toBe(1);
    await see(false);
    await second.waitForSelector('.row.state-forced-open');
    await streams(1);
    await tell([page, second], 'closed');
  });

  test('all say within two seconds that the server is gone, and come back with it, by one stream', async () => {
    const { page } = await window();
    const pages = [page, await another(page)];
    await shown.close();
    for (const each of pages) {
      await expect
        .poll(() => each.textContent('.pulse'), { timeout: 2_000 })
        .toMatch(/^not live: (the connection is gone|Failed to fetch)/);
    }
    shown = dashboard({ breakers: [breaker], title: 'prod-api' });
    await shown.listen({ port: Number(new URL(url).port) });
    for (const each of pages) await isLive(each);
    await streams(1);
    await tell(pages, 'open');
  });

  test('where the server takes no more streams the one that has one keeps it, and the next is told', async () => {
    const full = dashboard({ breakers: [breaker], maxStreams: 1 });
    ending.push(() => full.close());
    const { page } = await window('', (await full.listen({ port: 0 })).url);
    const second = await page.context().newPage();
    await second.goto(page.url());
    await expect
      .poll(() => second.textContent('.pulse'), { timeout: 5_000 })
      .toMatch(/^not live: the connection is gone/);
    await tell([page], 'open');
    await isLive(page);
    expect(full.streams).toEqual({ open: 1, dropped: 0 });
    await page.close();
    await isLive(second);
  });

  test('without shared workers each has a stream of its own', async () => {
    const { page, faults } = await window('delete globalThis.SharedWorker');
    const second = await page.context().newPage();
    await second.addInitScript('delete globalThis.SharedWorker');
    await second.goto(url);
    await isLive(second);
    await streams(2);
    await tell([page, second], 'open');
    await second.close();
    await streams(1);
    expect(faults).toEqual([]);
  });

  test('a window whose worker does not load has a stream of its own', async () => {
    const server = createServer((request, response) => {
      if (request.url?.includes('/worker-')) response.writeHead(404).end();
      else shown(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    ending.push(() => {
      server.close();
      server.closeAllConnections();
    });
    const { page } = await window('', `http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
    await streams(1);
    await tell([page], 'open');
    await page.close();
    await streams(0);
  });

  test('a window that crashes takes the worker along if that was in its process: the other begins anew', async () => {
    const { page } = await window();
    const second = await another(page);
    const crashed = page.waitForEvent('crash');
    page.goto('chrome://crash').catch(() => {});
    await crashed;
    await streams(0);
    await expect.poll(() => shown.streams.open, { timeout: 15_000 }).toBe(1);
    await isLive(second);
    await tell([second], 'open');
  });
});
