export {
  type ChannelName,
  channelNames,
  type EventsByKind,
  type Messages,
  subscribe,
  type Teller,
} from './channels.ts';
