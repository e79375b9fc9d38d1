// What is promised where Node's own modules are: in Node, Bun and Deno.
import { AsyncLocalStorage } from 'node:async_hooks';
import { channel } from 'node:diagnostics_channel';
import { createRequire } from 'node:module';
import { dashboard } from '@recloser/dashboard';
import * as recloser from 'recloser';
import CircuitBreaker from 'recloser/opossum';
import { equal } from './promises.ts';

/** In a file of its own: where one file imports and requires the same name, Bun takes one for both. */
const required = createRequire(import.meta.url)('./required.cjs') as {
  readonly recloser: typeof recloser;
  readonly CircuitBreaker: typeof CircuitBreaker;
};
const down = (): Promise<never> => Promise.reject(new Error('down'));

export const modules: Record<string, () => Promise<void>> = {
  async 'the copy that is required and the one that is imported agree on what is a refusal'() {
    const breaker = required.recloser.circuitBreaker({ failureThreshold: 1 });
    const refused = recloser.circuitBreaker({ failureThreshold: 1 });
    for (let i = 0; i < 2; i++) await breaker.execute(down).catch(() => {});
    const error = await refused.execute(() => breaker.execute(down)).catch((error) => error);
    equal(
      [required.recloser.circuitBreaker === recloser.circuitBreaker, error instanceof recloser.CircuitOpenError],
      [false, true],
    );
    equal(refused.state, 'closed', 'an inner refusal is no failure');
  },

  async 'abort listeners see the store of their own call'() {
    const store = new AsyncLocalStorage<string>();
    const breaker = recloser.circuitBreaker({ timeoutMs: 40 });
    const seen: (string | undefined)[] = [];
    const call = (name: string): Promise<unknown> =>
      store.run(name, () =>
        breaker.execute(({ signal }) => {
          signal.addEventListener('abort', () => seen.push(store.getStore()));
          return new Promise(() => {});
        }),
      );
    await Promise.allSettled([call('first'), call('second')]);
    equal(seen, ['first', 'second']);
  },

  async 'what happens is told on channels of node:diagnostics_channel'() {
    const heard: string[] = [];
    const opened = channel('recloser:circuit-breaker:opened');
    const listener = (message: unknown): void => {
      heard.push((message as { payload: recloser.Transition }).payload.to);
    };
    opened.subscribe(listener);
    await recloser
      .circuitBreaker({ failureThreshold: 1 })
      .execute(down)
      .catch(() => {});
    opened.unsubscribe(listener);
    equal(heard, ['open']);
  },

  async 'recloser/opossum fires, opens and falls back, imported and required'() {
    equal(required.CircuitBreaker.name, 'CircuitBreaker');
    const breaker = new CircuitBreaker(down, { errorThresholdPercentage: 1, resetTimeout: 50 });
    breaker.fallback(() => 'instead');
    equal([await breaker.fire(), breaker.opened, breaker.stats.failures], ['instead', true, 1]);
    breaker.shutdown();
  },

  async 'the dashboard answers requests of the Fetch standard'() {
    const page = dashboard({ breakers: [recloser.circuitBreaker({ name: 'shown' })], authorize: () => 'read' });
    const response = await page.fetch(new Request('http://localhost/'));
    equal([response.status, (await response.text()).includes('<!doctype html>')], [200, true]);
    page.close();
  },
};
