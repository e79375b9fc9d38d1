export type { Message } from '../core/events/channels.ts';
export {
  type ChannelName,
  channelNames,
  type EventOf,
  type EventsByKind,
  type Kind,
  type Messages,
  subscribe,
  type Teller,
} from './channels.ts';
export {
  type BreakerHealth,
  type Critical,
  type Health,
  type HealthOptions,
  type HealthReport,
  type HealthStatus,
  health,
} from './health.ts';
export type { HttpRequest, HttpResponse } from './http.ts';
