import { type Dashboard, dashboard } from '@recloser/dashboard';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { circuitBreaker } from 'recloser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch, opened } from './chromium.ts';

/** What is in the clipboard by now: only a page of a safe origin may read it. */
async function pasted(context: BrowserContext, safe: string): Promise<string> {
  await context.grantPermissions(['clipboard-read'], { origin: new URL(safe).origin });
  const page = await context.newPage();
  await page.goto(safe);
  const text = await page.evaluate<string>('navigator.clipboard.readText()');
  await page.close();
  return text;
}

/** Presses a button, and answers with what the server said to it. */
async function clicked(page: Page, name: string): Promise<string> {
  const answer = page.waitForResponse(/api\/incident/);
  await page.getByRole('button', { name, exact: true }).click();
  return (await answer).text();
}

/** As somebody who blocks it in the settings of the site. */
async function denyClipboard(page: Page): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { targetInfo } = await session.send('Target.getTargetInfo');
  const { browserContextId = '' } = targetInfo;
  for (const allowWithoutSanitization of [true, false]) {
    const permission = { name: 'clipboard-write', allowWithoutSanitization };
    await session.send('Browser.setPermission', { permission, setting: 'denied', browserContextId });
  }
}

describe.skipIf(!hasChromium)('copying', () => {
  let browser: Browser;
  let shown: Dashboard;
  let address: string;
  beforeAll(async () => {
    const payments = circuitBreaker({ name: 'payments', failureThreshold: 1 });
    shown = dashboard({
      breakers: [payments],
      title: 'prod-api',
      hosts: ['ops.example'],
      authorize: () => ({ role: 'read' }),
    });
    address = `${(await shown.listen({ port: 0 })).url}#/b/payments`;
    await payments.execute(() => Promise.reject(new Error('down for “everybody” – <b>&'))).catch(() => {});
    browser = await launch('--host-resolver-rules=MAP ops.example 127.0.0.1');
  });
  afterAll(async () => {
    await browser?.close();
    await shown?.close();
  });

  const said = (page: Page) => expect.poll(() => page.textContent('.said'));

  test('an incident is in the clipboard as the server told it, as Markdown and as JSON, and a link leads back', async () => {
    const { page, faults } = await opened(browser, address, { permissions: ['clipboard-read', 'clipboard-write'] });
    const clipboard = () => page.evaluate<string>('navigator.clipboard.readText()');
    const markdown = await clicked(page, 'Copy incident');
    await said(page).toBe('Incident copied');
    expect(await clipboard()).toBe(markdown);
    expect(markdown).toContain('payments');
    const json = await clicked(page, 'as JSON');
    await said(page).toBe('JSON copied');
    expect(await clipboard()).toBe(json);
    expect(JSON.parse(json)).toMatchObject({ format: 'recloser-incident', breakers: [{ id: 'payments' }] });
    await page.getByRole('button', { name: 'Copy link' }).click();
    await said(page).toBe('Link copied');
    expect(await clipboard()).toBe(address);
    expect(await page.locator('.by-hand').count()).toBe(0);
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('without HTTPS there is no clipboard, and it is copied all the same', async () => {
    const { page, faults } = await opened(browser, address.replace('127.0.0.1', 'ops.example'));
    expect(await page.evaluate('[isSecureContext, typeof navigator.clipboard]')).toEqual([false, 'undefined']);
    const json = await clicked(page, 'as JSON');
    await said(page).toBe('JSON copied');
    expect(await page.locator('.by-hand').count()).toBe(0);
    expect(await pasted(page.context(), address)).toBe(json);
    // Chromium says so of one header, on any page without HTTPS.
    expect(faults.filter((fault) => !fault.includes('Cross-Origin-Opener-Policy'))).toEqual([]);
    await page.context().close();
  });

  test('where neither way is open the text is shown and selected, for the keys that copy', async () => {
    const { page, faults } = await opened(browser, address);
    await denyClipboard(page);
    expect(await page.evaluate(`navigator.clipboard.writeText('').catch(({ name }) => name)`)).toBe('NotAllowedError');
    await page.evaluate('void (document.execCommand = () => false)');
    const markdown = await clicked(page, 'Copy incident');
    await said(page).toContain('Ctrl+C');
    const area = page.getByLabel('To copy by hand');
    expect(await area.inputValue()).toBe(markdown);
    await page.keyboard.press('Control+c');
    expect(await pasted(page.context(), address)).toBe(markdown);
    await page.bringToFront();
    await page.keyboard.press('Escape');
    await area.waitFor({ state: 'detached' });
    expect(await page.textContent('.said')).toBe('');
    expect(page.url()).toBe(address);
    expect(faults).toEqual([]);
    await page.context().close();
  });
});
