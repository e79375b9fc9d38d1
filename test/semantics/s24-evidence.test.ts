import {
  allOf,
  anyOf,
  type CircuitBreakerOptions,
  consecutiveFailures,
  failureCount,
  failureRate,
  slowCallRate,
  type Transition,
} from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, hold, setUp, slow, succeed } from '../support/calls.ts';

function watched(options: CircuitBreakerOptions = {}) {
  const made = setUp(options);
  const seen: Transition[] = [];
  for (const event of ['opened', 'half-opened', 'closed'] as const) made.breaker.on(event, (told) => seen.push(told));
  return { ...made, seen, last: () => seen.at(-1) as Transition };
}

const code = (name: string): Error => Object.assign(new Error(`${name} happened`), { code: name });

function frozen(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return Object.isFrozen(value) && Object.values(value).every(frozen);
}

describe('evidence', () => {
  test('S24: an opening carries rule, measured value, threshold, counts, errors, generation and time open', async () => {
    const { breaker, last } = watched({ failureThreshold: 3 });
    await fail(breaker, code('ETIMEDOUT'));
    await fail(breaker, code('ECONNRESET'));
    await fail(breaker, code('ETIMEDOUT'));
    expect(last()).toMatchObject({
      breaker: 'circuit-breaker',
      from: 'closed',
      to: 'open',
      generation: 2,
      retryAfterMs: 1_000,
      evidence: {
        rule: 'consecutiveFailures',
        value: 3,
        threshold: 3,
        calls: 3,
        failures: 3,
        generation: 2,
        openForMs: 0,
        topErrors: [
          { name: 'ETIMEDOUT', count: 2 },
          { name: 'ECONNRESET', count: 1 },
        ],
        lastError: { name: 'ETIMEDOUT', message: 'ETIMEDOUT happened' },
      },
    });
  });

  test('S24: with a window, the counts and the size of the window', async () => {
    const { breaker, last } = watched({ trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 4 }) });
    for (let i = 0; i < 3; i++) await succeed(breaker);
    for (let i = 0; i < 3; i++) await fail(breaker);
    expect(last().evidence).toMatchObject({
      rule: 'failureRate',
      value: 0.5,
      threshold: 0.5,
      calls: 6,
      failures: 3,
      minimumCalls: 4,
      windowMs: 10_000,
    });
    const { breaker: other, last: lastOfOther } = watched({ trip: failureCount({ threshold: 2, windowCalls: 9 }) });
    await fail(other);
    await fail(other);
    expect(lastOfOther().evidence).toMatchObject({ rule: 'failureCount', value: 2, threshold: 2, windowCalls: 9 });
  });

  test('S24: the slowest call, where durations are taken', async () => {
    const { breaker, clock, last } = watched({
      trip: slowCallRate({ threshold: 0.5, slowCallMs: 100, windowCalls: 10, minimumCalls: 3 }),
    });
    for (const ms of [150, 700, 120]) await slow(breaker, clock, ms);
    expect(last().evidence).toMatchObject({
      rule: 'slowCallRate',
      value: 1,
      slowCalls: 3,
      slowCallMs: 100,
      slowestMs: 700,
    });
    const { breaker: untimed, last: lastOfUntimed } = watched();
    await fail(untimed);
    expect(lastOfUntimed().evidence).not.toHaveProperty('slowestMs');
  });

  test('S24: half-opening and closing carry it as well', async () => {
    const { breaker, clock, seen } = watched({ successThreshold: 2 });
    await fail(breaker, code('ETIMEDOUT'));
    await clock.advance(1_500);
    await succeed(breaker);
    await clock.advance(500);
    await succeed(breaker);
    expect(seen.slice(1)).toMatchObject([
      {
        from: 'open',
        to: 'half-open',
        generation: 3,
        evidence: { rule: 'sleepWindow', value: 1_500, threshold: 1_000, openForMs: 1_500, generation: 3 },
      },
      {
        from: 'half-open',
        to: 'closed',
        generation: 4,
        evidence: { rule: 'probe', value: 2, threshold: 2, openForMs: 2_000, generation: 4 },
      },
    ]);
  });

  test('S24: a failed probe is evidence of its own, with its error and the time since the circuit was closed', async () => {
    const { breaker, clock, last } = watched();
    await fail(breaker, code('ETIMEDOUT'));
    await clock.advance(1_000);
    await fail(breaker, code('ECONNREFUSED'));
    expect(last()).toMatchObject({
      from: 'half-open',
      to: 'open',
      evidence: {
        rule: 'probe',
        openForMs: 1_000,
        topErrors: [{ name: 'ECONNREFUSED', count: 1 }],
        lastError: { name: 'ECONNREFUSED' },
      },
    });
  });

  test('S24: it is frozen, all of it', async () => {
    for (const trip of [
      consecutiveFailures(1),
      anyOf(consecutiveFailures(1), failureRate({ threshold: 1, windowCalls: 1 })),
      allOf(consecutiveFailures(1), failureRate({ threshold: 1, windowCalls: 1 })),
    ]) {
      const { breaker, clock, seen } = watched({ trip });
      await fail(breaker);
      await clock.advance(1_000);
      await fail(breaker);
      await clock.advance(1_000);
      await succeed(breaker);
      breaker.reset();
      expect(seen).toHaveLength(6);
      expect(seen.every(({ evidence }) => frozen(evidence))).toBe(true);
    }
  });

  test.each<[who: string, show: (keep: (evidence: unknown) => void) => Promise<void>]>([
    [
      'a back-off',
      async (keep) => {
        const sleepWindowMs = (_attempt: number, evidence: unknown) => {
          keep(evidence);
          return 1;
        };
        await fail(setUp({ sleepWindowMs }).breaker);
      },
    ],
    [
      'the words of a rule',
      async (keep) => {
        const rule = consecutiveFailures(1);
        const describe = (evidence: unknown) => void keep(evidence);
        const { breaker } = setUp({ trip: { name: rule.name, start: (now) => rule.start(now), describe } });
        await fail(breaker);
        breaker.explain();
      },
    ],
    [
      'a snapshot',
      async (keep) => {
        const { breaker } = setUp();
        await fail(breaker);
        keep(breaker.toJSON().evidence);
      },
    ],
  ])('S24: it is frozen for %s, listeners or none', async (_who, show) => {
    const shown: unknown[] = [];
    await show((evidence) => shown.push(evidence));
    expect(shown).toHaveLength(1);
    expect(shown[0]).toMatchObject({ rule: 'consecutiveFailures' });
    expect(frozen(shown[0])).toBe(true);
  });

  test('S24: it is that of the decision: what comes in later does not change it', async () => {
    const { breaker, last } = watched({ trip: failureRate({ threshold: 0.5, windowCalls: 10, minimumCalls: 2 }) });
    const olds = [hold(breaker), hold(breaker), hold(breaker)];
    await fail(breaker);
    await fail(breaker);
    const before = JSON.stringify(last());
    const sentence = breaker.explain();
    olds[0]?.resolve();
    olds[1]?.reject(new Error('late'));
    await Promise.all([olds[0]?.result, olds[1]?.result]);
    expect(JSON.stringify(last())).toBe(before);
    expect(breaker.explain()).toBe(sentence);
  });

  test('S24: error classes: the code, the cause’s where the name says nothing, else the name, and something for whatever is thrown', async () => {
    const thrown: [unknown, string][] = [
      [code('ECONNRESET'), 'ECONNRESET'],
      [new RangeError('x'), 'RangeError'],
      [Object.assign(new Error('x'), { name: 'HttpError', code: 503 }), 'HttpError'],
      [new TypeError('fetch failed', { cause: code('ECONNREFUSED') }), 'ECONNREFUSED'],
      [Object.assign(new Error('x', { cause: code('ECONNREFUSED') }), { name: 'HttpError' }), 'HttpError'],
      [new (class HttpError extends Error {})('x'), 'HttpError'],
      [new TypeError('x', { cause: null }), 'TypeError'],
      [{ name: 'Error', message: 'x' }, 'Error'],
      ['text', 'thrown string'],
      [null, 'thrown null'],
      [42, 'thrown number'],
      [{}, 'unknown error'],
      [new DOMException('x', 'TimeoutError'), 'TimeoutError'],
      [Object.assign(new Error('x'), { code: '' }), 'Error'],
    ];
    for (const [error, name] of thrown) {
      const { breaker, last } = watched();
      await fail(breaker, error);
      expect(last().evidence.topErrors).toEqual([{ name, count: 1 }]);
    }
  });

  test('S24: a value that was classified as failure is not said to be thrown', async () => {
    const { breaker, last } = watched({ classify: () => 'failure' });
    await succeed(breaker);
    expect(last().evidence.topErrors).toEqual([{ name: 'failure without error', count: 1 }]);
  });

  test('S24: the five most frequent classes, the most frequent first', async () => {
    const { breaker, last } = watched({ failureThreshold: 21 });
    for (const [i, name] of ['A', 'B', 'C', 'D', 'E', 'F'].entries()) {
      for (let n = 0; n <= i; n++) await fail(breaker, code(name));
    }
    expect(last().evidence.topErrors).toEqual([
      { name: 'F', count: 6 },
      { name: 'E', count: 5 },
      { name: 'D', count: 4 },
      { name: 'C', count: 3 },
      { name: 'B', count: 2 },
    ]);
  });

  test('S24: it is plain JSON, and long texts are cut', async () => {
    const { breaker, last } = watched();
    await fail(
      breaker,
      Object.assign(new Error('x'.repeat(10_000)), { code: 'C'.repeat(10_000), big: new Array(1e4) }),
    );
    expect(JSON.parse(JSON.stringify(last()))).toEqual(last());
    expect(JSON.stringify(last()).length).toBeLessThan(1_500);
  });

  test('S24: an old outage’s errors are not in the evidence of a new one', async () => {
    const { breaker, clock, last } = watched({ failureThreshold: 2 });
    await fail(breaker, code('OLD'));
    await fail(breaker, code('OLD'));
    await clock.advance(1_000);
    await succeed(breaker);
    await fail(breaker, code('NEW'));
    await fail(breaker, code('NEW'));
    expect(last().evidence.topErrors).toEqual([{ name: 'NEW', count: 2 }]);
  });

  test('S24: errors outside the row or the window are not in it', async () => {
    const { breaker, last } = watched({ failureThreshold: 2 });
    await fail(breaker, code('BEFORE'));
    await succeed(breaker);
    await fail(breaker, code('NOW'));
    await fail(breaker, code('NOW'));
    expect(last().evidence.topErrors).toEqual([{ name: 'NOW', count: 2 }]);
  });
});

describe('explain', () => {
  test('S24: one sentence of what is, why, and what must happen next', async () => {
    const { breaker, clock } = setUp({ failureThreshold: 5, sleepWindowMs: 30_000 });
    for (let i = 0; i < 5; i++) await fail(breaker, code('ETIMEDOUT'));
    await clock.advance(12_300);
    expect(breaker.explain()).toBe('open for 12.3 s: 5 consecutive failures (ETIMEDOUT ×5), next probe in 17.7 s');
  });

  test('S24: … when the sleep is over', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(1_000);
    expect(breaker.explain()).toContain('the next call is a probe');
  });

  test('S24: … half-open', async () => {
    const { breaker, clock } = setUp({ successThreshold: 3, halfOpen: { maxConcurrent: 2 } });
    await fail(breaker, code('ETIMEDOUT'));
    await clock.advance(1_000);
    await succeed(breaker);
    hold(breaker);
    await clock.advance(250);
    expect(breaker.explain()).toMatch(
      /^half-open for 250 ms: 1 probe out, 1 of 3 probes succeeded, closes at 3; .*ETIMEDOUT ×1/,
    );
  });

  test('S24: … half-open with a sample', async () => {
    const { breaker, clock } = setUp({ halfOpen: { sample: { calls: 4, failureRate: 0.5 } } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.explain()).toMatch(/0 probes out, 2 of 4 probes settled/);
  });

  test('S24: … closed, with what is measured and what opens', async () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    await fail(breaker);
    expect(breaker.explain()).toMatch(/^closed: 1 consecutive failure\b.*\b3$/);
    const { breaker: rated } = setUp({ trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 20 }) });
    await fail(rated);
    await succeed(rated);
    await succeed(rated);
    expect(rated.explain()).toMatch(/^closed: .*33\.3 % of 3 calls in 10 s.*50 %.*20 calls/);
  });

  test('S24: … with a set state over it, who and why and how long', async () => {
    const { breaker, clock } = setUp();
    breaker.forceOpen({ by: 'ada', reason: 'migration', expiresInMs: 90_000 });
    await clock.advance(30_000);
    expect(breaker.explain()).toMatch(/^forced-open by ada \(migration\) for another 1 min; underneath: closed/);
    breaker.observeOnly();
    expect(breaker.explain()).toMatch(/^observe-only until released; underneath: closed/);
  });

  test.each([
    [anyOf(consecutiveFailures(2), failureCount({ threshold: 9, windowCalls: 9 })), /2 consecutive failures/],
    [
      allOf(consecutiveFailures(2), failureCount({ threshold: 2, windowCalls: 9 })),
      /2 consecutive failures and .*2 failures/,
    ],
    [failureRate({ threshold: 0.5, windowCalls: 2 }), /100 % of the last 2 calls.*threshold 50 %/],
    [failureCount({ threshold: 2, windowMs: 60_000 }), /2 failures among 2 calls in 1 min/],
  ])('S24: each rule has its words (%#)', async (trip, words) => {
    const { breaker, last } = watched({ trip });
    await fail(breaker);
    await fail(breaker);
    expect(breaker.explain()).toMatch(words);
    expect(last().why).toMatch(words);
  });

  test('S24: the errors are those of the samples: a call that a set state let through is none', async () => {
    const { breaker, clock, last } = watched({ failureThreshold: 2, start: 'observe-only' });
    await fail(breaker);
    await fail(breaker);
    const shadowed = hold(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await fail(breaker);
    shadowed.reject(Object.assign(new Error('x'), { code: 'SHADOW' }));
    await shadowed.result;
    await fail(breaker);
    expect(last().why).toBe('2 consecutive failures (Error ×2)');
  });

  test('S24: a slow-call rate has its words', async () => {
    const trip = slowCallRate({ threshold: 0.5, slowCallMs: 200, windowCalls: 2 });
    const { breaker, clock, last } = watched({ trip });
    await slow(breaker, clock, 1_200);
    await slow(breaker, clock, 300);
    expect(last().why).toMatch(/100 % of the last 2 calls took 200 ms or more/);
  });

  test('S24: a measured share and its confidence bound are told apart', async () => {
    const { breaker, last } = watched({
      trip: failureRate({ threshold: 0.5, windowCalls: 50, minimumCalls: 1, confidence: 0.95 }),
    });
    for (let i = 0; i < 4; i++) await fail(breaker);
    expect(last().why).toMatch(/100 %.*51 %.*95 %.*of the last 4 calls/);
  });

  test('S24: transitions have their words', async () => {
    const { breaker, clock, seen } = watched({ halfOpen: { probeTimeoutMs: 100 } });
    await fail(breaker);
    await clock.advance(1_000);
    hold(breaker);
    await clock.advance(100);
    await clock.advance(1_000);
    await succeed(breaker);
    breaker.reset();
    expect(seen.map(({ why }) => why)).toEqual([
      '1 consecutive failure (Error ×1)',
      'the sleep window of 1 s is over',
      'a probe did not settle in time',
      'the sleep window of 1 s is over',
      '1 of 1 probe succeeded',
      'reset',
    ]);
  });
});
