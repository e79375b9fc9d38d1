import { type Signal, signal } from '@preact/signals';
import type { Deed } from '../../actions/order.ts';
import type { Kind } from './groups.ts';
import { drawn, only, paused } from './store.ts';

export const help: Signal<boolean> = signal(false);
/** The breaker that the dialog for actions is about, and what was pressed to open it. */
export const acting: Signal<{ readonly id: string; readonly deed: Deed } | undefined> = signal(undefined);

export function toggled(kind: Kind): void {
  const next = new Set(only.value);
  if (!next.delete(kind)) next.add(kind);
  only.value = next;
}

export function togglePause(): void {
  paused.value = !paused.value;
  if (!paused.value) drawn.value++;
}
