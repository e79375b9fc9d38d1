export type { MemberChange, RegistryEvents } from './events.ts';
export { registry } from './keyed-registry.ts';
export type { RegistryMetrics } from './metrics.ts';
export type { MemberOptions, MemberOverride, ParentOptions, RegistryOptions } from './options.ts';
export type { Registry } from './registry.ts';
export type { RegistrySnapshot } from './snapshot.ts';
