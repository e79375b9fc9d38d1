import { type Registry, type RegistryOptions, registry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, rejection, succeed } from '../../../../test/support/calls.ts';

function setUp(options: RegistryOptions = {}): { services: Registry; clock: ManualClock } {
  const clock = manualClock();
  const defaults = { failureThreshold: 1, sleepWindowMs: 1_000, ...options.defaults };
  return { services: registry({ name: 'services', clock, ...options, defaults }), clock };
}

describe('snapshots', () => {
  test('S1: all breakers go on elsewhere, in the order of use', async () => {
    const { services, clock } = setUp({ defaults: { failureThreshold: 2 }, maxEntries: 3 });
    await fail(services.get('a'));
    services.get('b').forceOpen({ reason: 'migration', by: 'ann' });
    await fail(services.get('open'));
    await fail(services.get('open'));
    services.get('a');
    await clock.advance(400);
    const restore = JSON.parse(JSON.stringify(services));
    const next = setUp({ defaults: { failureThreshold: 2 }, maxEntries: 3, restore });
    expect([...next.services].map(([name]) => name)).toEqual(['b', 'open', 'a']);
    expect(next.services.get('b').explain()).toContain('forced-open by ann (migration)');
    expect(await rejection(succeed(next.services.get('open')))).toMatchObject({ retryAfterMs: 600 });
    await fail(next.services.get('a'));
    expect(next.services.get('a').state).toBe('open');
  });

  test('S1: `_overflow` goes on as such', async () => {
    const { services } = setUp({ maxEntries: 1 });
    await fail(services.get('a'));
    await fail(services.get('b'));
    const next = setUp({ maxEntries: 1, restore: JSON.parse(JSON.stringify(services)) });
    expect(next.services.peek('_overflow')?.state).toBe('open');
    expect([...next.services].map(([name]) => name)).toEqual(['_overflow', 'a']);
  });

  test('S1: with less room than before the idle ones go first', async () => {
    const { services } = setUp();
    await fail(services.get('open'));
    for (const name of ['a', 'b', 'c']) services.get(name);
    const next = setUp({ maxEntries: 2, restore: JSON.parse(JSON.stringify(services)) });
    expect([...next.services].map(([name]) => name)).toEqual(['open', 'c']);
  });

  test('S1: of two of one name, as in snapshots that were put together, the first goes on', async () => {
    const { services } = setUp();
    await fail(services.get('a'));
    const [a] = services.toJSON().breakers;
    const next = setUp({ restore: { version: 1, breakers: [a, { ...a, generation: 9 }] } as never }).services;
    expect([next.size, [...next].length, next.peek('a')?.metrics().generation]).toEqual([1, 1, a?.generation]);
    expect([next.delete('a'), [...next].length]).toEqual([true, 0]);
  });

  test.each([
    ['null', null],
    ['a text', 'x'],
    ['another version', { version: 2, breakers: [] }],
    ['no list', { version: 1, breakers: {} }],
    ['a nameless one', { version: 1, breakers: [{ version: 1 }] }],
    ['a broken one', { version: 1, breakers: [{ version: 1, name: 'a', state: 'ajar', generation: 1, trip: {} }] }],
    ['a broken parent', { version: 1, breakers: [], parent: { version: 1 } }],
  ])('S1: a bad one throws TypeError: %s', (_what, restore) => {
    expect(() => registry({ restore: restore as never, parent: {} })).toThrow(TypeError);
  });
});
