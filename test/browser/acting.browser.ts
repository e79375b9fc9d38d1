import { type Dashboard, type DashboardOptions, dashboard } from '@recloser/dashboard';
import type { Browser, Page } from 'playwright-core';
import { type CircuitBreaker, circuitBreaker, registry } from 'recloser';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch, opened } from './chromium.ts';

const bad = () => Promise.reject(new Error('no answer'));

/** Rows come once a second. */
const soon = { timeout: 5_000 };

describe.skipIf(!hasChromium)('acting on what is shown', () => {
  let browser: Browser;
  const ending: (() => unknown)[] = [];

  beforeAll(async () => {
    browser = await launch();
    return () => browser.close();
  });
  afterEach(async () => {
    for (const end of ending.splice(0).reverse()) await end();
  });

  async function listening(options: DashboardOptions, port = 0): Promise<{ shown: Dashboard; url: string }> {
    const shown = dashboard({ actions: true, ...options });
    const { url } = await shown.listen({ port });
    ending.push(() => shown.close());
    return { shown, url };
  }
  async function window(url: string) {
    const { page, faults } = await opened(browser, url);
    ending.push(() => page.context().close());
    return { page, faults };
  }
  const rows = (page: Page) =>
    page.locator('.row').evaluateAll((all) => all.map((each) => each.getAttribute('data-id')));
  const deeds = (page: Page) => page.locator('.actions button').allTextContents();

  test('what takes protection away needs the name typed, whatever is in the name', async () => {
    const breaker = circuitBreaker({ name: 'pay-eu:1#2' });
    const { url } = await listening({ breakers: [breaker] });
    const { page, faults } = await window(`${url}#/b/${encodeURIComponent(breaker.name)}`);
    await page.getByRole('button', { name: 'Disable …' }).click();
    await page.getByLabel('Reason', { exact: true }).fill('a test');
    const field = page.getByLabel('This takes the protection away');
    const valid = () => field.evaluate((input) => (input as unknown as { checkValidity(): boolean }).checkValidity());
    expect(await valid()).toBe(false);
    await field.fill('pay-eu:1');
    expect(await valid()).toBe(false);
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    expect(breaker.state).toBe('closed');
    await field.fill('pay-eu:1#2');
    expect(await valid()).toBe(true);
    await page.getByRole('button', { name: 'Disable', exact: true }).click();
    await page.getByText('Done.').waitFor();
    expect(breaker.state).toBe('disabled');
    expect(faults).toEqual([]);
  });

  test('no key acts on a row that the filter hides', async () => {
    const breakers = ['a', 'b', 'c'].map((name) =>
      circuitBreaker({ name, failureThreshold: 1, sleepWindowMs: 600_000 }),
    );
    await breakers[2]?.execute(bad).catch(() => {});
    const { url } = await listening({ breakers });
    const { page } = await window(url);
    await expect.poll(() => rows(page), soon).toEqual(['c', 'a', 'b']);
    for (const key of ['j', 'j', 'j']) await page.keyboard.press(key);
    await expect.poll(() => page.evaluate(`document.activeElement?.getAttribute('data-id')`)).toBe('b');
    await page.keyboard.press('o');
    await expect.poll(() => rows(page), soon).toEqual(['c']);
    await page.keyboard.press('.');
    await page.keyboard.press('Enter');
    await page.waitForTimeout(100);
    expect(await page.locator('dialog').count()).toBe(0);
    expect(new URL(page.url()).hash).toBe('');
    await page.keyboard.press('j');
    await page.keyboard.press('.');
    expect(await page.textContent('dialog h2')).toBe('c');
  });

  test('after the process began anew the page acts on it without being loaded again, under its new title', async () => {
    const { shown, url } = await listening({ breakers: [circuitBreaker({ name: 'payments' })], title: 'first life' });
    const { page } = await window(`${url}#/b/payments`);
    await page.waitForSelector('.actions');
    await expect.poll(() => page.textContent('.pulse'), soon).toBe('live');
    await shown.close();
    await expect.poll(() => page.textContent('.pulse'), soon).toContain('not live');
    const again = circuitBreaker({ name: 'payments' });
    await listening({ breakers: [again], title: 'second life' }, Number(new URL(url).port));
    await expect.poll(() => page.textContent('h1'), { timeout: 15_000 }).toBe('second life');
    await page.getByRole('button', { name: 'Force open …' }).click();
    await page.getByLabel('Reason', { exact: true }).fill('a test');
    await page.getByRole('button', { name: 'Force open', exact: true }).click();
    await page.getByText('Done.').waitFor();
    expect(again.state).toBe('forced-open');
  });

  test('of a registry only a forced state of its parent can be released, and only its sleep cut short', async () => {
    const defaults = { failureThreshold: 1, sleepWindowMs: 600_000 };
    const hosts = registry({ name: 'hosts', parent: { threshold: 0.9 }, defaults });
    const key = hosts.get('a') as CircuitBreaker;
    key.forceOpen({ reason: 'a test' });
    const { url } = await listening({ breakers: hosts });
    const { page } = await window(`${url}#/b/hosts`);
    await expect.poll(() => page.locator('.detail .mark').first().textContent(), soon).toContain('forced-open');
    expect(await deeds(page)).not.toContain('Release …');
    key.reset();
    await key.execute(bad).catch(() => {});
    await expect.poll(() => page.locator('.detail .mark').first().textContent(), soon).not.toContain('forced');
    expect(await deeds(page)).not.toContain('Probe now …');
    hosts.parent?.forceOpen({ reason: 'a test' });
    await expect.poll(() => deeds(page), soon).toContain('Release …');
  });

  test('nothing can be done to one that is draining or disposed, and it is nobody else who refuses', async () => {
    const [drained, open] = ['drained', 'open'].map((name) => circuitBreaker({ name, failureThreshold: 1 })) as [
      CircuitBreaker,
      CircuitBreaker,
    ];
    const hosts = registry({ name: 'hosts', parent: { threshold: 0.5 }, defaults: { failureThreshold: 1 } });
    await open.execute(bad).catch(() => {});
    await hosts
      .get('a')
      .execute(bad)
      .catch(() => {});
    const none = registry({ name: 'none', parent: { threshold: 0.5 } });
    for (const { parent } of [hosts, none]) parent?.forceOpen({ reason: 'a test' });
    const work = drained.execute(() => new Promise((resolve) => ending.push(() => resolve(undefined))));
    const { url } = await listening({ breakers: [drained, open, hosts, none] });
    void drained.drain();
    open.dispose();
    hosts.dispose();
    none.dispose();
    const { page, faults } = await window(url);
    await expect.poll(() => page.textContent('.chip.state-forced-open'), soon).toBe('4 forced');
    for (const [id, said] of [
      ['drained', 'draining'],
      ['open', 'disposed'],
      ['hosts', 'disposed'],
    ]) {
      await page.goto(`${url}#/b/${id}`);
      await expect
        .poll(() => page.textContent('.verdict'), soon)
        .toBe(`Them or us? Ours: it is ${said} and refuses every call`);
      expect(await deeds(page)).toEqual([]);
      await page.keyboard.press('.');
      await page.waitForTimeout(50);
      expect(await page.locator('dialog').count()).toBe(0);
    }
    expect(await page.title()).not.toContain('open');
    const refuses = 'disposed: every new call is refused';
    expect(await page.locator('.row .unseen').allTextContents()).toEqual([
      `hosts/a: open, ${refuses}`,
      `open: open, ${refuses}`,
      `hosts: forced-open, ${refuses}, 100 % of its keys`,
      `none: forced-open, ${refuses}`,
      'drained: closed, draining: every new call is refused',
    ]);
    expect(faults).toEqual([]);
    void work;
  });
});
