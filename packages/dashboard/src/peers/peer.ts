import type { Order } from '../actions/order.ts';
import type { Detail } from '../protocol/detail.ts';
import type { Entry } from '../protocol/entry.ts';
import type { Change, Instance, Session, Snapshot } from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { patched, type Row } from '../protocol/row.ts';
import { readChange, readDetail, readSnapshot } from '../protocol/trust.ts';
import { eventsOf } from './event-stream.ts';

/** The dashboard of another instance, as it is configured; nothing of it ever comes from a request. */
export interface PeerOptions {
  /** Where its page is, e.g. `http://10.0.0.12:8420/`. */
  readonly url: string;
  /** Sent with every request, e.g. `authorization`. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** A peer that says nothing for so long is taken for gone. */
const silentMs = 10_000;
const [soonestMs, latestMs] = [1_000, 30_000];
const answerMs = 5_000;
const longestAnswer = 4 * 1024 * 1024;

export interface PeerListener {
  changed(change: Change): void;
  /** It came or went. */
  news(state: Instance, entries: readonly Entry[]): void;
}

/** Follows the stream of another instance, and comes back when it breaks. */
export class Peer {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #listener: PeerListener;
  readonly #stop = new AbortController();
  readonly #rows = new Map<string, Row>();
  #state: Omit<Instance, 'rows'>;
  #retryMs = soonestMs;

  constructor({ url, headers = {} }: PeerOptions, listener: PeerListener) {
    this.#url = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#headers = headers;
    this.#listener = listener;
    this.#state = { name: this.#url.host, live: false, trouble: 'connecting', recent: {} };
    void this.#follow();
  }

  get name(): string {
    return this.#state.name;
  }

  get state(): Instance {
    return { ...this.#state, rows: [...this.#rows.values()] };
  }

  close(): void {
    this.#stop.abort();
  }

  async detail(id: string): Promise<Detail | undefined> {
    const response = await this.#ask(`api/breaker?id=${encodeURIComponent(id)}`);
    if (response.status === 404) return undefined;
    return { ...readDetail(await jsonOf(response)), instance: this.name };
  }

  /** Passes an order on, under the name of whoever gave it. */
  async perform({ id, deed, reason, expiresInMs }: Order, by: string): Promise<Outcome> {
    const instance = this.name;
    try {
      const { token = '' } = (await jsonOf(await this.#ask('api/session'))) as Session;
      const order = { id, action: deed, reason, expiresInMs, by, confirm: id, instances: [instance] };
      const response = await this.#ask('api/action', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-recloser-token': token },
        body: JSON.stringify(order),
      });
      const { outcomes, error } = (await jsonOf(response)) as { outcomes?: Outcome[]; error?: string };
      const [own] = outcomes ?? [];
      return own === undefined
        ? { instance, done: false, trouble: error ?? `HTTP ${response.status}` }
        : { ...own, instance };
    } catch (fault) {
      return { instance, done: false, trouble: (fault as Error).message };
    }
  }

  #ask(path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(new URL(path, this.#url), {
      redirect: 'error',
      signal: AbortSignal.any([this.#stop.signal, AbortSignal.timeout(answerMs)]),
      ...init,
      headers: { ...this.#headers, ...init.headers },
    });
  }

  async #follow(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const trouble = await this.#listen().catch((fault: Error) => fault.message);
      if (this.#stop.signal.aborted) return;
      this.#state = { ...this.#state, live: false, trouble: trouble ?? 'the stream ended' };
      this.#listener.news(this.state, []);
      await new Promise<void>((resolve) => setTimeout(resolve, this.#retryMs).unref());
      this.#retryMs = Math.min(latestMs, this.#retryMs * 2);
    }
  }

  async #listen(): Promise<undefined> {
    const silence = new AbortController();
    const alarm = setTimeout(() => silence.abort(new Error('nothing came for 10 s')), silentMs).unref();
    try {
      const response = await fetch(new URL('api/stream', this.#url), {
        headers: { ...this.#headers, accept: 'text/event-stream' },
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, silence.signal]),
      });
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      let self: string | undefined;
      for await (const { event, data } of eventsOf(response.body as AsyncIterable<Uint8Array>)) {
        alarm.refresh();
        if (event === 'snapshot') self = this.#begin(readSnapshot(JSON.parse(data)));
        else if (event === 'change' && self !== undefined) this.#change(readChange(JSON.parse(data)), self);
      }
      return undefined;
    } finally {
      clearTimeout(alarm);
    }
  }

  /** Takes the peer's own part of its snapshot; what it knows of others they tell themselves. */
  #begin({ self, instances, entries }: Snapshot): string {
    const own = instances.find(({ name }) => name === self);
    this.#rows.clear();
    for (const row of own?.rows ?? []) this.#rows.set(row.id, row);
    this.#retryMs = soonestMs;
    this.#state = { name: self, live: true, process: own?.process, recent: own?.recent ?? {} };
    this.#listener.news(
      this.state,
      entries.filter(({ instance }) => instance === self),
    );
    return self;
  }

  #change(change: Change, self: string): void {
    if (change.instance !== self) return;
    for (const patch of change.rows ?? []) this.#rows.set(patch.id, patched(this.#rows.get(patch.id), patch));
    for (const id of change.gone ?? []) this.#rows.delete(id);
    if (change.process !== undefined) this.#state = { ...this.#state, process: change.process };
    this.#listener.changed(change);
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const text = await response.text();
  if (text.length > longestAnswer) throw new Error('the answer is too long');
  return JSON.parse(text);
}
