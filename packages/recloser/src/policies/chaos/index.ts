export { type Chaos, type ChaosMetrics, chaos } from './chaos.ts';
export { ChaosError } from './errors.ts';
export type { ChaosEvents, ChaosUpdated, Enabled, Injected, Injection, Switched } from './events.ts';
export type { ChaosCaller, ChaosChanges, ChaosOptions, EnableOptions, SwitchOptions } from './options.ts';
