import { describe, expect, test } from 'vitest';
import { fail, setUp, stampede, succeed } from '../support/calls.ts';

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

  test('S7, S20, S24: the sleep is what it was, for leases, for back-offs and in the evidence; only its end has come', async () => {
    const previous: unknown[] = [];
    const { breaker, clock } = setUp({
      sleepWindowMs: (_attempt, _why, { previousMs }) => {
        previous.push(previousMs);
        return 30_000;
      },
    });
    const why: string[] = [];
    breaker.on('half-opened', (told) => why.push(told.why));
    await fail(breaker);
    await clock.advance(5);
    breaker.probe();
    expect(stampede(breaker, 1)).toBe(1);
    expect(why).toEqual(['a probe was asked for']);
    await clock.advance(29_999);
    expect(stampede(breaker, 3)).toBe(0);
    await clock.advance(1);
    await fail(breaker);
    expect(previous).toEqual([undefined, 30_000]);
    expect(breaker.toJSON()).toMatchObject({ state: 'open', sleepMs: 30_000, openForMs: 0 });
  });

  test('S1: it holds in another process', async () => {
    const { breaker } = setUp({ sleepWindowMs: 30_000 });
    await fail(breaker);
    breaker.probe();
    const { breaker: restored } = setUp({ restore: JSON.parse(JSON.stringify(breaker)) });
    expect(restored.explain()).toContain('the next call is a probe');
    await succeed(restored);
    expect(restored.state).toBe('closed');
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
