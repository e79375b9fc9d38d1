import type { Minute } from '../state/store.ts';

const [width, height, seconds] = [120, 24, 60];

/** The last minute from zero up: all calls, and before them those that failed or were refused. */
export function Sparkline({ minute }: { readonly minute: Minute | undefined }) {
  if (minute === undefined) return <svg class="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const bad = minute.failed.map((n, i) => n + (minute.refused[i] ?? 0));
  const all = minute.ok.map((n, i) => n + (bad[i] ?? 0));
  const top = Math.max(2, ...all);
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="all" d={area(all, top)} />
      <path class="bad" d={area(bad, top)} />
    </svg>
  );
}

/** Steps, one a second: a line would draw calls between seconds that nobody made. */
function area(values: readonly number[], top: number): string {
  const step = width / seconds;
  let x = width - values.length * step;
  let path = `M${x.toFixed(1)} ${height}`;
  for (const value of values) {
    const y = height - (value / top) * (height - 1);
    path += `V${y.toFixed(1)}H${((x += step)).toFixed(1)}`;
  }
  return `${path}V${height}Z`;
}
