import { type Registry, type RegistryOptions, registry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { fail, rejection, succeed } from '../../../../test/support/calls.ts';

function setUp(options: RegistryOptions = {}): { services: Registry; clock: ManualClock } {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  return { services: registry({ name: 'services', clock, ...options, defaults }), clock };
}

describe('events', () => {
  test('of all breakers come with their name, of those that are there and of those to come', async () => {
    const told: string[] = [];
    const { services } = setUp();
    await succeed(services.get('early'));
    const off = services.on('opened', ({ breaker }) => told.push(`opened ${breaker}`));
    services.on('rejected', ({ breaker, reason }) => told.push(`rejected ${breaker} ${reason}`));
    for (const key of ['early', 'late']) {
      await fail(services.get(key));
      await rejection(succeed(services.get(key)));
    }
    expect(told).toEqual(['opened early', 'rejected early open', 'opened late', 'rejected late open']);
    off();
    await fail(services.get('another'));
    expect(told).toHaveLength(4);
  });

  test('a breaker’s own listeners hear only their breaker', async () => {
    const { services } = setUp({ onOpened: () => {} });
    const told: string[] = [];
    services.get('a').on('opened', ({ breaker }) => told.push(breaker));
    await fail(services.get('b'));
    await fail(services.get('a'));
    expect(told).toEqual(['a']);
  });

  test('what a listener causes is told after what it heard', async () => {
    const { services } = setUp();
    const told: string[] = [];
    services.get('b');
    services.on('opened', ({ breaker }) => breaker === 'a' && services.get('b').forceOpen());
    services.on('forced', ({ breaker }) => told.push(`forced ${breaker}`));
    services.on('opened', ({ breaker }) => told.push(`opened ${breaker}`));
    await fail(services.get('a'));
    expect(told).toEqual(['opened a', 'forced b']);
  });

  test('options listen too, and a listener that throws is reported and changes nothing', async () => {
    const reports: unknown[] = [];
    const { services } = setUp({
      onAdded: () => {
        throw new Error('broken');
      },
      onListenerError: (error, event) => reports.push([String(error), event]),
    });
    expect(await services.execute(() => 1, { key: 'a' })).toBe(1);
    expect(reports).toEqual([['Error: broken', 'added']]);
    expect(() => services.on('added ' as never, () => {})).toThrow(/no event 'added ' \(known: opened, /);
  });

  test('without a handler of the user’s the first fault of all of them is printed, once', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const { services } = setUp({
      onFailed: () => {
        throw new Error('broken');
      },
    });
    await fail(services.get('a'));
    await fail(services.get('b'));
    expect(print.mock.calls.map(([text]) => text)).toEqual([
      "recloser: a listener of 'services' threw on 'failed' (told once):",
    ]);
    print.mockRestore();
  });
});
