import { expect, test } from 'vitest';
import type { Report } from '../../examples/outage/report.ts';
import { demo, outage } from '../browser/demo.ts';
import { EventStreamClient } from '../support/event-stream.ts';
import { expectValid } from '../support/hystrix.ts';

test('the demo has the Hystrix stream and readiness beside its page, and both see what opens', {
  timeout: 60_000,
}, async () => {
  const { url, ended } = await demo('--trace', outage(), '--speed', '12', '--json');
  const stream = new EventStreamClient(Number(new URL(url).port), '/hystrix.stream');
  expect((await stream.opened).statusCode).toBe(200);
  const early = await fetch(`${url}readyz`);
  expect(early.status).toBe(200);

  await stream.until(() => stream.data.some(({ isCircuitBreakerOpen }) => isCircuitBreakerOpen));
  const { status, breakers } = (await (await fetch(`${url}readyz`)).json()) as {
    status: string;
    breakers: { name: string; state: string; critical: boolean; why: string }[];
  };
  expect(status).toBe('degraded');
  const troubled = breakers.find(({ state }) => state !== 'closed');
  expect(troubled).toMatchObject({ name: 'payments', critical: false });
  expect(troubled?.why).toMatch(/open/);

  const report = JSON.parse(await ended) as Report;
  await stream.until(() => false);
  const messages = stream.data;
  for (const message of messages) expectValid(message);
  const named = new Set(messages.map(({ name }) => name));
  expect([...named].sort()).toEqual(report.dependencies.map(({ name }) => name).sort());
  const opened = new Set(messages.filter(({ isCircuitBreakerOpen }) => isCircuitBreakerOpen).map(({ name }) => name));
  const reported = report.dependencies.filter((one) => one.opened > 0).map(({ name }) => name);
  expect([...opened].sort()).toEqual(reported.sort());
  expect(messages.some(({ rollingCountShortCircuited }) => Number(rollingCountShortCircuited) > 0)).toBe(true);
});
