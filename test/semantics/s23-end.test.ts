import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stateOf, succeed } from '../support/calls.ts';

const actions = ['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const;
describe('the end', () => {
  test('S23: dispose refuses every call from then on; calls in flight end as they would', async () => {
    const { breaker } = setUp({ name: 'payments' });
    const out = hold(breaker);
    breaker.dispose();
    const error = await rejection(succeed(breaker));
    expect(error).toMatchObject({
      code: 'ERR_REJECTED',
      reason: 'disposed',
      message: 'payments: the breaker is disposed',
    });
    expect(breaker.acquire()).toBeUndefined();
    out.resolve('fine');
    expect(await out.promise).toBe('fine');
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, rejectedRequests: 2 });
  });

  test('S23: … in every set state', async () => {
    for (const action of actions) {
      const { breaker } = setUp();
      breaker[action]();
      breaker.dispose();
      expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'disposed' });
      expect(breaker.available).toBe(false);
    }
  });

  test('S23: it lets go of listeners and timers', async () => {
    const { breaker, clock } = setUp({ halfOpen: { probeTimeoutMs: 5_000 } });
    let told = 0;
    breaker.on('failed', () => told++);
    await fail(breaker);
    await clock.advance(1_000);
    const out = hold(breaker);
    expect(clock.pending).toBe(1);
    breaker.dispose();
    expect(clock.pending).toBe(0);
    out.reject(new Error('x'));
    await out.result;
    expect(told).toBe(1);
  });

  test('S23: drain refuses new calls and waits for those in flight, permits and uncounted ones too', async () => {
    const { breaker } = setUp();
    const out = hold(breaker);
    const permit = breaker.acquire();
    breaker.disable();
    const uncounted = hold(breaker);
    breaker.release();
    const drained = breaker.drain();
    const again = breaker.drain();
    expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'disposed' });
    out.resolve();
    await out.result;
    permit?.ignore();
    expect(await stateOf(drained)).toBe('pending');
    uncounted.resolve();
    await Promise.all([drained, again]);
    expect(breaker.available).toBe(false);
  });

  test('S23: drain waits for uncounted calls alone, as many as there are', async () => {
    const { breaker } = setUp();
    breaker.disable();
    const [first, second] = [hold(breaker), hold(breaker)];
    const drained = breaker.drain();
    first.resolve();
    await first.result;
    expect(await stateOf(drained)).toBe('pending');
    second.resolve();
    await drained;
  });

  test('S23: drain of a disposed breaker does not bring it back', async () => {
    const { breaker } = setUp();
    breaker.dispose();
    const drained = breaker.drain();
    expect(breaker.available).toBe(false);
    await drained;
  });

  test('S23: drain of an idle breaker is done at once', async () => {
    const { breaker } = setUp();
    await breaker.drain();
    await breaker.drain();
    expect(breaker.available).toBe(false);
  });

  test('S23: reading a disposed breaker works as ever', async () => {
    const { breaker } = setUp();
    await fail(breaker);
    breaker.dispose();
    expect(breaker.state).toBe('open');
    expect(breaker.explain()).toContain('open');
    expect(breaker.toJSON().state).toBe('open');
    expect(breaker.metrics().failedRequests).toBe(1);
  });
});
