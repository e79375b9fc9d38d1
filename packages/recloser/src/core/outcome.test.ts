import { manualClock } from 'recloser/testing';
import { beforeEach, describe, expect, test, vi } from 'vitest';
import { CircuitOpenError, TimeoutError } from './errors.ts';
import { assess, defaultVerdict, judge, type Outcome, retryAfterOf } from './outcome.ts';

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

  const onListenerError = vi.fn();
  const policy = { name: 'x', clock: manualClock(), random: () => 0, onListenerError };
  beforeEach(() => void onListenerError.mockClear());

  test('takes the classifier’s word, with the longer of the two wishes to be left alone', () => {
    expect(judge(() => 'ignored', outcome, policy)).toEqual({ verdict: 'ignored', retryAfterMs: 300 });
    expect(judge(() => ({ verdict: 'failure', retryAfterMs: 500 }), outcome, policy)).toEqual({
      verdict: 'failure',
      retryAfterMs: 500,
    });
    expect(judge(() => ({ verdict: 'failure', retryAfterMs: 100 }), outcome, policy)?.retryAfterMs).toBe(300);
    expect(onListenerError).not.toHaveBeenCalled();
  });

  test('leaves the call to the default on undefined', () => {
    const verdictOf = (more: Partial<Outcome>) => judge(() => undefined, { ...outcome, ...more }, policy)?.verdict;
    expect(verdictOf({})).toBe('failure');
    expect(verdictOf({ ok: true })).toBe('success');
    expect(verdictOf({ aborted: true })).toBe('ignored');
  });

  test.each(['nonsense', 'successful', 'xfailure', '', 5, true, {}, [], { verdict: 'no' }])(
    'reports %o and has no answer',
    (answer) => {
      expect(judge(() => answer as never, outcome, policy)).toBeUndefined();
      expect(onListenerError).toHaveBeenCalledExactlyOnceWith(expect.any(TypeError), 'classify');
    },
  );

  test('reports what it throws and has no answer', () => {
    const fault = new Error('classifier');
    const broken = (): never => {
      throw fault;
    };
    expect(judge(broken, outcome, policy)).toBeUndefined();
    expect(onListenerError).toHaveBeenCalledExactlyOnceWith(fault, 'classify');
  });
});

describe('assess', () => {
  const caller = { aborted: false, key: 'k', context: 'c' };
  const scope = { ...caller, reason: undefined };
  const gaveUp = { ...scope, aborted: true, reason: 'enough' };
  const ignoring: unknown[] = [];
  const onListenerError = (...told: unknown[]): void => void ignoring.push(told);
  const policy = { name: 'x', clock: manualClock(), random: () => 0, onListenerError };

  test('without a classifier it is the default, with what the error says of Retry-After', () => {
    const busy = { retryAfterMs: 500 };
    expect(assess(undefined, scope, false, busy, 0, policy)).toEqual({ verdict: 'failure', retryAfterMs: 500 });
    expect(assess(undefined, scope, true, busy, 0, policy)).toEqual({ verdict: 'success', retryAfterMs: 0 });
  });

  test('the classifier sees value or error, and the time', () => {
    const classify = vi.fn(() => 'ignored' as const);
    expect(assess(classify, scope, true, 5, 12, policy)).toEqual({ verdict: 'ignored', retryAfterMs: 0 });
    assess(classify, scope, false, 'down', 13, policy);
    expect(classify.mock.calls).toEqual([
      [{ ok: true, value: 5, error: undefined, elapsedMs: 12, ...caller }],
      [{ ok: false, value: undefined, error: 'down', elapsedMs: 13, ...caller }],
    ]);
  });

  test('is not asked about refusals and aborts', () => {
    const classify = vi.fn(() => 'failure' as const);
    expect(assess(classify, scope, false, refusal, 0, policy).verdict).toBe('ignored');
    expect(assess(classify, gaveUp, false, 'enough', 0, policy).verdict).toBe('ignored');
    expect(classify).not.toHaveBeenCalled();
  });

  test.each([
    [true, 'success'],
    [false, 'failure'],
  ])('what a call ended with before its caller gave up is its own (ok %s)', (ok, verdict) => {
    expect(assess(undefined, gaveUp, ok, 'down', 0, policy).verdict).toBe(verdict);
  });

  test.each([
    [true, 'success'],
    [false, 'failure'],
  ])('where it throws the default decides, and the fault is reported (ok %s)', (ok, verdict) => {
    const broken = () => {
      throw ours;
    };
    expect(assess(broken, scope, ok, 'x', 0, policy).verdict).toBe(verdict);
    expect(ignoring.splice(0)).toEqual([[ours, 'classify']]);
  });
});
