import { describe, expect, test, vi } from 'vitest';
import { CircuitOpenError, TimeoutError } from './errors.ts';
import { defaultVerdict, judge, type Outcome, retryAfterOf } from './outcome.ts';

const refusal = new CircuitOpenError('x', { breaker: 'inner', reason: 'open' });
const ours = new TimeoutError('x', { breaker: 'inner', timeoutMs: 5 });

describe('defaultVerdict', () => {
  test.each([
    [true, undefined, false, 'success'],
    [true, refusal, true, 'success'],
    [false, new Error('x'), false, 'failure'],
    [false, undefined, false, 'failure'],
    [false, refusal, false, 'ignored'],
    [false, refusal, true, 'ignored'],
    [false, new Error('x'), true, 'ignored'],
    [false, undefined, true, 'ignored'],
    [false, ours, false, 'failure'],
    [false, ours, true, 'failure'],
    [false, new DOMException('x', 'TimeoutError'), true, 'failure'],
    [false, new DOMException('x', 'AbortError'), true, 'ignored'],
    [false, { name: 'TimeoutError' }, true, 'failure'],
  ] as const)('ok %s, error %s, aborted %s: %s', (ok, error, aborted, verdict) => {
    expect(defaultVerdict(ok, error, aborted)).toBe(verdict);
  });
});

describe('retryAfterOf', () => {
  test.each([
    [{ retryAfterMs: 500 }, 500],
    [Object.assign(new Error('x'), { retryAfterMs: 0.5 }), 0.5],
    [{ retryAfterMs: Number.POSITIVE_INFINITY }, Number.POSITIVE_INFINITY],
    [{ retryAfterMs: 0 }, 0],
    [{ retryAfterMs: -1 }, 0],
    [{ retryAfterMs: Number.NaN }, 0],
    [{ retryAfterMs: '500' }, 0],
    [{}, 0],
    [null, 0],
    [undefined, 0],
    ['text', 0],
  ])('of %o is %d', (error, ms) => {
    expect(retryAfterOf(error)).toBe(ms);
  });

  test('of a throwing getter is 0', () => {
    const hostile = Object.defineProperty({}, 'retryAfterMs', {
      get() {
        throw new Error('x');
      },
    });
    expect(retryAfterOf(hostile)).toBe(0);
  });
});

describe('judge', () => {
  const outcome: Outcome = {
    ok: false,
    value: undefined,
    error: { retryAfterMs: 300 },
    elapsedMs: 5,
    key: undefined,
    context: undefined,
    aborted: false,
  };

  test('takes the classifier’s word, with the longer of the two wishes to be left alone', () => {
    const report = vi.fn();
    expect(judge(() => 'ignored', outcome, report)).toEqual({ verdict: 'ignored', retryAfterMs: 300 });
    expect(judge(() => ({ verdict: 'failure', retryAfterMs: 500 }), outcome, report)).toEqual({
      verdict: 'failure',
      retryAfterMs: 500,
    });
    expect(judge(() => ({ verdict: 'failure', retryAfterMs: 100 }), outcome, report).retryAfterMs).toBe(300);
    expect(report).not.toHaveBeenCalled();
  });

  test('leaves the call to the default on undefined', () => {
    expect(
      judge(
        () => undefined,
        outcome,
        () => {},
      ).verdict,
    ).toBe('failure');
    expect(
      judge(
        () => undefined,
        { ...outcome, ok: true },
        () => {},
      ).verdict,
    ).toBe('success');
    expect(
      judge(
        () => undefined,
        { ...outcome, aborted: true },
        () => {},
      ).verdict,
    ).toBe('ignored');
  });

  test.each(['nonsense', 'successful', 'xfailure', '', 5, true, {}, [], { verdict: 'no' }])(
    'reports %o and says failure',
    (answer) => {
      const report = vi.fn();
      expect(judge(() => answer as never, outcome, report)).toEqual({ verdict: 'failure', retryAfterMs: 0 });
      expect(report).toHaveBeenCalledOnce();
      expect(report.mock.calls[0]?.[0]).toBeInstanceOf(TypeError);
    },
  );

  test('reports what it throws and says failure', () => {
    const report = vi.fn();
    const fault = new Error('classifier');
    const broken = (): never => {
      throw fault;
    };
    expect(judge(broken, outcome, report)).toEqual({ verdict: 'failure', retryAfterMs: 0 });
    expect(report).toHaveBeenCalledExactlyOnceWith(fault);
  });
});
