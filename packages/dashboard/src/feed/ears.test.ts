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
    failed: ({ error }) => told.push(`${name}${(error as Error).message}`),
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
  expect(told).toEqual(['down', 'open', 'updated sleepWindowMs', 'forced', 'reset', 'closed']);
  stop();
  one.forceOpen();
  expect(told).toHaveLength(6);
});

test('two may hear one breaker; a fault of the first is reported, and reaches neither the second nor the call', async () => {
  const faults: unknown[] = [];
  const ears = new Ears((fault) => faults.push(fault));
  const breaker = circuitBreaker();
  const told: string[] = [];
  const deaf = ears.listen(breaker, {
    ...hearer(told),
    failed: () => {
      throw new Error('mine');
    },
  });
  const stop = ears.listen(breaker, hearer(told, 'second: '));
  await expect(breaker.execute(failing)).rejects.toThrow('down');
  expect([faults, told]).toEqual([[new Error('mine')], ['second: down']]);
  deaf();
  await breaker.execute(failing).catch(() => {});
  expect([faults.length, told]).toEqual([1, ['second: down', 'second: down']]);
  stop();
});

test('nothing is subscribed to while there is nobody to hear', () => {
  const heard = () => channel('recloser:circuit-breaker:failed').hasSubscribers;
  const ears = new Ears(() => {});
  expect(heard()).toBe(false);
  const stops = [circuitBreaker(), circuitBreaker()].map((breaker) => ears.listen(breaker, hearer([])));
  expect(heard()).toBe(true);
  for (const stop of stops) stop();
  expect(heard()).toBe(false);
});
