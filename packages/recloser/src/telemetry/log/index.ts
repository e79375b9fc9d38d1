export { log, type MessageFirstLogger, messageFirst } from './log.ts';
export type { Level, Logger, LogOptions, Topic } from './options.ts';
