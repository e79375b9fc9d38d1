import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const place = process.env.CHROMIUM ?? '/usr/bin/chromium';
export const hasChromium: boolean = existsSync(place);
if (!hasChromium) console.warn(`no Chromium at ${place}: the browser tests are skipped (CHROMIUM names another)`);

const quiet =
  '--no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-component-update --disable-sync';

export const launch = (...more: string[]): Promise<Browser> =>
  chromium.launch({ executablePath: place, args: [...quiet.split(' '), ...more] });

/** A page, with a script that runs `before` its own, and all that went wrong in it: faults of scripts, and what its policy kept from loading. */
export async function opened(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
  before = '',
): Promise<{ page: Page; faults: string[] }> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  const page = await context.newPage();
  const faults: string[] = [];
  page.on('pageerror', (fault) => faults.push(fault.message));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(message.text());
  });
  await page.addInitScript(before);
  await page.goto(url);
  await page.waitForSelector('.row, .nothing');
  return { page, faults };
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** Every rule of axe-core: a violation is told with the elements it is about. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe);
  const violations = await page.evaluate(async () => {
    const { violations } = await (
      globalThis as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string; failureSummary: string }[] }[] }> };
      }
    ).axe.run();
    return violations.flatMap(({ id, nodes }) =>
      nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary}`),
    );
  });
  expect(violations, what).toEqual([]);
}

/** Pictures for the documents, where they are wanted; else for whoever looks at the report. */
export async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env.RECLOSER_PICTURES ? 'docs/dashboard' : 'reports/browser';
  const path = fileURLToPath(new URL(`../../${folder}/`, import.meta.url));
  mkdirSync(path, { recursive: true });
  await page.screenshot({ path: `${path}${name}.png` });
}
