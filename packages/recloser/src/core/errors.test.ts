import { types } from 'node:util';
import { describe, expect, test, vi } from 'vitest';
import { BulkheadFullError, CircuitOpenError, errorOf, RejectedError, TimeoutError } from './errors.ts';

const details = { breaker: 'payments', reason: 'open', state: 'open', retryAfterMs: 1_500 } as const;

/** Another copy of the package, as two versions in one node_modules are. */
async function otherCopy(): Promise<typeof import('./errors.ts')> {
  vi.resetModules();
  const copy = await import('./errors.ts');
  expect(copy.RejectedError).not.toBe(RejectedError);
  return copy;
}

describe('classes', () => {
  test.each([
    [RejectedError, 'RejectedError', 'ERR_REJECTED'],
    [CircuitOpenError, 'CircuitOpenError', 'ERR_CIRCUIT_OPEN'],
    [BulkheadFullError, 'BulkheadFullError', 'ERR_BULKHEAD_FULL'],
  ])('%o carries its name and code', (type, name, code) => {
    const error = new type('refused', details);
    expect(error).toMatchObject({ name, code, message: 'refused', ...details });
    expect(error).toBeInstanceOf(type);
    expect(error).toBeInstanceOf(RejectedError);
    expect(error).toBeInstanceOf(Error);
    expect(types.isNativeError(error)).toBe(true);
    expect(String(error)).toBe(`${name}: refused`);
  });

  test('a timeout is no rejection', () => {
    const error = new TimeoutError('late', { breaker: 'payments', timeoutMs: 50 });
    expect(error).toMatchObject({ name: 'TimeoutError', code: 'ERR_TIMEOUT', breaker: 'payments', timeoutMs: 50 });
    expect(error).not.toBeInstanceOf(RejectedError);
  });

  test.each([RejectedError, CircuitOpenError, BulkheadFullError, TimeoutError])(
    '%o can be made by hand, with a message alone',
    (type) => {
      const error = new type('by hand', undefined as never);
      expect([error.message, error.breaker]).toEqual(['by hand', undefined]);
      expect(error).toBeInstanceOf(type);
    },
  );

  test('siblings are told apart, parents are no children', () => {
    const open = new CircuitOpenError('x', details);
    expect(open).not.toBeInstanceOf(BulkheadFullError);
    expect(new RejectedError('x', details)).not.toBeInstanceOf(CircuitOpenError);
  });

  test('classes derived by users match by their own chain, not by the brand', () => {
    class Mine extends CircuitOpenError {}
    const mine = new Mine('x', details);
    expect(mine).toBeInstanceOf(Mine);
    expect(mine).toBeInstanceOf(CircuitOpenError);
    expect(new CircuitOpenError('x', details)).not.toBeInstanceOf(Mine);
  });

  test('name and code are not among the fields that are shown or copied', () => {
    const keys = Object.keys(new CircuitOpenError('x', details));
    expect(keys).toEqual(['breaker', 'reason', 'state', 'retryAfterMs']);
  });

  test('frameworks read 503 and Retry-After', () => {
    const error = new CircuitOpenError('x', details);
    expect([error.status, error.statusCode, error.headers]).toEqual([503, 503, { 'retry-after': '2' }]);
    expect(new CircuitOpenError('x', { ...details, retryAfterMs: 0 }).headers).toEqual({ 'retry-after': '1' });
    expect(new CircuitOpenError('x', { ...details, retryAfterMs: undefined }).headers).toEqual({});
  });

  test('S6: a framework may give it another status and other headers, as http-errors does', () => {
    const details = { breaker: 'b', reason: 'open' } as const;
    const given = { status: 502, statusCode: 502, headers: { vary: 'x' } };
    expect(Object.assign(new CircuitOpenError('open', details), given)).toMatchObject(given);
    expect(new CircuitOpenError('open', details)).toMatchObject({ status: 503, headers: {} });
  });
});

describe('brands', () => {
  test('errors of another copy of the package match', async () => {
    const copy = await otherCopy();
    const foreign = new copy.CircuitOpenError('x', details);
    expect(Object.getPrototypeOf(foreign)).not.toBe(CircuitOpenError.prototype);
    expect(foreign).toBeInstanceOf(CircuitOpenError);
    expect(foreign).toBeInstanceOf(RejectedError);
    expect(foreign).not.toBeInstanceOf(BulkheadFullError);
    expect(new CircuitOpenError('x', details)).toBeInstanceOf(copy.CircuitOpenError);
    expect(new copy.TimeoutError('x', { breaker: 'b', timeoutMs: 1 })).toBeInstanceOf(TimeoutError);
  });

  test('a breaker of one copy ignores the refusals of the other', async () => {
    const { circuitBreaker } = await import('../index.ts');
    vi.resetModules();
    const copy = await import('../index.ts');
    expect(copy.circuitBreaker).not.toBe(circuitBreaker);
    const inner = copy.circuitBreaker();
    inner.forceOpen();
    const outer = circuitBreaker({ failureThreshold: 1 });
    await outer.execute(() => inner.execute(() => 1)).catch(() => {});
    expect(outer.metrics()).toMatchObject({ state: 'closed', ignoredRequests: 1 });
  });

  test.each([null, undefined, 'text', 5, {}, new Error('x'), Object.create(null)])('%o is no refusal', (value) => {
    expect((value as unknown) instanceof RejectedError).toBe(false);
    expect((value as unknown) instanceof TimeoutError).toBe(false);
  });

  test('what can’t be asked is none either', () => {
    const refuse = (): never => {
      throw new Error('do not touch');
    };
    const { proxy, revoke } = Proxy.revocable({}, {});
    revoke();
    for (const value of [proxy, new Proxy({}, { get: refuse, getPrototypeOf: refuse })]) {
      expect((value as unknown) instanceof RejectedError).toBe(false);
      class Mine extends RejectedError {}
      expect((value as unknown) instanceof Mine).toBe(false);
    }
  });
});

describe('errorOf', () => {
  test('makes the error, and names it where the stack would be', () => {
    const error = errorOf(CircuitOpenError, 'refused', details);
    expect(error).toBeInstanceOf(CircuitOpenError);
    expect(error.stack).toBe('CircuitOpenError: payments: refused');
    expect(Object.keys(error)).not.toContain('stack');
  });

  test('leaves the limit of others as it was, even an odd one', () => {
    const host = Error as { stackTraceLimit: unknown };
    const before = host.stackTraceLimit;
    for (const limit of [3, 0, undefined, 'odd']) {
      host.stackTraceLimit = limit;
      errorOf(CircuitOpenError, 'refused', details);
      expect(host.stackTraceLimit).toBe(limit);
    }
    host.stackTraceLimit = before;
  });

  test('works where the intrinsics are frozen', () => {
    const before = Object.getOwnPropertyDescriptor(Error, 'stackTraceLimit') as PropertyDescriptor;
    Object.defineProperty(Error, 'stackTraceLimit', { ...before, writable: false });
    try {
      expect(errorOf(CircuitOpenError, 'refused', details)).toBeInstanceOf(CircuitOpenError);
    } finally {
      Object.defineProperty(Error, 'stackTraceLimit', before);
    }
  });
});
