import type { Order } from '../actions/order.ts';
import type { Detail } from '../protocol/detail.ts';
import type { Entry } from '../protocol/entry.ts';
import { line } from '../protocol/line.ts';
import type { Change, Instance, Session, Snapshot } from '../protocol/messages.ts';
import { type Minute, minuteFrom, remember } from '../protocol/minute.ts';
import type { Outcome } from '../protocol/outcome.ts';
import { patched, type Row } from '../protocol/row.ts';
import { readChange, readDetail, readOutcome, readSnapshot } from '../protocol/trust.ts';
import { eventsOf } from './event-stream.ts';

/** The dashboard of another instance, as it is configured; nothing of it ever comes from a request. */
export interface PeerOptions {
  /** Where its page is, e.g. `http://10.0.0.12:8420/`. */
  readonly url: string;
  /** Sent with every request, e.g. `authorization`. */
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** A peer that says nothing for so long is taken for gone. */
const silentMs = 10_000;
const [soonestMs, latestMs] = [1_000, 30_000];
const answerMs = 5_000;
const longestAnswer = 4 * 1024 * 1024;
/** Breakers of one peer. */
const mostRows = 100_000;
/** Of these the last minute. */
const mostRecent = 500;

export interface PeerListener {
  /** The life of this very process: a peer with the same is no other. */
  readonly life: string;
  /** Whether this instance or another peer has this name. */
  taken(name: string): boolean;
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
  readonly #recent = new Map<string, Minute>();
  /** What it calls itself; another instance may do so too, so it is shown as `name`. */
  #self = '';
  /** The address leads back to this process. */
  isSelf = false;
  #state: Omit<Instance, 'rows' | 'recent'>;
  #retryMs = soonestMs;

  constructor({ url, headers = {} }: PeerOptions, listener: PeerListener) {
    this.#url = new URL(url.endsWith('/') ? url : `${url}/`);
    this.#headers = headers;
    this.#listener = listener;
    this.#state = { name: this.#url.host, live: false, trouble: 'connecting' };
    void this.#follow();
  }

  get name(): string {
    return this.#state.name;
  }

  /** Whether it has a breaker of this id, or a registry that may have it as a key without a row. */
  mayHave(id: string): boolean {
    if (this.#rows.has(id)) return true;
    if (!id.includes('/')) return false;
    for (const { id: registry, keys } of this.#rows.values()) {
      if (keys !== undefined && id.startsWith(`${registry}/`)) return true;
    }
    return false;
  }

  get state(): Instance {
    return { ...this.#state, rows: [...this.#rows.values()], recent: Object.fromEntries(this.#recent) };
  }

  close(): void {
    this.#stop.abort();
  }

  async detail(id: string): Promise<Detail | undefined> {
    // Only its own: what it has heard of others would go round in circles.
    const asked = new URLSearchParams({ id, instance: this.#self });
    const response = await this.#ask(`api/breaker?${asked}`);
    if (response.status === 404) return undefined;
    return { ...readDetail(await jsonOf(response)), instance: this.name };
  }

  /** Passes an order on, under the name of whoever gave it. */
  async perform({ id, deed, reason, expiresInMs }: Order, by: string): Promise<Outcome> {
    const instance = this.name;
    try {
      const { token = '' } = (await jsonOf(await this.#ask('api/session'))) as Session;
      const order = { id, action: deed, reason, expiresInMs, by, confirm: id, instances: [this.#self] };
      const response = await this.#ask('api/action', {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-recloser-token': token },
        body: JSON.stringify(order),
      });
      const { outcomes, error } = (await jsonOf(response)) as { outcomes?: unknown; error?: unknown };
      const [own] = Array.isArray(outcomes) ? outcomes : [];
      return readOutcome(own ?? { trouble: error ?? `HTTP ${response.status}` }, instance);
    } catch (fault) {
      return { instance, done: false, trouble: wordsOf(fault) };
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
      const trouble = await this.#listen().catch(wordsOf);
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
      const response = await fetch(new URL('api/stream?own=1', this.#url), {
        headers: { ...this.#headers, accept: 'text/event-stream' },
        redirect: 'error',
        signal: AbortSignal.any([this.#stop.signal, silence.signal]),
      });
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      let begun = false;
      for await (const { event, data } of eventsOf(response.body as AsyncIterable<Uint8Array>)) {
        alarm.refresh();
        if (event === 'change' && begun) this.#change(readChange(JSON.parse(data)));
        if (event !== 'snapshot') continue;
        begun = true;
        this.#begin(readSnapshot(JSON.parse(data)));
        if (this.isSelf) this.close();
      }
      return undefined;
    } finally {
      clearTimeout(alarm);
    }
  }

  /** Takes the peer's own part of its snapshot; what it knows of others they tell themselves. */
  #begin({ self, life, instances, entries }: Snapshot): void {
    const { host } = this.#url;
    const before = this.name;
    this.#self = self;
    this.isSelf = life !== '' && life === this.#listener.life;
    const own = instances.find(({ name }) => name === self);
    this.#rows.clear();
    for (const row of own?.rows ?? []) this.#rows.set(row.id, row);
    this.#retryMs = soonestMs;
    // What it calls itself ends in audits.
    const said = line(self, 200) || host;
    const name = this.#listener.taken(said) ? `${said} at ${host}` : said;
    this.#state = { name, live: true, process: own?.process };
    this.#recent.clear();
    for (const [id, minute] of Object.entries(own?.recent ?? {})) this.#recent.set(id, minuteFrom(minute));
    this.#listener.news(
      { ...this.state, ...(before === name ? {} : { formerly: before }) },
      entries.filter(({ instance }) => instance === self),
    );
  }

  #change(change: Change): void {
    if (change.instance !== this.#self) return;
    for (const patch of change.rows ?? []) {
      const row = this.#rows.get(patch.id);
      if (row !== undefined || this.#rows.size < mostRows) this.#rows.set(patch.id, patched(row, patch));
    }
    for (const id of change.gone ?? []) {
      this.#rows.delete(id);
      this.#recent.delete(id);
    }
    if (change.second) remember(this.#rows.values(), this.#recent, mostRecent);
    if (change.process !== undefined) this.#state = { ...this.#state, process: change.process };
    this.#listener.changed({ ...change, instance: this.name });
  }
}

async function jsonOf(response: Response): Promise<unknown> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    text += decoder.decode(chunk, { stream: true });
    if (text.length > longestAnswer) throw new Error('the answer is too long');
  }
  return JSON.parse(text);
}

/** `fetch` says no more than that it failed; why stands in the cause. */
function wordsOf(fault: unknown): string {
  const { message, cause } = fault as Error & { readonly cause?: { readonly code?: unknown } };
  return line(typeof cause?.code === 'string' ? `${message} (${cause.code})` : message, 500);
}
