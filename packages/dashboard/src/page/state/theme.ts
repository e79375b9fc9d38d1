import { type Signal, signal } from '@preact/signals';

const themes = ['system', 'light', 'dark'] as const;
type Theme = (typeof themes)[number];
const key = 'recloser-theme';

/** What the browser keeps may be gone, full or forbidden. */
function kept(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // Then it is forgotten.
  }
}

export const theme: Signal<Theme> = signal(themes.find((known) => known === kept(key)) ?? 'system');
/** Whether single keys do something (WCAG 2.1.4). */
export const keysOn: Signal<boolean> = signal(kept('recloser-keys') !== 'off');

const dark = matchMedia('(prefers-color-scheme: dark)');
/** Counts changes of colours, for what is drawn and not styled. */
export const repainted: Signal<number> = signal(0);

export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.value === 'system' ? (dark.matches ? 'dark' : 'light') : theme.value;
  repainted.value++;
}
dark.addEventListener('change', applyTheme);

export function nextTheme(): void {
  theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length] as Theme;
  keep(key, theme.value);
  applyTheme();
}
