import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dashboard, dashboard, type Incident } from '@recloser/dashboard';
import express from 'express';
import helmet from 'helmet';
import type { Browser, Page } from 'playwright-core';
import { type CircuitBreaker, circuitBreaker, failureRate, registry } from 'recloser';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch, opened } from './chromium.ts';

const bad = () => Promise.reject(Object.assign(new Error('no answer'), { code: 'ETIMEDOUT' }));
const good = async (): Promise<number> => 1;

async function calls(breaker: CircuitBreaker, fails: number, succeeds: number): Promise<void> {
  for (let i = 0; i < succeeds; i++) await breaker.execute(good);
  for (let i = 0; i < fails; i++) await breaker.execute(bad).catch(() => {});
}

/** Chromium without a screen takes every page for one that is seen. */
const hidden = `Object.defineProperty(document, 'hidden', { configurable: true, get: () => true })`;

describe.skipIf(!hasChromium)('what is read off the page', () => {
  let browser: Browser;
  let shown: Dashboard;
  let url: string;
  const trip = failureRate({ threshold: 0.5, windowMs: 60_000, minimumCalls: 50, confidence: 0.95 });
  const payments = circuitBreaker({ name: 'payments', trip, sleepWindowMs: 600_000, timeoutMs: 2_000 });
  const quiet = circuitBreaker({ name: 'quiet', trip, timeoutMs: 2_000 });
  const loud = circuitBreaker({ name: 'loud', trip });
  let timer: ReturnType<typeof setInterval>;
  let round = 0;

  beforeAll(async () => {
    browser = await launch();
    shown = dashboard({ breakers: [payments, quiet, loud], title: 'prod-api' });
    ({ url } = await shown.listen({ port: 0 }));
    await calls(payments, 80, 20);
    await calls(quiet, 0, 10);
    timer = setInterval(() => {
      for (let i = 0; i < 80; i++) void loud.execute(good);
      if (round++ % 5 === 0) void quiet.execute(good);
    }, 100);
  });
  afterAll(async () => {
    clearInterval(timer);
    await browser?.close();
    await shown?.close();
  });

  const row = (page: Page, id: string) => page.locator(`.row[data-id="${id}"]`);
  const seconds = async (page: Page): Promise<number> =>
    Number.parseFloat((await row(page, 'payments').locator('.mark small').textContent()) ?? '');

  test('how long it has been open grows while somebody looks', async () => {
    const { page } = await opened(browser, url);
    const before = await seconds(page);
    await expect.poll(() => seconds(page), { timeout: 5_000 }).toBeGreaterThanOrEqual(before + 2);
    await page.context().close();
  });

  test('of a recorded incident nothing goes on', async () => {
    const incident = JSON.parse(JSON.stringify(await shown.incident('payments'))) as Incident;
    const { evidence } = incident.breakers[0]?.entries[0] ?? {};
    expect(evidence?.confidence).toBe(0.95);
    const recorded = dashboard({ incident });
    const { page, faults } = await opened(browser, `${(await recorded.listen({ port: 0 })).url}#/b/payments`);
    await page.waitForSelector('.detail .facts');
    const facts = await page.textContent('.facts');
    await page.waitForTimeout(2_200);
    await page.getByRole('button', { name: /^Colours/ }).click();
    expect(await page.textContent('.facts')).toBe(facts);
    expect(faults).toEqual([]);
    await page.context().close();
    recorded.close();
  });

  test('a share that is only sure to be so high is not told as what was measured', async () => {
    const { page } = await opened(browser, `${url}#/b/payments`);
    const evidence = page.locator('.evidence');
    await evidence.waitFor();
    const { evidence: told } = (await shown.incident('payments')).breakers[0]?.entries[0] ?? {};
    const share = ((told?.failures ?? 0) / (told?.calls ?? 1)) * 100;
    expect(await evidence.textContent()).toContain(`measured${Math.round(share * 10) / 10} %`);
    expect(await evidence.textContent()).toContain(
      `at least, 95 % sure${Math.round((told?.value ?? 0) * 1_000) / 10} %`,
    );
    // It remembers 32 of them, and says no more than that.
    expect(told?.failures).toBeGreaterThan(32);
    expect(await page.textContent('.errors-by-class')).toContain('ETIMEDOUT ×32of the last 32');
    expect(await row(page, 'payments').locator('.why').textContent()).toMatch(/^mostly ETIMEDOUT: failure rate/);
    await page.context().close();
  });

  /** How high the last minute of a breaker is drawn, in the units of its picture. */
  const heightOf = async (page: Page, id: string): Promise<number> => {
    const path = (await row(page, id).locator('.spark .all').getAttribute('d')) ?? '';
    return 24 - Math.min(...[...path.matchAll(/V([\d.]+)/g)].map(([, y]) => Number(y)));
  };

  test('the last minutes of all rows are drawn from zero by one scale, which is said above', async () => {
    const { page } = await opened(browser, url, { viewport: { width: 1_440, height: 900 } });
    await expect.poll(() => heightOf(page, 'loud')).toBeGreaterThan(18);
    await expect.poll(() => heightOf(page, 'quiet')).toBeGreaterThan(0);
    expect(await heightOf(page, 'quiet')).toBeLessThan(6);
    expect(await page.textContent('.columns')).toMatch(/minute, to [\d,]{3,}\/s/);
    await page.context().close();
  });

  test('latency is a bar from the median to the 95th percentile, with the timeout as a tick', async () => {
    const { page } = await opened(browser, url, { viewport: { width: 1_440, height: 900 } });
    const tick = row(page, 'quiet').locator('.latency .tick');
    await tick.waitFor({ state: 'attached' });
    // 2 s on decades from 1 ms to 100 s.
    expect(await tick.evaluate((element) => (element as unknown as { style: { left: string } }).style.left)).toMatch(
      /^66\.02/,
    );
    expect(await row(page, 'loud').locator('.latency .fill').count()).toBe(1);
    expect(await row(page, 'loud').locator('.latency .tick').count()).toBe(0);
    await page.context().close();
  });

  test('with too few calls to decide the bar says how many of those there are', async () => {
    const few = circuitBreaker({ name: 'few', trip });
    await calls(few, 5, 5);
    const other = dashboard({ breakers: [few] });
    const { page } = await opened(browser, (await other.listen({ port: 0 })).url, {
      viewport: { width: 1_440, height: 900 },
    });
    const fill = row(page, 'few').locator('.bar.few .fill');
    expect(await fill.evaluate((element) => (element as unknown as { style: { width: string } }).style.width)).toBe(
      '20%',
    );
    expect(await row(page, 'few').locator('.why').textContent()).toBe('10 of 50 calls it needs to decide');
    await page.context().close();
    other.close();
  });

  test('the curves are marked where somebody did something, and say what another threshold would have done', async () => {
    const breaker = circuitBreaker({ name: 'rising', trip: failureRate({ threshold: 0.5, windowMs: 60_000 }) });
    const other = dashboard({ breakers: [breaker], traceId: () => '7f3a' });
    const { page, faults } = await opened(browser, `${(await other.listen({ port: 0 })).url}#/b/rising`);
    await calls(breaker, 45, 55);
    breaker.update({ successThreshold: 3 });
    await page.waitForTimeout(2_500);
    await calls(breaker, 30, 0);
    expect(breaker.state).toBe('open');
    await expect
      .poll(() => page.textContent('.what-if'), { timeout: 10_000 })
      .toMatch(/at 40 % about \d s earlier, at 60 % later or not at all/);
    expect(await page.textContent('.marks')).toMatch(/process started .*, options changed \d\d:\d\d:\d\d/);
    expect(await page.textContent('.why-card')).toContain('Trace of the call that opened it: 7f3a');
    expect(await page.textContent('.configuration')).toMatch(/successThreshold3update at/);
    expect(faults).toEqual([]);
    await page.context().close();
    other.close();
  });

  test('a page that nobody sees gives its connection back, also one that opened behind others, and comes back when it is looked at', async () => {
    const { page, faults } = await opened(browser, url, {}, hidden);
    await expect.poll(() => page.title()).toBe('■ 1 open – prod-api');
    expect(shown.streams.open).toBe(1);
    await expect.poll(() => shown.streams.open, { timeout: 10_000 }).toBe(0);
    // It knows no longer.
    expect(await page.title()).toBe('prod-api');
    await page.evaluate(`
      Object.defineProperty(document, 'hidden', { configurable: true, get: () => false });
      document.dispatchEvent(new Event('visibilitychange'));
    `);
    await expect.poll(() => shown.streams.open).toBe(1);
    await expect.poll(() => page.textContent('.pulse')).toBe('live');
    await expect.poll(() => page.title()).toBe('■ 1 open – prod-api');
    expect(faults).toEqual([]);
    await page.context().close();
  });

  test('of a rule of failures in a row it says how many there are, however many calls end well', async () => {
    const plain = circuitBreaker({ name: 'plain', failureThreshold: 3 });
    const other = dashboard({ breakers: [plain] });
    const { page } = await opened(browser, `${(await other.listen({ port: 0 })).url}#/b/plain`);
    await calls(plain, 2, 40);
    await expect.poll(() => row(page, 'plain').locator('.why').textContent()).toBe('2, opens at 3 failures in a row');
    await expect.poll(() => page.textContent('.facts')).toContain('failures in a row2 of 3');
    await page.context().close();
    other.close();
  });

  test('of a registry it says for how long keys have been in trouble; states over time are those of its parent', async () => {
    const defaults = { failureThreshold: 1 };
    const alone = registry({ name: 'alone', defaults });
    const over = registry({ name: 'over', defaults, parent: { threshold: 0.9 } });
    const page = dashboard({ breakers: [alone, over] });
    const { url } = await page.listen({ port: 0 });
    const { page: window } = await opened(browser, url);
    for (const hosts of [alone, over]) await hosts.execute(bad, { key: 'a' }).catch(() => {});
    const shows = async (name: string) => {
      await window.goto(`${url}#/b/${name}`);
      const facts = window.locator('.facts');
      await expect.poll(() => facts.textContent(), { timeout: 5_000 }).toContain('not closed for');
      return { facts: await facts.textContent(), band: await window.locator('.band li').allTextContents() };
    };
    const { facts, band } = await shows('alone');
    expect(facts).not.toMatch(/in this state|open in all/);
    expect(band).toEqual([]);
    expect((await shows('over')).band).toEqual(['closed']);
    await window.context().close();
    await page.close();
  });

  test('a peer that is not heard of any more is in no figure; its breaker, if somebody looks at it, is as of then', async () => {
    const far = dashboard({ breakers: [payments, loud], instance: 'b' });
    const { url: peer } = await far.listen({ port: 0 });
    const near = dashboard({ breakers: [circuitBreaker({ name: 'payments' })], instance: 'a', peers: [{ url: peer }] });
    const { url: address } = await near.listen({ port: 0 });
    const { page } = await opened(browser, `${address}#/b/loud`);
    await expect.poll(() => page.textContent('.chip.state-open'), { timeout: 5_000 }).toBe('1 open');
    await expect.poll(() => page.textContent('.totals'), { timeout: 5_000 }).not.toContain('/s0 calls/s');
    await page.waitForSelector('.detail .facts');
    await far.close();
    await expect.poll(() => page.textContent('.instances'), { timeout: 15_000 }).toContain('1 not heard of');
    await expect.poll(() => page.textContent('.chip.state-open'), { timeout: 5_000 }).toBe('0 open');
    expect(await page.textContent('.totals')).toContain('/s0 calls/s');
    expect(await row(page, 'payments').getAttribute('class')).toContain('state-closed');
    await expect
      .poll(() => page.textContent('.verdict'), { timeout: 5_000 })
      .toMatch(/Unknown: b is not heard of; this is as of \d\d:\d\d:\d\d$/);
    await page.context().close();
    await near.close();
  });

  test('below a prefix of an Express with helmet everything loads, and is live', async () => {
    const server = createServer(express().use(helmet()).use('/ops/circuits', shown));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const { page, faults } = await opened(browser, `http://127.0.0.1:${port}/ops/circuits/#/b/payments`);
    await page.waitForSelector('.plot canvas');
    await expect.poll(() => page.textContent('.pulse')).toBe('live');
    expect(faults).toEqual([]);
    await page.context().close();
    server.closeAllConnections();
    server.close();
  });

  test.each(['reduce', 'no-preference'] as const)('who wants %s of motion gets that', async (reducedMotion) => {
    const { page } = await opened(browser, `${url}#/b/payments`, { reducedMotion });
    await page.waitForSelector('.plot canvas');
    const moving = await page.evaluate(`[...document.querySelectorAll('*')].map((each) => getComputedStyle(each))
      .filter(({ transitionDuration, animationDuration }) => /[1-9]/.test(transitionDuration + animationDuration)).length`);
    if (reducedMotion === 'reduce') expect(moving).toBe(0);
    else expect(moving).toBeGreaterThan(0);
    await page.context().close();
  });
});
