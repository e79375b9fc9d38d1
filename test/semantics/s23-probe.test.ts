import { describe, expect, test } from 'vitest';
import { fail, setUp, succeed } from '../support/calls.ts';

describe('probe', () => {
  test('S23: it ends the sleep: the next call is a probe, and who wanted it is told', async () => {
    const { breaker, clock } = setUp({ name: 'payments', sleepWindowMs: 30_000, successThreshold: 1 });
    await fail(breaker);
    await clock.advance(1_000);
    const told: unknown[] = [];
    breaker.on('released', (event) => told.push(event));
    breaker.probe({ reason: 'the vendor says it is up', by: 'ana' });
    expect(told).toEqual([
      {
        breaker: 'payments',
        action: 'woken',
        state: 'open',
        previous: 'open',
        reason: 'the vendor says it is up',
        by: 'ana',
        expiresInMs: undefined,
      },
    ]);
    expect(breaker.explain()).toContain('the next call is a probe');
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    expect(breaker.metrics().circuitOpenTimeMs).toBe(1_000);
  });

  test('S23: it never makes a sleep longer, and says nothing where nothing sleeps', async () => {
    const { breaker, clock } = setUp({ sleepWindowMs: 100 });
    const told: unknown[] = [];
    breaker.on('released', (event) => told.push(event));
    breaker.probe();
    expect(told).toEqual([]);
    await fail(breaker);
    await clock.advance(500);
    breaker.probe();
    expect(breaker.toJSON().sleepMs).toBe(100);
  });
});
