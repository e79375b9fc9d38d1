import { snapshotOf } from '../../incident/open.ts';
import type { Session, Snapshot } from '../../protocol/messages.ts';
import { readIncident } from '../../protocol/trust.ts';
import type { Told } from '../stream/follow.ts';
import { openStream } from '../stream/stream.ts';
import { errorOf } from './api.ts';
import {
  announcement,
  draw,
  incident,
  link,
  recordedAt,
  route,
  session,
  takeChange,
  takeInstance,
  takeSnapshot,
} from './store.ts';

const retryMs = 3_000;
/** A page that nobody sees gives its connection back: a browser has six for each server. */
const hiddenMs = 5_000;

let hangUp: (() => void) | undefined;
let timer: ReturnType<typeof setTimeout> | undefined;

const alive = (): void => void (link.value = { state: 'live', at: Date.now() });

function lose(why: string): void {
  link.value = { state: 'lost', at: link.value.at, why };
  draw();
}

async function greet(): Promise<void> {
  const response = await fetch('api/session');
  if (!response.ok) throw new Error(await errorOf(response));
  session.value = (await response.json()) as Session;
}

/** Begins, and begins again when the server is back. */
export async function connect(): Promise<void> {
  clearTimeout(timer);
  try {
    await greet();
    if (session.value?.recorded) {
      takeRecorded((await (await fetch('api/breakers')).json()) as Snapshot);
      return alive();
    }
    disconnect();
    hangUp = openStream(hear);
  } catch (fault) {
    lose((fault as Error).message);
    timer = setTimeout(connect, retryMs);
  }
}

function takeRecorded(snapshot: Snapshot): void {
  recordedAt.value = snapshot.at;
  takeSnapshot(snapshot);
}

let life: string | undefined;

/** A process that began anew has another token, and maybe another title. */
function begin(snapshot: Snapshot): void {
  takeSnapshot(snapshot);
  if (life !== undefined && life !== snapshot.life) greet().catch(() => {});
  life = snapshot.life;
}

const takers = { snapshot: begin, change: takeChange, instance: takeInstance };

function hear([event, data]: Told): void {
  if (data !== undefined) {
    takers[event](JSON.parse(data));
    alive();
    return;
  }
  lose('the connection is gone');
  // The browser comes back by itself unless the server said no.
  if (event === 'lost') return;
  disconnect();
  timer = setTimeout(connect, retryMs);
}

function disconnect(): void {
  clearTimeout(timer);
  hangUp?.();
  hangUp = undefined;
}

let hidden: ReturnType<typeof setTimeout> | undefined;
/** One that opens behind others is hidden from its beginning. */
export function restWhileHidden(): void {
  const look = (): void => {
    clearTimeout(hidden);
    if (incident.value !== undefined || session.value?.recorded) return;
    if (document.hidden) hidden = setTimeout(rest, hiddenMs);
    else if (link.value.state === 'resting') void connect();
  };
  document.addEventListener('visibilitychange', look);
  if (document.hidden) look();
}

function rest(): void {
  disconnect();
  link.value = { state: 'resting', at: link.value.at };
}

/** Shows a recorded incident in place of what is live; loading the page again goes back. */
export async function openIncident(file: File): Promise<void> {
  try {
    const read = readIncident(JSON.parse(await file.text()));
    disconnect();
    incident.value = read;
    route.value = { id: undefined, instance: undefined, at: undefined };
    takeRecorded(snapshotOf(read));
    alive();
    announcement.value = `opened an incident of ${read.title}`;
  } catch (fault) {
    announcement.value = `${file.name} can't be opened: ${(fault as Error).message}`;
    alert(announcement.value);
  }
}
