import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, launch } from '../browser/chromium.ts';
import { bundled } from './bundle.ts';
import { promises } from './promises.ts';

describe.skipIf(!hasChromium)('a page in Chromium', () => {
  let browser: Browser;
  let results: Record<string, string>;
  beforeAll(async () => {
    browser = await launch();
    const page = await browser.newPage();
    await page.addScriptTag({ type: 'module', content: await bundled('page.mjs') });
    await page.waitForFunction(() => 'results' in globalThis);
    results = await page.evaluate(() => (globalThis as unknown as { results: Record<string, string> }).results);
  });
  afterAll(() => browser?.close());

  for (const name of Object.keys(promises)) test(name, () => expect(results[name]).toBe(''));
});
