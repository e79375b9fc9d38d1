import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { type CallContext, ChaosError, chaos, pipeline } from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { rejection } from '../../../../../test/support/calls.ts';
import { setUp } from '../../../../../test/support/chaos.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

describe('on and off', () => {
  test('it is off unless enabled', async () => {
    const random = vi.fn(() => 0);
    const policy = chaos({ rate: 1, fault: true, random });
    expect(policy.enabled).toBe(false);
    expect(await policy.execute(() => 'real')).toBe('real');
    expect(random).not.toHaveBeenCalled();
    policy.enable();
    expect(policy.enabled).toBe(true);
    expect(await rejection(policy.execute(() => 'real'))).toBeInstanceOf(ChaosError);
    policy.disable();
    expect(await policy.execute(() => 'real')).toBe('real');
    expect(policy.metrics()).toMatchObject({ enabled: false, totalRequests: 3, injectedRequests: 1 });
  });

  test('who, why and for how long are events; switching off what is off is none', async () => {
    const { policy, told } = setUp({ enabled: false, fault: true });
    policy.disable();
    policy.enable({ by: 'ada', reason: 'game day', expiresInMs: 500 });
    policy.disable({ by: 'grace', reason: 'enough' });
    expect(told).toEqual([
      ['enabled', { policy: 'monkey', by: 'ada', reason: 'game day', expiresInMs: 500 }],
      ['disabled', { policy: 'monkey', by: 'grace', reason: 'enough' }],
    ]);
  });

  test('it ends by itself at expiresInMs, without a timer; the next call tells', async () => {
    const { policy, call, clock, told } = setUp({ enabled: false, fault: true });
    await clock.advance(10_000);
    policy.enable({ expiresInMs: 500 });
    expect(clock.pending).toBe(0);
    await clock.advance(499);
    expect(await rejection(call())).toBeInstanceOf(ChaosError);
    await clock.advance(1);
    expect(policy.enabled).toBe(false);
    expect(policy.metrics().enabled).toBe(false);
    expect(told.some(([event]) => event === 'disabled')).toBe(false);
    expect(await call()).toBe('real');
    expect(await call()).toBe('real');
    expect(told.filter(([event]) => event === 'disabled')).toEqual([
      ['disabled', { policy: 'monkey', by: undefined, reason: 'expired' }],
    ]);
    policy.enable();
    await clock.advance(1e9);
    expect(policy.enabled).toBe(true);
  });

  test('update changes the rest under way; it does not switch it on', async () => {
    const { policy, call, told } = setUp<string>({ enabled: false, rate: 0, fault: true });
    policy.update({ rate: 1, fault: false, outcome: () => 'other' });
    expect(policy.enabled).toBe(false);
    policy.enable();
    expect(await call()).toBe('other');
    expect(told[0]).toEqual(['updated', { policy: 'monkey', changed: ['rate', 'fault', 'outcome'] }]);
    expect(() => policy.update({ fault: true })).toThrow(/outcome must be left out beside fault/);
    expect(() => policy.update({ enabled: true } as never)).toThrow(/unknown option enabled/);
    expect(() => policy.update({ rate: 2 })).toThrow(RangeError);
    expect(await call()).toBe('other');
  });

  test('a call that was struck before it was switched off ends as it began', async () => {
    const { policy, call, clock } = setUp({ latencyMs: 100, fault: true });
    const struck = rejection(call());
    policy.disable();
    await clock.advance(100);
    expect(await struck).toBeInstanceOf(ChaosError);
  });
});

describe('no call can switch it on or raise its rate', () => {
  const polluted = Object.prototype as Record<string, unknown>;
  afterEach(() => {
    for (const key of ['enabled', 'rate', 'fault']) delete polluted[key];
  });

  test('whatever it brings along as key, context or option', async () => {
    const seen: unknown[] = [];
    const policy = chaos({ rate: 1, fault: true, when: (caller) => seen.push(caller) > 0 });
    const hostile = { enabled: true, rate: 1, chaos: policy.name, fault: true, when: () => true, random: () => 0 };
    const options = { ...hostile, key: 'enabled', context: hostile } as never;
    expect(await policy.execute(() => 'real', options)).toBe('real');
    expect(await pipeline(policy).execute(() => 'real', options)).toBe('real');
    expect(seen).toEqual([]);
    policy.update({ rate: 0 });
    policy.enable();
    expect(await policy.execute(() => 'real', options)).toBe('real');
  });

  test('nor what it managed to write on Object.prototype', async () => {
    Object.assign(polluted, { enabled: true, rate: 1, fault: true });
    const policy = chaos({ rate: 0, latencyMs: 0 });
    expect(policy.enabled).toBe(false);
    expect(await policy.execute(() => 'real')).toBe('real');
    policy.enable();
    policy.update({ when: () => true });
    expect(await policy.execute(() => 'real')).toBe('real');
    policy.update({ rate: 0.5 });
    expect(await policy.execute(() => 'real')).toBe('real');
  });

  test('nor does the function under it get hold of anything that could', async () => {
    const { policy } = setUp({ rate: 0, fault: true });
    const context = await policy.execute((given) => given);
    expect(Object.keys(context)).toEqual([]);
    expect('enable' in context || 'update' in context).toBe(false);
  });
});

test('off, it changes nothing; on, it does what the draw says; nothing outlives the abort, whatever happens', async () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), draw: fc.double({ min: 0, max: 0.99 }) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(60) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('enable' as const, 'disable' as const) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('update' as const), rate: fc.constantFrom(0, 0.5, 1) }) },
  );
  await holdsInTime(
    fc.asyncProperty(fc.boolean(), fc.nat(50), fc.array(step, { maxLength: 40 }), async (fault, latencyMs, steps) => {
      let draw = 0;
      let rate = 0.5;
      let on = false;
      let struck = 0;
      const { policy, clock, told } = setUp({ enabled: false, rate, fault, latencyMs, random: () => draw });
      const calls: { abort: AbortController; struck: boolean; outcome?: unknown }[] = [];
      for (const taken of steps) {
        if (taken.do === 'call') {
          draw = taken.draw;
          const entry: (typeof calls)[number] = { abort: new AbortController(), struck: on && draw < rate };
          if (entry.struck) struck++;
          calls.push(entry);
          const work = ({ signal }: CallContext): string => (signal.aborted ? 'outlived' : 'real');
          policy.execute(work, { signal: entry.abort.signal }).then(
            (value) => (entry.outcome = value),
            (error) => (entry.outcome = error),
          );
        } else if (taken.do === 'advance') await clock.advance(taken.ms);
        else if (taken.do === 'abort') calls[taken.which]?.abort.abort('gave up');
        else if (taken.do === 'update') policy.update({ rate: (rate = taken.rate) });
        else {
          on = taken.do === 'enable';
          policy[taken.do]();
        }
        await clock.advance(0);
      }
      await clock.advance(100);
      for (const { abort, outcome, struck } of calls) {
        if (outcome === 'gave up') expect(abort.signal.aborted).toBe(true);
        else if (struck && fault) expect(outcome).toBeInstanceOf(ChaosError);
        else expect(outcome).toBe('real');
        expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      }
      const { totalRequests, injectedRequests, injections } = policy.metrics();
      expect(totalRequests).toBe(calls.length);
      expect(injectedRequests).toBe(struck);
      expect(injections.latency).toBe(struck);
      expect(told.filter(([event]) => event === 'injected')).toHaveLength(injections.latency + injections.fault);
      expect(clock.pending).toBe(0);
    }),
  );
});
