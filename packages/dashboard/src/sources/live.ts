import type { Order } from '../actions/order.ts';
import { noSuchBreaker, perform } from '../actions/perform.ts';
import { detailOf } from '../feed/detail.ts';
import { Feed, type FeedOptions } from '../feed/feed.ts';
import { Journal } from '../history/journal.ts';
import { Peer, type PeerOptions } from '../peers/peer.ts';
import type { Detail, Incident } from '../protocol/detail.ts';
import type { Entry } from '../protocol/entry.ts';
import type { Change, Snapshot } from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { severityOf } from '../protocol/severity.ts';
import type { Source } from './source.ts';

/** What a snapshot tells of the past; each breaker's own history comes with its details. */
const entriesInSnapshot = 300;
const breakersInIncident = 50;

export interface LiveOptions extends FeedOptions {
  readonly title: string;
  readonly peers: readonly PeerOptions[];
  /** `own`: it tells of this instance. */
  readonly publish: (event: 'change' | 'instance', data: unknown, own: boolean) => void;
}

/** The breakers of this process, and those of the peers. */
export class LiveSource implements Source {
  readonly recorded = false;
  readonly feed: Feed;
  readonly #title: string;
  readonly #life: string = crypto.randomUUID();
  readonly #peers: readonly Peer[];
  /** What peers have told since this page is up. */
  readonly #told: { readonly peer: Peer; readonly journal: Journal }[] = [];

  constructor({ title, peers, publish, ...options }: LiveOptions) {
    this.#title = title;
    this.feed = new Feed(options, (change) => publish('change', change, true));
    const taken = (name: string, by: Peer): boolean =>
      name === this.feed.instance || this.#peers.some((peer) => peer !== by && peer.name === name);
    this.#peers = peers.map((peer) => {
      const journal = new Journal();
      const keep = (entries: readonly Entry[] = []) => {
        for (const entry of entries) journal.add(entry);
      };
      const made: Peer = new Peer(peer, {
        life: this.#life,
        taken: (name) => taken(name, made),
        changed: (change: Change) => {
          keep(change.entries);
          publish('change', change, false);
        },
        news: (state, entries) => {
          if (journal.size === 0) keep(entries);
          if (!made.isSelf) publish('instance', state, false);
        },
      });
      this.#told.push({ peer: made, journal });
      return made;
    });
  }

  snapshot(own = false): Snapshot {
    const at = Math.round(this.feed.at());
    const others = own ? [] : this.#shown;
    const told = [
      { name: this.feed.instance, journal: this.feed.journal },
      ...this.#told
        .filter(({ peer }) => others.includes(peer))
        .map(({ peer, journal }) => ({ name: peer.name, journal })),
    ];
    return {
      version: 1,
      title: this.#title,
      self: this.feed.instance,
      life: this.#life,
      at,
      instances: [this.feed.state(), ...others.map(({ state }) => state)],
      entries: told
        .flatMap(({ name, journal }) =>
          journal.latest(entriesInSnapshot, at).map((entry) => ({ ...entry, instance: name })),
        )
        .sort((a, b) => a.at - b.at)
        .slice(-entriesInSnapshot),
    };
  }

  async detail(id: string, instance: string | undefined): Promise<Detail | undefined> {
    if (instance === undefined || instance === this.feed.instance) {
      const own = detailOf(this.feed, id);
      if (own !== undefined || instance !== undefined) return own;
    }
    const peers = this.#shown.filter((peer) => peer.state.live && (instance === undefined || peer.name === instance));
    for (const peer of peers.filter((each) => each.mayHave(id))) {
      const found = await peer.detail(id).catch(() => undefined);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  async incident(id: string | undefined): Promise<Incident> {
    const at = Math.round(this.feed.at());
    const peers = this.#shown.filter((peer) => peer.state.live);
    const ids = id === undefined ? this.#eventful(at, peers) : [id];
    const own = ids.map((each) => detailOf(this.feed, each));
    const others = await Promise.all(
      peers.flatMap((peer) =>
        ids.filter((each) => peer.mayHave(each)).map((each) => peer.detail(each).catch(() => undefined)),
      ),
    );
    const breakers = [...own, ...others].filter((detail) => detail !== undefined);
    return { format: 'recloser-incident', version: 1, title: this.#title, recordedAt: at, breakers };
  }

  async perform(order: Order, by: string): Promise<Outcome[]> {
    const { instances, id } = order;
    const meant = (name: string): boolean => instances === undefined || instances.includes(name);
    const having = this.#shown.filter((peer) => meant(peer.name) && (instances !== undefined || peer.mayHave(id)));
    const here = meant(this.feed.instance) && (instances !== undefined || this.feed.has(id));
    const outcomes = await Promise.all([
      ...(here ? [perform(this.feed, order, by)] : []),
      ...having.map((peer) => peer.perform(order, by)),
    ]);
    // Of a key without a row only the peer knows whether it is there.
    return instances === undefined ? outcomes.filter(({ trouble }) => trouble !== noSuchBreaker) : outcomes;
  }

  /** A list of all instances, the same for each, has this one in it too. */
  get #shown(): readonly Peer[] {
    return this.#peers.filter((peer) => !peer.isSelf);
  }

  close(): void {
    this.feed.close();
    for (const peer of this.#peers) peer.close();
  }

  /** Those that are not closed, here or with a peer, the worst first, and those with a history. */
  #eventful(at: number, peers: readonly Peer[]): string[] {
    const down = [this.feed.state(), ...peers.map(({ state }) => state)]
      .flatMap(({ rows }) => rows)
      .filter(({ state }) => severityOf(state) > 0)
      .sort((a, b) => severityOf(b.state) - severityOf(a.state));
    const journals = [
      this.feed.journal,
      ...this.#told.filter(({ peer }) => peers.includes(peer)).map((told) => told.journal),
    ];
    const ids = new Set([...down.map(({ id }) => id), ...journals.flatMap((journal) => [...journal.ids(at)])]);
    return [...ids]
      .filter((id) => this.feed.has(id) || peers.some((peer) => peer.mayHave(id)))
      .slice(0, breakersInIncident);
  }
}
