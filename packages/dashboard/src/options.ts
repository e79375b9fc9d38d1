import { hostname } from 'node:os';
import type { Clock } from 'recloser';
import { redact } from './feed/redact.ts';
import type { BreakerSource } from './feed/roster.ts';
import { type Authorize, hostName, isLoopbackName } from './http/guard.ts';
import type { PeerOptions } from './peers/peer.ts';
import type { Incident } from './protocol/detail.ts';
import type { Audit } from './protocol/outcome.ts';
import { readIncident } from './protocol/trust.ts';

/** Options of `dashboard`. */
export interface DashboardOptions {
  /** The breakers and registries to show: a collection, a registry, or a function that lists those of the moment; it is asked once a second. */
  readonly breakers?: BreakerSource | undefined;
  /** A recorded incident to show instead of breakers: what the page copied or saved as JSON. */
  readonly incident?: Incident | undefined;
  /** Rows for single keys of each registry, 0 … 100,000; those in trouble first, and closed ones only if there is room for all. Default 20. */
  readonly keys?: number | undefined;
  /** The name of the service; default `circuit breakers`. */
  readonly title?: string | undefined;
  /** The name of this instance; default: host name and process id. */
  readonly instance?: string | undefined;
  /** The dashboards of the other instances. They are never taken from a request. */
  readonly peers?: readonly PeerOptions[] | undefined;
  /** Who may look and who may act. Without it only this machine may look. Whatever it throws means nobody. */
  readonly authorize?: Authorize | undefined;
  /** Sent as `WWW-Authenticate` with status 401 to whom `authorize` does not let in, e.g. `Basic realm="circuits"`; unless given that is a 403. */
  readonly challenge?: string | undefined;
  /** Names under which the page is reached, without port, besides those of this machine: any other Host is refused. */
  readonly hosts?: readonly string[] | undefined;
  /** Whether breakers may be forced, reset and probed from the page; default false. */
  readonly actions?: boolean | undefined;
  /** Told of every action, done or refused; it may be async. They are in the journal too, and events of the breakers. */
  readonly onAction?: ((audit: Audit) => void) | undefined;
  /** Open pages at a time, 1 … 10,000; default 100. */
  readonly maxStreams?: number | undefined;
  /** What the series of the last 15 minutes may take, 1 MiB … 4 GiB; default 64 MiB, enough for 2,300 busy breakers. */
  readonly historyBytes?: number | undefined;
  /** Takes out of error messages what should not be on a page; credentials, queries, tokens and e-mail addresses unless given. */
  readonly redact?: ((message: string) => string) | undefined;
  /**
   * Answers the trace of the call that a breaker changed its state in, e.g. `() => trace.getActiveSpan()?.spanContext().traceId` of
   * OpenTelemetry; it is asked in that call's async context.
   */
  readonly traceId?: (() => string | undefined) | undefined;
  /** Where time and timers come from; the monotonic clock of the system unless given. */
  readonly clock?: Clock | undefined;
  /** Gets what functions among these throw, or reject with; `console.error`, once for each message, unless given. */
  readonly onError?: ((fault: unknown) => void) | undefined;
}

/** The options, checked and complete. */
export interface Settings {
  readonly breakers: BreakerSource;
  readonly incident: Incident | undefined;
  readonly keys: number;
  readonly title: string;
  readonly instance: string;
  readonly peers: readonly PeerOptions[];
  readonly authorize: Authorize | undefined;
  readonly challenge: string | undefined;
  readonly hosts: ReadonlySet<string>;
  readonly actions: boolean;
  readonly onAction: (audit: Audit) => void;
  readonly maxStreams: number;
  readonly historyBytes: number;
  readonly redact: (message: string) => string;
  readonly traceId: () => string | undefined;
  readonly clock: Clock;
  readonly report: (fault: unknown) => void;
}

const known = new Set(
  (
    'breakers keys incident title instance peers authorize challenge hosts actions onAction maxStreams historyBytes redact traceId clock ' +
    'onError'
  ).split(' '),
);

const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as NodeJS.Timeout),
};

/** @throws TypeError with all faults of the options together */
export function readOptions(options: DashboardOptions): Settings {
  const faults: string[] = [];
  const given = (typeof options === 'object' && options !== null ? options : {}) as Readonly<Record<string, unknown>>;
  const fault = (option: string, allowed: string): void =>
    void faults.push(`${option} must be ${allowed}, got ${show(given[option])}`);
  const typed = <T>(option: string, type: string, otherwise: T): T => {
    const value = given[option];
    if (value !== undefined && typeof value !== type) fault(option, `a ${type}`);
    return typeof value === type ? (value as T) : otherwise;
  };
  const whole = (option: string, lowest: number, highest: number, otherwise: number): number => {
    const value = given[option] ?? otherwise;
    if (!Number.isInteger(value) || (value as number) < lowest || (value as number) > highest) {
      fault(option, `a whole number from ${lowest} to ${highest}`);
    }
    return value as number;
  };
  for (const key of Object.keys(given)) if (!known.has(key)) faults.push(`unknown option ${key}`);

  const authorize = typed<Authorize | undefined>('authorize', 'function', undefined);
  const hosts = new Set<string>();
  for (const host of listOf(given.hosts)) {
    const name = typeof host === 'string' ? hostName(host) : undefined;
    if (name === undefined || name !== String(host).toLowerCase()) fault('hosts', 'host names without ports');
    else if (authorize === undefined && !isLoopbackName(name))
      faults.push(`hosts may hold '${name}' only together with authorize`);
    else hosts.add(name);
  }
  const peers = listOf(given.peers) as PeerOptions[];
  for (const peer of peers)
    if (!isAddress(peer?.url)) fault('peers', 'objects with a url of http or https, credentials in `headers`');
  const { breakers, incident } = options ?? {};
  const listable =
    typeof breakers === 'function' ||
    typeof (breakers as Iterable<unknown> | undefined)?.[Symbol.iterator] === 'function';
  if ((incident === undefined) === (breakers === undefined)) faults.push('give either breakers or incident');
  else if (incident === undefined && !listable) fault('breakers', 'iterable, or a function');
  const report = reporter(typed<((fault: unknown) => void) | undefined>('onError', 'function', undefined));
  const settings: Settings = {
    breakers: breakers ?? [],
    incident: incident === undefined ? undefined : readIncident(incident),
    title: typed('title', 'string', 'circuit breakers').slice(0, 200),
    instance: typed('instance', 'string', `${hostname()}:${process.pid}`).slice(0, 200),
    peers,
    authorize,
    challenge: typed<string | undefined>('challenge', 'string', undefined),
    hosts,
    actions: typed('actions', 'boolean', false) && incident === undefined,
    onAction: typed('onAction', 'function', () => {}),
    keys: whole('keys', 0, 100_000, 20),
    maxStreams: whole('maxStreams', 1, 10_000, 100),
    historyBytes: whole('historyBytes', 2 ** 20, 2 ** 32, 2 ** 26),
    redact: tamed(typed('redact', 'function', redact), report),
    traceId: named(
      typed('traceId', 'function', () => undefined),
      report,
    ),
    clock: (given.clock as Clock | undefined) ?? systemClock,
    report,
  };
  if (faults.length > 0) throw new TypeError(`dashboard: ${faults.join('; ')}`);
  return settings;
}

const listOf = (value: unknown): unknown[] => (value === undefined ? [] : Array.isArray(value) ? value : [undefined]);

const show = (value: unknown): string =>
  typeof value === 'string' ? `'${value.slice(0, 60)}'` : Array.isArray(value) ? 'an array' : String(value);

/** Credentials in a URL end up in error messages. */
function isAddress(url: unknown): boolean {
  try {
    const { protocol, username, password } = new URL(String(url));
    return /^https?:$/.test(protocol) && username + password === '';
  } catch {
    return false;
  }
}

const [longestRead, longestShown] = [2_000, 300];

/** A text that a function of the user's answers; where it answers none, throws, or is async by mistake, `otherwise`. */
function textOf(question: () => unknown, report: (fault: unknown) => void, otherwise: string): string {
  try {
    const answer = question();
    if (typeof answer === 'string') return answer;
    Promise.resolve(answer).catch(report);
  } catch (fault) {
    report(fault);
  }
  return otherwise;
}

/** What cannot be redacted is not shown, and whoever redacts need not think of endless messages. */
const tamed =
  (redactor: (message: string) => string, report: (fault: unknown) => void) =>
  (message: string): string =>
    textOf(() => redactor(message.slice(0, longestRead)), report, '…').slice(0, longestShown);

/** An id and nothing else, whatever it answers. */
const named = (traceId: () => string | undefined, report: (fault: unknown) => void) => (): string | undefined => {
  const id = textOf(traceId, report, '');
  return /^[\w:.-]{1,64}$/.test(id) ? id : undefined;
};

/** A handler that never throws, and does not flood a log. */
function reporter(given: ((fault: unknown) => void) | undefined): (fault: unknown) => void {
  const told = new Set<string>();
  return (fault) => {
    try {
      if (given !== undefined) return void Promise.resolve(given(fault)).catch(() => {});
      const message = String(fault).slice(0, 500);
      if (told.has(message) || told.size > 100) return;
      told.add(message);
      console.error('@recloser/dashboard (told once):', fault);
    } catch {}
  };
}
