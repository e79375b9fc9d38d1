/** Where policies tell what happens. In Node it is a channel of `node:diagnostics_channel`. */
export interface Channel {
  readonly hasSubscribers: boolean;
  publish(message: Message): void;
}

/** What a channel carries. */
export interface Message<Policy = object, Payload = unknown> {
  readonly policy: Policy;
  readonly event: string;
  readonly payload: Payload;
}

const place = Symbol.for('recloser.channels');
const globals = globalThis as {
  process?: { getBuiltinModule?(id: string): { channel(name: string): Channel } | undefined };
  [place]?: { [name: string]: Channel };
};
const native = globals.process?.getBuiltinModule?.('node:diagnostics_channel');

/** The channel of this name: one for all copies of the package. Outside Node it is idle until somebody subscribes. */
export function channel(name: string): Channel {
  if (native !== undefined) return native.channel(name);
  globals[place] ??= {};
  return (globals[place][name] ??= { hasSubscribers: false, publish: () => {} });
}

/** The channels of one kind of policy, by event. */
export type ChannelsOf<E extends string> = { readonly [Event in E]: Channel };

const known: Record<string, ChannelsOf<string>> = {};

/** `recloser:<kind>:<event>` for each event of a kind of policy. */
/*@__NO_SIDE_EFFECTS__*/
export const channelsOf = <E extends string>(kind: string, events: readonly E[]): ChannelsOf<E> =>
  (known[kind] ??= Object.fromEntries(events.map((event) => [event, channel(`recloser:${kind}:${event}`)])));

/** Tells that a policy was created or disposed. */
export function tellLife<P extends object>(event: 'created' | 'disposed', policy: P): P {
  const life = channelsOf('policy', ['created', 'disposed'])[event];
  if (life.hasSubscribers) life.publish({ policy, event, payload: undefined });
  return policy;
}
