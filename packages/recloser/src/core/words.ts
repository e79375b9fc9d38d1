/** A share for people. */
export const percent = (share: number): string => `${Math.round(share * 1_000) / 10} %`;

/** A number of things for people. */
export const many = (n: number, thing: string): string => `${n} ${thing}${n === 1 ? '' : 's'}`;

/** A duration for people: `850 ms`, `12.3 s`, `4 min 10 s`, `2 h 5 min`. */
export function span(ms: number): string {
  if (ms < 999.5) return `${Math.round(ms)} ms`;
  if (ms < 59_950) return `${Math.round(ms / 100) / 10} s`;
  const seconds = Math.round(ms / 1_000);
  const [n, unit, rest] = seconds < 3_600 ? [seconds, 'min', 's'] : [Math.round(seconds / 60), 'h', 'min'];
  return `${Math.floor(n / 60)} ${unit}${n % 60 ? ` ${n % 60} ${rest}` : ''}`;
}
