const pad = (n: number): string => String(n).padStart(2, '0');

/** A moment of the recording, like a clock: `1:23`, `2:05:00`, `6d 21:47:31`; with tenths where seconds are too coarse. */
export function moment(ms: number, tenths = false): string {
  if (tenths) return `${moment(ms)}.${Math.floor(Math.max(0, ms) / 100) % 10}`;
  const seconds = Math.floor(Math.max(0, ms) / 1000);
  const [minutes, hours, days] = [Math.floor(seconds / 60), Math.floor(seconds / 3600), Math.floor(seconds / 86_400)];
  const tail = `${pad(seconds % 60)}`;
  if (hours === 0) return `${minutes}:${tail}`;
  if (days === 0) return `${hours}:${pad(minutes % 60)}:${tail}`;
  return `${days}d ${pad(hours % 24)}:${pad(minutes % 60)}:${tail}`;
}

/** A duration in three digits and a unit: `7.4 ms`, `598 ms`, `12.3 s`, `9.2 min`, `2.1 h`, `10.5 d`. */
export function duration(ms: number): string {
  const [unit, size] =
    ms < 999.5
      ? ['ms', 1]
      : ms < 99_950
        ? ['s', 1_000]
        : ms < 5_997_000
          ? ['min', 60_000]
          : ms < 172_800_000
            ? ['h', 3_600_000]
            : ['d', 86_400_000];
  const value = ms / (size as number);
  return `${value < 99.95 ? value.toFixed(1).replace(/\.0$/, '') : Math.round(value)} ${unit}`;
}

/** `11,864` */
export const count = (n: number): string => Math.round(n).toLocaleString('en-US');

/** `0 %`, `0.4 %`, `98 %`; a dash where there was nothing to have a share of. */
export function share(part: number, whole: number): string {
  if (!(whole > 0)) return '–';
  const percent = (part / whole) * 100;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1).replace(/\.0$/, '') : Math.round(percent)} %`;
}
