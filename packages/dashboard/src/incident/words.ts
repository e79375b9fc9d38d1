/** Figures for people, the same on the page and in what is copied from it. */

export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

export const rate = (n: number): string => (n >= 10 ? Math.round(n) : Math.round(n * 10) / 10).toLocaleString('en');

/** `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`, `3 d 4 h` */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`;
  const pair = (n: number, unit: string, part: number, rest: string): string =>
    `${n} ${unit}${part ? ` ${part} ${rest}` : ''}`;
  const seconds = Math.round(ms / 1_000);
  if (seconds < 3_600) return pair(Math.floor(seconds / 60), 'min', seconds % 60, 's');
  const minutes = Math.round(seconds / 60);
  if (minutes < 1_440) return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), 'd', hours % 24, 'h');
}

/** A measured figure or a threshold: shares as per cent, counts as they are. */
export const measured = (rule: string, value: number): string =>
  /Rate$|Sample$/.test(rule) ? percent(value) : String(Math.round(value * 100) / 100);

/** An option's value; durations in words. */
export function setting(option: string, value: string | number | boolean): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'string') return value;
  return /Ms$/.test(option) ? span(value) : value.toLocaleString('en');
}
