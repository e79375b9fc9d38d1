import type { CircuitBreaker } from '../../breaker/breaker.ts';
import { having, list, number, optionsOf, type Reader, text } from '../../core/check.ts';
import { common } from '../../core/policy-options.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Registry } from '../../registry/registry.ts';

/** Options of `hystrix`. */
export interface HystrixOptions {
  /** Breakers and registries made before this; those made later are found without it. */
  readonly policies?: readonly (CircuitBreaker | Registry)[] | undefined;
  /** The group of all commands, which the dashboard shows below their names; default `recloser`. */
  readonly group?: string | undefined;
  /** The time between two messages about a command, 100 … 60,000 ms; default 500, as in Hystrix. */
  readonly intervalMs?: number | undefined;
  /** How many streams may be open at once, 1 … 1,000; default 5, as in Hystrix. Further ones get a 503. */
  readonly maxConnections?: number | undefined;
  /** For the interval and the rolling window; by default the system's clock. */
  readonly clock?: Clock | undefined;
}

const policy: Reader<CircuitBreaker | Registry> = having('a circuit breaker or a registry', {
  metrics: 'function',
  name: 'string',
});

export const hystrixOptions: Reader<HystrixOptions> = optionsOf<object, HystrixOptions>(
  {},
  {
    policies: list(policy),
    group: text,
    intervalMs: number(100, 60_000),
    maxConnections: number(1, 1_000, true),
    clock: common([]).clock,
  },
);
