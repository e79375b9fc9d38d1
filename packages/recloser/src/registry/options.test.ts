import {
  type CircuitBreaker,
  consecutiveFailures,
  failureRate,
  type Registry,
  type RegistryOptions,
  registry,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection } from '../../../../test/support/calls.ts';

function setUp(options: RegistryOptions = {}): { services: Registry; clock: ManualClock } {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  return { services: registry({ name: 'services', clock, ...options, defaults }), clock };
}

const faultOf = (make: () => unknown): Error => {
  try {
    make();
  } catch (error) {
    return error as Error;
  }
  throw new Error('expected a fault');
};

describe('options', () => {
  test('all faults are told at once, each with its path', () => {
    const error = faultOf(() =>
      registry({
        maxEntries: 0,
        defaults: { timeoutMs: -1, name: 'x' },
        overrides: [
          { match: 5, options: { sleepWindowMs: 'x' } },
          { match: 'a', options: { failureThreshold: 1, trip: consecutiveFailures(1) } },
        ],
        parent: { threshold: 2, minimumOpen: 0, trip: 1 },
        colour: 'red',
        onEvicted: 1,
      } as never),
    );
    expect(error).toBeInstanceOf(TypeError);
    for (const fault of [
      'maxEntries must be an integer from 1 to 1000000, got 0',
      'defaults.timeoutMs must be a number from 1 to 2147483647, got -1',
      "defaults: name and restore must be absent: they are the own of each, got 'x'",
      'overrides.match must be a name, a RegExp or a function, got 5',
      "overrides.options.sleepWindowMs must be a number from 0 to 2147483647, got 'x'",
      'overrides.options.trip must be absent beside failureThreshold, got an object',
      'parent.threshold must be a number from 5e-324 to 1, got 2',
      'parent.minimumOpen must be an integer from 1 to 2147483647, got 0',
      'unknown option parent.trip',
      'unknown option colour',
      'onEvicted must be a function, got 1',
    ]) {
      expect(error.message).toContain(fault);
    }
    expect(error.message).toMatch(/^registry: /);
  });

  test.each([
    { timeoutMs: 50 },
    { maxConcurrent: 5 },
    { release: 'on-timeout' },
    { abandonAfterMs: 50 },
    { fallback: 'x' },
    { failureThreshold: 5 },
  ])('the parent bounds and answers no calls, and has its own rule, at construction and under way: %o', (given) => {
    const unknown = new RegExp(`unknown option (parent\\.)?${Object.keys(given)}`);
    expect(() => registry({ parent: given as never })).toThrow(unknown);
    const over = registry({ parent: {} }).parent as CircuitBreaker;
    expect(() => over.update(given as never)).toThrow(unknown);
    over.update({ sleepWindowMs: 50 });
    expect(over.settings.sleepWindowMs).toBe(50);
    expect(over.explain()).toBe('closed: 0 of 0 keys in use are open, fewer than 5, opens at 50 %');
  });

  test('what the parent can’t change under way is told with what it can', () => {
    const over = registry({ parent: {} }).parent as CircuitBreaker;
    expect(() => over.update({ threshold: 0.9 } as never)).toThrow('threshold must be one of successThreshold, sleep');
  });

  test('S26: all faults of a change of the parent are told together', () => {
    const over = registry({ parent: {} }).parent as CircuitBreaker;
    expect(() => over.update({ timeoutMs: 5, name: 'other', successThreshold: 0 } as never)).toThrow(
      /^update: successThreshold must be .*, got 0; name must be left alone .*; unknown option timeoutMs must be one of success/,
    );
  });

  test('are copied: what becomes of the caller’s own objects changes nothing', async () => {
    const defaults = { failureThreshold: 1, halfOpen: { maxConcurrent: 1 } };
    const overrides = [{ match: 'b', options: { failureThreshold: 2 } }];
    const services = registry(Object.freeze({ defaults, overrides }));
    defaults.failureThreshold = 9;
    overrides.pop();
    await fail(services.get('a'));
    await fail(services.get('b'));
    expect([services.get('a').state, services.get('b').state]).toEqual(['open', 'closed']);
  });

  test('a clock among the defaults will do', async () => {
    const clock = manualClock();
    const services = registry({ defaults: { clock, timeoutMs: 50 }, parent: { minimumOpen: 1, sleepWindowMs: 10 } });
    const call = rejection(services.execute(() => new Promise(() => {}), { key: 'a' }));
    await clock.advance(50);
    expect(await call).toMatchObject({ name: 'TimeoutError' });
    expect(services.get('a').state).toBe('closed');
  });
});

describe('update', () => {
  test('changes the options of all, and keeps state and window', async () => {
    const { services, clock } = setUp({ defaults: { failureThreshold: 3 } });
    await fail(services.get('a'));
    await fail(services.get('a'));
    const open = services.get('open');
    for (let i = 0; i < 3; i++) await fail(open);
    services.update({ defaults: { timeoutMs: 100 } });
    expect([services.get('a').metrics().window.value, open.state]).toEqual([2, 'open']);
    const call = rejection(services.execute(() => new Promise(() => {}), { key: 'a' }));
    await clock.advance(100);
    expect(await call).toMatchObject({ timeoutMs: 100, breaker: 'a' });
    expect(services.get('a').state).toBe('open');
    expect(await services.execute(({ timeLeftMs }) => timeLeftMs, { key: 'new' })).toBe(100);
  });

  test('another rule of the same kind goes on with the figures, any other begins anew', async () => {
    const { services } = setUp({ defaults: { failureThreshold: 3 } });
    await fail(services.get('a'));
    await fail(services.get('a'));
    services.update({ defaults: { failureThreshold: 5 } });
    expect(services.get('a').metrics().window).toMatchObject({ value: 2, threshold: 5 });
    services.update({ defaults: { trip: failureRate({ threshold: 0.5, windowCalls: 10 }) } });
    expect(services.get('a').metrics().window).toMatchObject({ rule: 'failureRate', calls: 0 });
  });

  test('overrides are replaced; what one no longer says falls back to the defaults', async () => {
    const { services } = setUp({
      defaults: { timeoutMs: 100 },
      overrides: [{ match: 'a', options: { timeoutMs: 200, maxConcurrent: 1 } }],
    });
    const call = hold(services.get('a'));
    services.get('b');
    services.update({ overrides: [{ match: 'b', options: { timeoutMs: 300 } }] });
    const limitOf = (key: string) => services.execute(({ timeLeftMs }) => timeLeftMs, { key });
    expect([await limitOf('a'), await limitOf('b'), await limitOf('c')]).toEqual([100, 300, 100]);
    call.resolve();
  });

  test('only those are told of whom it concerns, each with what has changed', () => {
    const { services } = setUp();
    const told: unknown[] = [];
    services.on('updated', (event) => told.push(event));
    for (const name of ['a', 'b']) services.get(name);
    services.update({ overrides: [{ match: 'b', options: { timeoutMs: 9, halfOpen: { maxConcurrent: 2 } } }] });
    services.update({});
    expect(told).toEqual([{ breaker: 'b', changed: ['timeoutMs', 'halfOpen'] }]);
    services.update({ defaults: { successThreshold: 4 }, overrides: [] });
    expect(told.slice(1)).toEqual([
      { breaker: 'a', changed: ['successThreshold'] },
      { breaker: 'b', changed: ['timeoutMs', 'halfOpen', 'successThreshold'] },
    ]);
  });

  test('faults are told at once and change nothing', () => {
    const { services } = setUp();
    services.get('a');
    const error = faultOf(() =>
      services.update({ defaults: { timeoutMs: 0, start: 'disabled' }, maxEntries: 3 } as never),
    );
    expect(error.message).toBe(
      'update: defaults.timeoutMs must be a number from 1 to 2147483647, got 0; ' +
        "defaults.start must be left alone (it is set at construction), got 'disabled'; " +
        "unknown option maxEntries must be one of defaults, overrides, got 'maxEntries'",
    );
  });
});
