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
