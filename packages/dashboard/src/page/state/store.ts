import { computed, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import type { Incident } from '../../protocol/detail.ts';
import type { Entry } from '../../protocol/entry.ts';
import type { Change, Instance, ProcessFigures, Session, Snapshot } from '../../protocol/messages.ts';
import { callsOf, type Minute, minuteFrom, remember } from '../../protocol/minute.ts';
import { patched, type Row } from '../../protocol/row.ts';
import { byUrgency, filtered, type Group, grouped, type Kind } from './groups.ts';
import { type Route, routeOf } from './route.ts';

export interface Told extends Entry {
  readonly instance: string;
}

interface Live {
  name: string;
  live: boolean;
  trouble: string | undefined;
  process: ProcessFigures | undefined;
  readonly rows: Map<string, Row>;
  readonly recent: Map<string, Minute>;
  /** The most calls of any of its rows, by the second. */
  peaks: number[];
}

const keptEntries = 1_000;
const minuteSeconds = 60;

/**
 * What the server has told. Rows stand in plain maps: thousands change every second, and only those in view are drawn. `drawn`
 * says that there is something new to draw.
 */
export const instances: Map<string, Live> = new Map();
export const entries: Told[] = [];
export const drawn: Signal<number> = signal(0);
export const self: Signal<string> = signal('');
/** The server's clock, less the browser's. */
export const skewMs: Signal<number> = signal(0);

export const session: Signal<Session | undefined> = signal(undefined);
export const incident: Signal<Incident | undefined> = signal(undefined);
/** Of a recorded incident the moment it was recorded: nothing in it goes on. */
export const recordedAt: Signal<number | undefined> = signal(undefined);
export const link: Signal<{
  readonly state: 'connecting' | 'live' | 'resting' | 'lost';
  readonly at: number;
  readonly why?: string;
}> = signal({ state: 'connecting', at: 0 });
export const paused: Signal<boolean> = signal(false);
export const only: Signal<ReadonlySet<Kind>> = signal(new Set());
export const query: Signal<string> = signal('');
export const route: Signal<Route> = signal(routeOf(location.hash));
/** The row that the keyboard is on. */
export const cursor: Signal<string | undefined> = signal(undefined);
/** For screen readers: transitions, and nothing else. */
export const announcement: Signal<string> = signal('');

export const groups: ReadonlySignal<Group[]> = computed(() => {
  drawn.value;
  return grouped(instances.values()).sort(byUrgency);
});
export const shown: ReadonlySignal<Group[]> = computed(() => filtered(groups.value, only.value, query.value));
export const selected: ReadonlySignal<Group | undefined> = computed(() =>
  groups.value.find(({ id }) => id === route.value.id),
);

/** The server's time of what is drawn, so that what has lasted since then grows with each second; it rests while paused. */
export const moment: ReadonlySignal<number> = computed(() => {
  drawn.value;
  return recordedAt.value ?? Date.now() + skewMs.value;
});

let waiting = false;
/** Draws with the next frame, once, however much has changed. */
export function draw(): void {
  if (waiting || paused.value) return;
  waiting = true;
  requestAnimationFrame(() => {
    waiting = false;
    drawn.value++;
  });
}

function instanceOf(name: string): Live {
  let instance = instances.get(name);
  if (instance === undefined) {
    instance = {
      name,
      live: false,
      trouble: undefined,
      process: undefined,
      rows: new Map(),
      recent: new Map(),
      peaks: [],
    };
    instances.set(name, instance);
  }
  return instance;
}

export function takeInstance({ name, formerly, live, trouble, process, rows, recent }: Instance): void {
  if (formerly !== undefined) instances.delete(formerly);
  const instance = instanceOf(name);
  // What it said last is no figure of now.
  Object.assign(instance, { live, trouble, process: live ? process : undefined, peaks: [] });
  instance.rows.clear();
  instance.recent.clear();
  draw();
  if (!live) return;
  for (const row of rows) instance.rows.set(row.id, row);
  for (const [id, minute] of Object.entries(recent)) instance.recent.set(id, minuteFrom(minute));
  const top = Math.max(0, ...[...instance.recent.values()].flatMap(callsOf));
  instance.peaks = [top];
}

/** The most calls a second that any breaker had in the last minute: what all rows are drawn by. (In several instances, at most.) */
export const topRate: ReadonlySignal<number> = computed(() => {
  drawn.value;
  return [...instances.values()].reduce((sum, { peaks }) => sum + Math.max(0, ...peaks), 0);
});

export function takeSnapshot(snapshot: Snapshot): void {
  instances.clear();
  entries.length = 0;
  entries.push(...snapshot.entries);
  self.value = snapshot.self;
  skewMs.value = snapshot.at - Date.now();
  for (const instance of snapshot.instances) takeInstance(instance);
}

export function takeChange(change: Change): void {
  const instance = instanceOf(change.instance);
  for (const patch of change.rows ?? []) instance.rows.set(patch.id, patched(instance.rows.get(patch.id), patch));
  for (const id of change.gone ?? []) {
    instance.rows.delete(id);
    instance.recent.delete(id);
  }
  if (change.entries !== undefined) {
    for (const entry of change.entries) entries.push({ ...entry, instance: change.instance });
    if (entries.length > 2 * keptEntries) entries.splice(0, entries.length - keptEntries);
    const said = change.entries
      .filter(({ kind }) => kind !== 'update')
      .slice(-3)
      .map(({ id, to, why, reason }) => `${id} ${to}: ${why ?? reason ?? ''}`);
    if (said.length > 0) announcement.value = said.join('. ');
  }
  if (change.second) {
    instance.process = change.process;
    instance.peaks.push(remember(instance.rows.values(), instance.recent));
    if (instance.peaks.length > minuteSeconds) instance.peaks.shift();
  }
  draw();
}

/** The last minute of a breaker in all instances. */
export function minuteOf(id: string): Minute | undefined {
  let sum: Minute | undefined;
  for (const { recent } of instances.values()) {
    const minute = recent.get(id);
    if (minute === undefined) continue;
    sum = sum === undefined ? minute : added(sum, minute);
  }
  return sum;
}

function added(a: Minute, b: Minute): Minute {
  const length = Math.max(a.ok.length, b.ok.length);
  const add = (x: readonly number[], y: readonly number[]): number[] =>
    Array.from({ length }, (_, i) => (x[x.length - length + i] ?? 0) + (y[y.length - length + i] ?? 0));
  return { ok: add(a.ok, b.ok), failed: add(a.failed, b.failed), refused: add(a.refused, b.refused) };
}
