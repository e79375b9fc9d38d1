import { markdownOf } from '../../incident/markdown.ts';
import { detailIn } from '../../incident/open.ts';
import type { Detail, Incident } from '../../protocol/detail.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { incident, session } from './store.ts';

/** What the server said, in words. */
export async function errorOf(response: Response): Promise<string> {
  const text = await response.text();
  try {
    const { error } = JSON.parse(text) as { error?: unknown };
    if (typeof error === 'string') return error;
  } catch {
    // Not one of ours: a proxy's page.
  }
  return `HTTP ${response.status}`;
}

const asked = (id: string, instance?: string): string =>
  new URLSearchParams(instance === undefined ? { id } : { id, instance }).toString();

export async function detailOf(id: string, instance: string | undefined): Promise<Detail | undefined> {
  if (incident.value !== undefined) return detailIn(incident.value, id, instance);
  const response = await fetch(`api/breaker?${asked(id, instance)}`);
  return response.ok ? ((await response.json()) as Detail) : undefined;
}

export async function incidentOf(id: string, format: 'md' | 'json'): Promise<string> {
  const open = incident.value;
  if (open !== undefined) {
    const own: Incident = { ...open, breakers: open.breakers.filter((detail) => detail.id === id) };
    return format === 'md' ? markdownOf(own) : JSON.stringify(own, null, 1);
  }
  const response = await fetch(`api/incident?${asked(id)}&format=${format}`);
  if (!response.ok) throw new Error(await errorOf(response));
  return response.text();
}

export interface Wish {
  readonly id: string;
  readonly action: string;
  readonly reason: string;
  readonly by: string | undefined;
  readonly expiresInMs: number | undefined;
  readonly confirm: string | undefined;
}

/** @throws Error with what the server said */
export async function act(wish: Wish): Promise<readonly Outcome[]> {
  const response = await fetch('api/action', {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'x-recloser-token': session.value?.token ?? '' },
    body: JSON.stringify(wish),
  });
  if (!response.ok) throw new Error(await errorOf(response));
  return ((await response.json()) as { outcomes: Outcome[] }).outcomes;
}
