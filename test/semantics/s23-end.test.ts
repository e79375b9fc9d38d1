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

  test('S23: drain that a listener of a refusal asks for waits for the fallback of that refusal', async () => {
    const told: string[] = [];
    const { breaker, clock } = setUp({
      fallback: () => new Promise((resolve) => clock.setTimeout(() => resolve('other'), 50)),
      onRejected: () => void breaker.drain().then(() => told.push('drained')),
    });
    breaker.forceOpen();
    const call = breaker.execute(() => 1).then((answer) => told.push(String(answer)));
    await clock.advance(49);
    expect(told).toEqual([]);
    await clock.advance(1);
    await call;
    await clock.advance(0);
    expect(told).toEqual(['other', 'drained']);
  });
  test('S23: a caller who leaves while its fallback is at work is no failed fallback', async () => {
    const told: string[] = [];
    const { breaker } = setUp({ onFallbackFailed: () => told.push('failed'), failureThreshold: 9 });
    const caller = new AbortController();
    const fallback = () =>
      new Promise<never>((_, reject) => caller.signal.addEventListener('abort', () => reject(caller.signal.reason)));
    const call = rejection(
      breaker.execute(() => Promise.reject(new Error('down')), { fallback, signal: caller.signal }),
    );
    await stateOf(call);
    caller.abort('left');
    expect(await call).toBe('left');
    expect(told).toEqual([]);
  });
  test('S23: drain waits until callers have what their fallbacks answer, and that is told', async () => {
    const told: string[] = [];
    const { breaker } = setUp({
      onFellBack: () => told.push('fell-back'),
      onFallbackFailed: () => told.push('fallback-failed'),
      onOpened: () => told.push('opened'),
    });
    const answers: { resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
    const fallback = () => new Promise((resolve, reject) => answers.push({ resolve, reject }));
    const calls = [hold(breaker, { fallback }), hold(breaker, { fallback: 'at once' }), hold(breaker, { fallback })];
    for (const { promise } of calls) {
      promise.then(
        (value) => told.push(`got ${value}`),
        () => told.push('got nothing'),
      );
    }
    const drained = breaker.drain().then(() => told.push('drained'));
    for (const call of calls) call.reject(new Error('down'));
    expect(await stateOf(drained)).toBe('pending');
    answers[0]?.resolve('plan B');
    expect(await stateOf(drained)).toBe('pending');
    answers[1]?.reject(new Error('no plan'));
    await drained;
    expect(told).toEqual([
      ...['opened', 'fell-back', 'got at once', 'fell-back', 'got plan B'],
      ...['fallback-failed', 'got nothing', 'drained'],
    ]);
  });

  test('S23: … and for calls that were at work when a first bulkhead came by update', async () => {
    const { breaker } = setUp();
    const calls = [hold(breaker), hold(breaker)];
    breaker.update({ maxConcurrent: 1 });
    const drained = breaker.drain();
    for (const call of calls) {
      expect(await stateOf(drained)).toBe('pending');
      call.resolve();
      await call.result;
    }
    await drained;
    expect(breaker.ending).toBe('disposed');
  });

  test('S23: … but not for those of callers who have given up', async () => {
    const { breaker } = setUp();
    const gaveUp = new AbortController();
    const call = hold(breaker, { signal: gaveUp.signal, fallback: () => new Promise(() => {}) });
    call.reject(new Error('down'));
    const drained = breaker.drain();
    expect(await stateOf(drained)).toBe('pending');
    gaveUp.abort('gone');
    await drained;
    expect(await call.result).toBe('gone');
  });

  test.each(['opened', 'half-opened', 'failed'] as const)(
    'S23: drain by whoever hears %s waits for the call that brought it about',
    async (event) => {
      const { breaker, clock } = setUp();
      let drained: Promise<void> | undefined;
      const told: string[] = [];
      if (event === 'half-opened') {
        await fail(breaker);
        await clock.advance(1_000);
      }
      breaker.on(event, () => {
        drained = breaker.drain();
      });
      breaker.on('opened', () => told.push('opened'));
      breaker.on('fell-back', () => told.push('fell-back'));
      const call = hold(breaker, { fallback: () => Promise.resolve('plan B') });
      if (event === 'half-opened') expect(await stateOf(drained as Promise<void>)).toBe('pending');
      call.reject(new Error('down'));
      await call.result.then((value) => told.push(`got ${value}`));
      await drained;
      expect(told).toEqual(['opened', 'fell-back', 'got plan B']);
    },
  );

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
    expect(breaker.ending).toBe('disposed');
    expect(breaker.explain()).toMatch(/^disposed: every new call is refused; it was closed/);
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
