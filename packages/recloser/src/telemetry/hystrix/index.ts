export { type Hystrix, hystrix, type StreamResponse } from './hystrix.ts';
export type { HystrixOptions } from './options.ts';
