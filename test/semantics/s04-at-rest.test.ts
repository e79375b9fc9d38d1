import { describe, expect, test } from 'vitest';
import { runInNode } from '../support/child.ts';

describe('the process', () => {
  test('S4: while a call is in flight its timer keeps the process alive', async () => {
    const { output, code } = await runInNode(`
      import { circuitBreaker } from './packages/recloser/src/index.ts';
      const breaker = circuitBreaker({ timeoutMs: 400 });
      breaker.execute(() => new Promise(() => {})).catch((error) => console.log('told', error.code));`);
    expect(output).toContain('told ERR_TIMEOUT');
    expect(code).toBe(0);
  }, 30_000);

  test('S4: a breaker at rest lets the process end, whatever it went through', async () => {
    const { output, code, ms } = await runInNode(`
      import { circuitBreaker } from './packages/recloser/src/index.ts';
      const breakers = [];
      const down = () => Promise.reject(new Error('down'));
      for (let i = 0; i < 20; i++) {
        const breaker = circuitBreaker({
          timeoutMs: 600_000, failureThreshold: 1 + (i % 2), sleepWindowMs: 600_000, maxConcurrent: 2,
          halfOpen: { probeTimeoutMs: 600_000 }, recovery: { rampMs: 600_000 },
        });
        await breaker.execute(() => 1);
        await breaker.execute(down).catch(() => {});
        breaker.forceOpen({ expiresInMs: 600_000 });
        breakers.push(breaker);
      }
      console.log('states', new Set(breakers.map((breaker) => breaker.toJSON().state)));`);
    expect(output).toContain("states Set(2) { 'open', 'closed' }");
    expect(code).toBe(0);
    expect(ms).toBeLessThan(20_000);
  }, 30_000);

  test('S4: work that outlives its call does not keep the process alive', async () => {
    const { code, ms } = await runInNode(`
      import { circuitBreaker } from './packages/recloser/src/index.ts';
      const breaker = circuitBreaker({ timeoutMs: 50, maxConcurrent: 2, abandonAfterMs: 600_000 });
      breaker.execute(() => new Promise(() => {})).catch(() => {});`);
    expect(code).toBe(0);
    expect(ms).toBeLessThan(20_000);
  }, 30_000);

  test('S4: 10,000 idle breakers own no handle and cost no CPU', async () => {
    const { output, code } = await runInNode(`
      import { circuitBreaker, failureRate } from './packages/recloser/src/index.ts';
      const trip = failureRate({ threshold: 0.5, windowMs: 1_000, minimumCalls: 1 });
      const breakers = Array.from({ length: 10_000 }, () => circuitBreaker({ trip, timeoutMs: 1_000, sleepWindowMs: 500 }));
      for (const breaker of breakers.slice(0, 5_000)) breaker.acquire().failure(new Error('x'));
      const handles = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
      await new Promise((resolve) => setTimeout(resolve, 200));
      const before = process.cpuUsage();
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      const { user, system } = process.cpuUsage(before);
      console.log(JSON.stringify({ handles, states: breakers.filter(({ state }) => state === 'open').length, cpuMs: (user + system) / 1_000 }));`);
    const { handles, states, cpuMs } = JSON.parse(output) as { handles: number; states: number; cpuMs: number };
    expect({ handles, states }).toEqual({ handles: 0, states: 5_000 });
    expect(cpuMs).toBeLessThan(200);
    expect(code).toBe(0);
  }, 30_000);
});
