import type { Group } from './groups.ts';
import { hashOf, routeOf } from './route.ts';
import { cursor, query, route, selected, session, shown } from './store.ts';
import { keysOn } from './theme.ts';
import { acting, help, toggled, togglePause } from './toggles.ts';

export function closeDetail(): void {
  location.hash = hashOf({});
}

function follow(): void {
  route.value = routeOf(location.hash);
  if (route.value.id !== undefined) cursor.value = route.value.id;
}

function move(by: number): void {
  const rows = shown.value;
  const at = rows.findIndex(({ id }) => id === cursor.value);
  const next = rows[Math.max(0, Math.min(rows.length - 1, at < 0 ? 0 : at + by))];
  if (next === undefined) return;
  cursor.value = next.id;
  // With the details open they follow.
  if (route.value.id !== undefined) history.replaceState(null, '', hashOf({ id: next.id }));
  if (route.value.id !== undefined) route.value = { id: next.id, instance: undefined, at: undefined };
}

function back(): void {
  if (query.value !== '') query.value = '';
  else if (route.value.id !== undefined) closeDetail();
}

/** The row that the keyboard is on, if the filter leaves it. */
const here = (): Group | undefined => shown.value.find(({ id }) => id === cursor.value);

function act(): void {
  const group = selected.value ?? here();
  if (group && !group.row.ending && session.value?.role === 'write')
    acting.value = { id: group.id, deed: 'force-open' };
}

const keys: Readonly<Record<string, () => void>> = {
  j: () => move(1),
  ArrowDown: () => move(1),
  k: () => move(-1),
  ArrowUp: () => move(-1),
  '/': () => document.getElementById('filter')?.focus(),
  o: () => toggled('open'),
  h: () => toggled('half-open'),
  f: () => toggled('forced'),
  c: () => toggled('closed'),
  p: togglePause,
  '.': act,
  '?': () => void (help.value = true),
  Escape: back,
};

/** Takes up the keys and the address. */
export function listenToKeys(): void {
  addEventListener('hashchange', follow);
  document.addEventListener('keydown', onKey);
}

/** What is typed into a field is nobody's command; arrows scroll what they are in unless that is the list. */
function onKey(event: KeyboardEvent): void {
  const { target, key, ctrlKey, metaKey, altKey } = event;
  if (ctrlKey || metaKey || altKey || document.querySelector('dialog[open]') !== null) return;
  const element = target as HTMLElement;
  const typing = /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName);
  if (typing) {
    if (key === 'Escape') {
      query.value = '';
      element.blur();
    }
    if (key === 'Enter' && element.id === 'filter') {
      cursor.value = shown.value[0]?.id;
      element.blur();
    }
    return;
  }
  if (key.startsWith('Arrow') && element !== document.body && element.closest('.list') === null) return;
  // Pressed before the row has the focus.
  if (key === 'Enter' && element === document.body) {
    const id = here()?.id;
    if (id !== undefined) location.hash = hashOf({ id });
    return;
  }
  if (key.length === 1 && !keysOn.value) return;
  const command = keys[key];
  if (command === undefined) return;
  event.preventDefault();
  command();
}
