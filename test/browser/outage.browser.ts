import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Detail } from '@recloser/dashboard';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Report } from '../../examples/outage/report.ts';
import { expectAccessible, hasChromium, launch, opened, picture } from './chromium.ts';
import { type Demo, demo, outage } from './demo.ts';

const size = { viewport: { width: 1_440, height: 940 } };

describe.skipIf(!hasChromium)('the page on call, on the demo', () => {
  let browser: Browser;
  let run: Demo;
  beforeAll(async () => {
    browser = await launch();
    run = await demo('--json', '--trace', outage(), '--speed', '1.5');
  });
  afterAll(async () => {
    run?.child.kill('SIGINT');
    await browser?.close();
  });

  const detailOf = async (id: string): Promise<Detail> =>
    (await fetch(`${run.url}api/breaker?id=${id}`)).json() as Promise<Detail>;

  test('an opening is seen within 1.5 s, with its reason', async () => {
    const { page, faults } = await opened(browser, run.url, size);
    await expect.poll(() => page.title()).toContain('outage demo');
    const seenAt = await page.waitForFunction(
      () => {
        const { document } = globalThis as unknown as { document: { querySelector(selector: string): unknown } };
        return document.querySelector('.row.state-open') && Date.now();
      },
      undefined,
      { polling: 'raf' },
    );
    const row = page.locator('.row.state-open').first();
    expect(await row.getAttribute('data-id')).toBe('payments');
    await expect
      .poll(() => row.textContent())
      .toMatch(/(mostly TimeoutError|TimeoutError ×\d+): .*(probe in|next call probes)/);
    await expect.poll(() => page.title()).toBe('■ 1 open – outage demo, time × 1.5');
    const { entries } = await detailOf('payments');
    const openedAt = entries.find(({ to }) => to === 'open')?.at as number;
    const tookMs = Number(await seenAt.jsonValue()) - openedAt;
    console.log(`an opening was seen after ${tookMs} ms`);
    expect(tookMs).toBeLessThanOrEqual(1_500);
    expect(await page.locator('[aria-live=polite].unseen').textContent()).toContain('payments open');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('everything can be done with the keyboard', async () => {
    const { page, faults } = await opened(browser, run.url, size);
    await page.waitForSelector('.row.state-open');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('k');
    await expect.poll(() => page.evaluate(`document.activeElement?.getAttribute('data-id')`)).toBe('payments');
    await page.keyboard.press('Enter');
    await page.waitForSelector('.detail [data-testid=why]');
    expect(new URL(page.url()).hash).toBe('#/b/payments');
    expect(await page.textContent('[data-testid=why]')).toMatch(/TimeoutError ×\d/);
    await page.waitForSelector('.plot canvas');
    await page.keyboard.press('Escape');
    await page.waitForSelector('.detail', { state: 'detached' });
    await page.keyboard.press('o');
    expect(await page.getAttribute('.chip.state-open', 'aria-pressed')).toBe('true');
    await expect.poll(() => page.locator('.row.kind-closed').count()).toBe(0);
    await page.keyboard.press('o');
    await page.keyboard.press('/');
    await page.keyboard.type('cata');
    await expect.poll(() => page.locator('.row').count()).toBe(1);
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.waitForSelector('dialog[open]');
    await page.keyboard.press('Escape');
    await page.waitForSelector('dialog', { state: 'detached' });
    await page.keyboard.press('p');
    expect(await page.textContent('.pulse')).toBe('paused');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('a breaker is forced open, with reason and end, and the process knows', async () => {
    const { page, faults } = await opened(browser, `${run.url}#/b/shipping`, size);
    await page.waitForSelector('.detail .facts');
    await page.keyboard.press('.');
    await page.waitForSelector('dialog[open]');
    expect(await page.textContent('.effect')).toContain('Refuses about');
    await page.getByLabel('Reason', { exact: true }).fill('vendor incident 4711');
    await page.getByLabel('Your name').fill('ana');
    await page.getByLabel('Ends by itself after').selectOption('2 hours');
    await page.keyboard.press('Tab');
    await page.getByRole('button', { name: 'Force open', exact: true }).last().click();
    await page.getByText('Done.').waitFor();
    const { row } = await detailOf('shipping');
    expect(row).toMatchObject({ state: 'forced-open', forced: { reason: 'vendor incident 4711', by: 'ana' } });
    expect(row.forced?.expiresInMs).toBeGreaterThan(7_000_000);
    await page.keyboard.press('Escape');
    await expect
      .poll(() => page.textContent('[data-testid=explain]'))
      .toContain('forced-open by ana (vendor incident 4711)');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('without the token nothing is done', async () => {
    const { page } = await opened(browser, run.url, size);
    const status = await page.evaluate(async () => {
      const order = { id: 'identity', action: 'force-open', reason: 'no token' };
      const response = await fetch('api/action', {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(order),
      });
      return response.status;
    });
    expect(status).toBe(403);
    expect((await detailOf('identity')).row.state).toBe('closed');
    await page.context().close();
  });

  test('a page of another origin can neither read nor act', async () => {
    const other = createServer(
      (_request, response) => void response.setHeader('content-type', 'text/html').end('<p>elsewhere'),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const page = await browser.newPage();
    await page.goto(`http://127.0.0.1:${(other.address() as AddressInfo).port}/`);
    const { token } = (await (await fetch(`${run.url}api/session`)).json()) as { token: string };
    const results = await page.evaluate(
      async ([url, token]) => {
        const told = (promise: Promise<Response>) =>
          promise.then(
            ({ status, type }) => `${type} ${status}`,
            (fault: Error) => fault.name,
          );
        const body = JSON.stringify({ id: 'identity', action: 'force-open', reason: 'cross-origin' });
        return [
          await told(fetch(`${url}api/session`)),
          await told(fetch(`${url}api/action`, { method: 'POST', mode: 'no-cors', body })),
          await told(
            fetch(`${url}api/action`, {
              method: 'POST',
              headers: { 'content-type': 'application/json', 'x-recloser-token': token as string },
              body,
            }),
          ),
        ];
      },
      [run.url, token],
    );
    expect(results).toEqual(['TypeError', 'TypeError', 'TypeError']);
    expect((await detailOf('identity')).row.state).toBe('closed');
    await page.close();
    other.close();
  });

  test.each(['light', 'dark'] as const)(
    'in %s axe-core finds nothing, and the pictures are taken',
    async (colorScheme) => {
      const { page, faults } = await opened(browser, run.url, { ...size, colorScheme });
      await page.waitForSelector('.row.state-open');
      await page.waitForTimeout(1_500);
      await page.waitForSelector('.row.state-open');
      await picture(page, `list-${colorScheme}`);
      await expectAccessible(page, `list, ${colorScheme}`);
      await page.goto(`${run.url}#/b/payments`);
      await page.waitForSelector('.plot canvas');
      await page.waitForTimeout(1_500);
      await expectAccessible(page, `detail, ${colorScheme}`);
      await picture(page, `detail-${colorScheme}`);
      await page.keyboard.press('.');
      await page.waitForSelector('dialog[open]');
      await expectAccessible(page, `action, ${colorScheme}`);
      await picture(page, `action-${colorScheme}`);
      expect(faults).toEqual([]);
      await page.context().close();
    },
  );

  test('on a phone nothing is wider than the screen, and the details are a page of their own', async () => {
    const { page, faults } = await opened(browser, run.url, {
      viewport: { width: 390, height: 844 },
      deviceScaleFactor: 2,
      isMobile: true,
      hasTouch: true,
    });
    await page.waitForSelector('.row.state-open');
    await page.waitForTimeout(1_500);
    const wider = () => page.evaluate(`document.documentElement.scrollWidth - document.documentElement.clientWidth`);
    expect(await wider()).toBe(0);
    await picture(page, 'list-phone');
    await page.locator('.row').first().tap();
    await page.waitForSelector('.plot canvas');
    await page.waitForTimeout(500);
    expect(await wider()).toBe(0);
    await expectAccessible(page, 'phone');
    await picture(page, 'detail-phone');
    await page.getByRole('button', { name: 'Back to the list' }).tap();
    await page.waitForSelector('.detail', { state: 'detached' });
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('the run ends with what was done in its report, and its incident opens again', async () => {
    run.child.kill('SIGINT');
    const report = JSON.parse(await run.ended) as Report;
    const shipping = report.dependencies.find(({ name }) => name === 'shipping');
    expect(shipping?.transitions).toMatchObject([
      { from: 'closed', to: 'forced-open', why: 'forced by ana (vendor incident 4711)' },
    ]);
    expect(shipping?.refused).toBeGreaterThan(0);

    const file = (await run.incident) as string;
    const recorded = await demo('--open', file);
    const { page, faults } = await opened(browser, recorded.url, size);
    expect(await page.textContent('.pulse')).toContain('recorded');
    await page.locator('.row', { hasText: 'payments' }).click();
    await page.waitForSelector('.timeline li');
    expect(await page.textContent('[data-testid=why]')).toContain('TimeoutError');
    expect(await page.locator('.actions').count()).toBe(0);
    // The same file, opened by hand in any page.
    await page.goto(recorded.url);
    await page
      .getByLabel('Open a recorded incident')
      .setInputFiles(fileURLToPath(new URL(`../../${file}`, import.meta.url)));
    await page.locator('.row', { hasText: 'payments' }).click();
    await page.waitForSelector('.timeline li');
    expect(faults).toEqual([]);
    await page.context().close();
    recorded.child.kill('SIGTERM');
  });
});
