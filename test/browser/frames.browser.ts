import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch, opened, picture } from './chromium.ts';

const file = fileURLToPath(new URL('busy-server.ts', import.meta.url));
const start = (...args: (string | number)[]) =>
  fork(file, args.map(String), { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });

/** The loop delay of the same process without a page: what of it is the machine's. */
async function bareDelay(breakers: number, rate: number, seconds: number): Promise<number> {
  const child = start(breakers, rate, 'bare');
  const delays: number[] = [];
  for await (const line of child.stdout as AsyncIterable<Buffer>) if (delays.push(Number(line)) >= seconds) break;
  child.kill();
  return median(delays);
}

async function busy(...args: (string | number)[]): Promise<{ url: string; stop(): void }> {
  const child = start(...args);
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return { url: line.toString().trim(), stop: () => child.kill('SIGKILL') };
}

/** What the scripts of the page hold, MiB, after a collection. */
async function heapOf(page: Page): Promise<number> {
  const session = await page.context().newCDPSession(page);
  await session.send('HeapProfiler.collectGarbage');
  const { usedSize } = await session.send('Runtime.getHeapUsage');
  return usedSize / 2 ** 20;
}

/** Frames a second, over three seconds. */
const framesOf = (page: Page): Promise<number> =>
  page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        const { requestAnimationFrame } = globalThis as unknown as {
          requestAnimationFrame(callback: () => void): void;
        };
        const began = performance.now();
        let frames = 0;
        const next = () => {
          frames++;
          if (performance.now() - began < 3_000) requestAnimationFrame(next);
          else resolve(frames / 3);
        };
        requestAnimationFrame(next);
      }),
  );

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[list.length >> 1] ?? 0;

describe.skipIf(!hasChromium)('the page under load', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await launch();
  });
  afterAll(() => browser?.close());

  test('500 breakers at 50,000 calls a second: 30 frames a second and more, and the loop of the process stays prompt', async () => {
    const bareMs = await bareDelay(500, 50_000, 5);
    const server = await busy(500, 50_000);
    const { page, faults } = await opened(browser, server.url, { viewport: { width: 1_440, height: 940 } });
    const delays: number[] = [];
    const frames: number[] = [];
    for (let i = 0; i < 3; i++) {
      frames.push(await framesOf(page));
      const [, late = ''] = /event loop ([\d.]+) ms late/.exec((await page.textContent('.ours')) ?? '') ?? [];
      delays.push(Number(late));
    }
    const [, calls = ''] = /([\d,]+) calls\/s/.exec((await page.textContent('.totals')) ?? '') ?? [];
    console.log(
      `500 breakers, ${calls} calls/s: ${median(frames).toFixed(0)} frames/s, loop delay p99 ${delays.join(', ')} ms, without a page ${bareMs.toFixed(0)} ms`,
    );
    expect(median(frames)).toBeGreaterThanOrEqual(30);
    // On a machine that others keep busy too it is measured against the same process without a page.
    expect(median(delays)).toBeLessThanOrEqual(Math.max(20, 2 * bareMs));
    expect(faults).toEqual([]);
    await page.context().close();
    server.stop();
  });

  test('10,000 breakers: only those in view are drawn, filter and keys work, memory is bounded, 30 frames a second and more', async () => {
    const server = await busy(10_000, 10_000);
    const { page, faults } = await opened(browser, server.url, { viewport: { width: 1_440, height: 940 } });
    await expect.poll(() => page.textContent('.chip.state-closed b')).toMatch(/9,?\d\d\d|10,?000/);
    expect(await page.locator('.row').count()).toBeLessThan(60);
    const frames = await framesOf(page);
    await page.evaluate("document.querySelector('.rows').scrollTop = 1e9");
    await expect.poll(() => page.locator('[aria-posinset="10000"]').count()).toBe(1);
    await page.keyboard.press('/');
    await page.keyboard.type('b9999');
    await expect.poll(() => page.locator('.row').count()).toBe(1);
    await page.keyboard.press('Enter');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.detail .facts');
    expect(new URL(page.url()).hash).toBe('#/b/b9999');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    await expect.poll(() => page.locator('.row').count()).toBeGreaterThan(10);
    for (let i = 0; i < 40; i++) await page.keyboard.press('j');
    await expect.poll(() => page.evaluate(`document.activeElement?.closest('li')?.ariaPosInSet !== null`)).toBe(true);
    expect(await page.locator('.row').count()).toBeLessThan(60);
    const heap = await heapOf(page);
    console.log(`10,000 breakers: ${frames.toFixed(0)} frames/s, ${heap.toFixed(0)} MiB in the page`);
    expect(heap).toBeLessThan(150);
    expect(frames).toBeGreaterThanOrEqual(30);
    expect(faults).toEqual([]);
    await page.context().close();
    server.stop();
  });

  test('a registry of 10,000 keys is one row, with rows for those in trouble; any other key is an address away', async () => {
    const server = await busy(10_000, 20_000, 'keys');
    const { page, faults } = await opened(browser, server.url, { viewport: { width: 1_440, height: 940 } });
    const row = page.locator('.row[data-id="hosts"]');
    await expect.poll(() => row.textContent(), { timeout: 20_000 }).toMatch(/10,000 keys.*\d+ open.*of 10,000 keys/);
    expect(await page.locator('.row').count()).toBeLessThanOrEqual(21);
    await expect.poll(() => page.locator('.row[data-id^="hosts/"]').count()).toBeGreaterThan(5);
    await expect.poll(() => page.textContent('.chip.state-closed b')).toMatch(/^9,?\d\d\d$/);
    // By now there are figures of the keys that refuse.
    await expect
      .poll(() => page.locator('.row[data-id^="hosts/"] .figure.refused.loud').count(), { timeout: 5_000 })
      .toBeGreaterThan(5);
    await page.waitForTimeout(2_000);
    await picture(page, 'registry-light');
    await row.click();
    await page.getByLabel('Any other key').fill('host-7777');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.textContent('.detail h2')).toBe('hosts/host-7777');
    await page.waitForSelector('.plot canvas');
    expect(await page.textContent('[data-testid=explain]')).toContain('closed');
    await page.goto(`${server.url}#/b/hosts%2Fnobody`);
    await expect.poll(() => page.textContent('.detail')).toContain('No breaker has this name now');
    expect(faults.filter((fault) => !fault.includes('404'))).toEqual([]);
    await page.context().close();
    server.stop();
  });

  test('when the process dies the page says so within two seconds, keeps what it knew, and comes back by itself', async () => {
    const first = await busy(20, 200);
    const { port } = new URL(first.url);
    const { page } = await opened(browser, first.url, { viewport: { width: 1_440, height: 940 } });
    await page.waitForSelector('.pulse.live');
    const diedAt = performance.now();
    first.stop();
    await page.waitForSelector('.pulse.lost');
    expect(performance.now() - diedAt).toBeLessThan(2_000);
    expect(await page.textContent('.pulse')).toContain('not live: the connection is gone');
    expect(await page.title()).toBe('not live – busy');
    expect(await page.locator('.row').count()).toBe(20);
    await expect.poll(() => page.textContent('.pulse'), { timeout: 5_000 }).toMatch(/what is shown is [1-9]\d* s old/);
    await picture(page, 'lost-light');
    const second = await busy(20, 200, 'breakers', port);
    await page.waitForSelector('.pulse.live', { timeout: 15_000 });
    await expect.poll(() => page.title()).not.toContain('not live');
    await page.context().close();
    second.stop();
  });
});
