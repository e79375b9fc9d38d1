import { channel } from 'node:diagnostics_channel';
import { circuitBreaker } from 'recloser';
import { expect, test } from 'vitest';
import { Ears, type Hearer } from './ears.ts';

const failing = async (): Promise<never> => {
  throw new Error('down');
};

function hearer(told: string[], name = ''): Hearer {
  return {
    moved: ({ to }) => told.push(`${name}${to}`),
    acted: ({ action }) => told.push(`${name}${action}`),
    updated: ({ changed }) => told.push(`${name}updated ${changed}`),
  };
}

test('it hears the breakers it was asked to, and no others', async () => {
  const ears = new Ears(() => {});
  const [one, other] = [circuitBreaker({ name: 'one', failureThreshold: 1 }), circuitBreaker({ name: 'other' })];
  const told: string[] = [];
  const stop = ears.listen(one, hearer(told));
  for (const breaker of [one, other]) await breaker.execute(failing).catch(() => {});
  one.update({ sleepWindowMs: 5 });
  one.forceOpen();
  one.reset();
  expect(told).toEqual(['open', 'updated sleepWindowMs', 'forced', 'reset', 'closed']);
  stop();
  one.forceOpen();
  expect(told).toHaveLength(5);
});

test('two may hear one breaker; a fault of the first is reported, and reaches neither the second nor the call', async () => {
  const faults: unknown[] = [];
  const ears = new Ears((fault) => faults.push(fault));
  const breaker = circuitBreaker();
  const told: string[] = [];
  const deaf = ears.listen(breaker, {
    ...hearer(told),
    acted: () => {
      throw new Error('mine');
    },
  });
  const stop = ears.listen(breaker, hearer(told, 'second: '));
  breaker.forceOpen();
  expect([breaker.state, faults, told]).toEqual(['forced-open', [new Error('mine')], ['second: forced']]);
  deaf();
  breaker.forceOpen();
  expect([faults.length, told]).toEqual([1, ['second: forced', 'second: forced']]);
  stop();
});

test('nothing is subscribed to while there is nobody to hear, and to failures never: that would cost all calls', () => {
  const heard = () => channel('recloser:circuit-breaker:opened').hasSubscribers;
  const ears = new Ears(() => {});
  expect(heard()).toBe(false);
  const stops = [circuitBreaker(), circuitBreaker()].map((breaker) => ears.listen(breaker, hearer([])));
  expect(heard()).toBe(true);
  expect(channel('recloser:circuit-breaker:failed').hasSubscribers).toBe(false);
  for (const stop of stops) stop();
  expect(heard()).toBe(false);
});
