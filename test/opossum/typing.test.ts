// What the compiler is to find, and what code written for @types/opossum is to keep.
import { EventEmitter } from 'node:events';
import CircuitBreaker, { type Options, type Status, type Window } from 'recloser/opossum';
import { expectTypeOf, test } from 'vitest';

const action = async (word: string, times: number): Promise<number> => word.length * times;
const breaker = new CircuitBreaker(action);

test('the action’s arguments and result go through to fire, call, events and fallback', () => {
  expectTypeOf(breaker.fire).parameters.toEqualTypeOf<[word: string, times: number]>();
  expectTypeOf(breaker.fire).returns.toEqualTypeOf<Promise<number>>();
  expectTypeOf(breaker.call).parameters.toEqualTypeOf<[context: unknown, word: string, times: number]>();
  breaker.on('fire', (args) => expectTypeOf(args).toEqualTypeOf<[word: string, times: number]>());
  breaker.on('success', (result, latencyMs) => {
    expectTypeOf(result).toEqualTypeOf<number>();
    expectTypeOf(latencyMs).toEqualTypeOf<number>();
  });
  breaker.on('failure', (error, latencyMs, [word]) => {
    expectTypeOf(error).toEqualTypeOf<Error>();
    expectTypeOf(latencyMs).toEqualTypeOf<number>();
    expectTypeOf(word).toEqualTypeOf<string>();
  });
  breaker.on('timeout', (error) => expectTypeOf(error.code).toEqualTypeOf<'ETIMEDOUT'>());
  breaker.on('halfOpen', (resetTimeout) => expectTypeOf(resetTimeout).toEqualTypeOf<number>());
  breaker.fallback((word, times, error) => {
    expectTypeOf([word, times, error] as const).toEqualTypeOf<readonly [string, number, Error]>();
  });
  new CircuitBreaker(action, { cacheGetKey: (word, times) => word.repeat(times) });
});

test('what is wrong does not compile', () => {
  const wrong = (): void => {
    // @ts-expect-error the arguments the wrong way round
    void breaker.fire(1, 'word');
    // @ts-expect-error no such event
    breaker.on('half-open', () => {});
    // @ts-expect-error the result is a number
    breaker.on('success', (result: string) => result);
    // @ts-expect-error a misspelt option
    new CircuitBreaker(action, { timeOut: 5 });
    // @ts-expect-error no interval
    breaker.healthCheck(async () => {}, '300');
  };
  expectTypeOf(wrong).returns.toBeVoid();
});

test('an action may answer at once, or be no function', () => {
  expectTypeOf(new CircuitBreaker((word: string) => word.length).fire).returns.toEqualTypeOf<Promise<number>>();
  expectTypeOf(new CircuitBreaker('foo').fire).returns.toEqualTypeOf<Promise<string>>();
});

test('a fallback may know more of the error, and less of the arguments', () => {
  type HttpError = Error & { readonly status: number };
  const optional = new CircuitBreaker(async (word: string, times?: number) => word.length * (times ?? 1));
  const any: CircuitBreaker = new CircuitBreaker(action);
  const all = (): void => {
    breaker.fallback((_word: string, _times: number, error: HttpError) => error.status);
    optional.fallback((word: string, times: number) => word.length * times);
    any.fallback((error: HttpError) => error.status);
    any.fallback((_word, error) => error.message);
    // @ts-expect-error the error comes last
    breaker.fallback((error: Error) => error.message);
  };
  const generic = <TI extends unknown[], TR>(guarded: CircuitBreaker<TI, TR>, instead: (...args: TI) => TR): unknown =>
    guarded.fallback(instead);
  expectTypeOf(all).returns.toBeVoid();
  expectTypeOf(generic).toBeFunction();
});

test('any breaker is a CircuitBreaker, and an EventEmitter', () => {
  expectTypeOf(breaker).toExtend<CircuitBreaker>();
  expectTypeOf(breaker).toExtend<CircuitBreaker<[string, number], number>>();
  expectTypeOf(breaker).toExtend<EventEmitter>();
  class Mine extends CircuitBreaker<[word: string], number> {
    override fire(word: string): Promise<number> {
      return super.fire(word.trim());
    }
  }
  expectTypeOf<Mine>().toExtend<CircuitBreaker<[string], number>>();
});

test('the names of @types/opossum are there', () => {
  const options: CircuitBreaker.Options = { timeout: false, rotateBucketController: new EventEmitter() };
  expectTypeOf(options).toEqualTypeOf<Options>();
  expectTypeOf(new CircuitBreaker(action, options)).toEqualTypeOf(breaker);
  expectTypeOf<CircuitBreaker.Stats>().toEqualTypeOf(breaker.stats);
  expectTypeOf<CircuitBreaker.Window>().toEqualTypeOf(breaker.status.window);
  expectTypeOf<Window>().toEqualTypeOf(breaker.status.window);
  expectTypeOf<CircuitBreaker.Status>().toEqualTypeOf<Status>();
  expectTypeOf<CircuitBreaker.State>().toEqualTypeOf(breaker.toJSON().state);
});
