import { expect, test } from 'vitest';
import type { Report } from '../../examples/outage/report.ts';
import { demo, outage } from '../browser/demo.ts';

const openings =
  /^recloser_circuit_breaker_transitions_total\{name="([^"]+)",from="\w+",to="open",reason="\w+"\} (\d+)$/gm;

/** How often each breaker has opened, as a scrape says. */
function openedOf(scrape: string): Map<string, number> {
  const opened = new Map<string, number>();
  for (const [, name = '', count] of scrape.matchAll(openings))
    opened.set(name, (opened.get(name) ?? 0) + Number(count));
  return opened;
}

test('the demo has metrics beside its page, and they say what the report says in the end', {
  timeout: 60_000,
}, async () => {
  const { url, ended } = await demo('--trace', outage(), '--speed', '12', '--json');
  let scrape = '';
  let over = false;
  void ended.then(() => {
    over = true;
  });
  while (!over) {
    scrape = await fetch(`${url}metrics`).then(
      (response) => (response.ok ? response.text() : scrape),
      () => scrape,
    );
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const report = JSON.parse(await ended) as Report;
  const opened = openedOf(scrape);
  expect([...opened.keys()].sort()).toEqual(report.dependencies.map(({ name }) => name).sort());
  for (const { name, opened: reported } of report.dependencies) {
    // The last scrape is up to a tenth of a second older than the report.
    expect(opened.get(name)).toBeGreaterThanOrEqual(reported - 1);
    expect(opened.get(name)).toBeLessThanOrEqual(reported);
  }
  expect(opened.get('payments')).toBeGreaterThan(0);
  expect(scrape).toContain('recloser_execution_duration_seconds_count{name="search",outcome="success"}');
});
