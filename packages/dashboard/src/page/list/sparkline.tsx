import type { Minute } from '../../protocol/minute.ts';

const [width, height, seconds] = [120, 24, 60];

interface Props {
  readonly minute: Minute | undefined;
  /** The most calls a second of any row: all are drawn by it, so that a quiet breaker looks quiet beside a busy one. */
  readonly top: number;
}

/**
 * The last minute from zero up: all calls, and of them those that failed or were refused. Heights are square roots, or one busy breaker
 * would leave nothing to see of the rest; the bad share of a second is that of its height.
 */
export function Sparkline({ minute, top }: Props) {
  if (minute === undefined) return <svg class="spark" viewBox={`0 0 ${width} ${height}`} aria-hidden="true" />;
  const bad = minute.failed.map((n, i) => n + (minute.refused[i] ?? 0));
  const all = minute.ok.map((n, i) => n + (bad[i] ?? 0));
  const heights = all.map((n) => (n > 0 ? Math.max(1, Math.sqrt(n / Math.max(2, top)) * (height - 1)) : 0));
  const shares = heights.map((h, i) => (h === 0 ? 0 : (h * (bad[i] ?? 0)) / (all[i] as number)));
  return (
    <svg class="spark" viewBox={`0 0 ${width} ${height}`} preserveAspectRatio="none" aria-hidden="true">
      <path class="all" d={area(heights)} />
      <path class="bad" d={area(shares)} />
    </svg>
  );
}

/** Steps, one a second: a line would draw calls between seconds that nobody made. */
function area(heights: readonly number[]): string {
  const step = width / seconds;
  let x = width - heights.length * step;
  let path = `M${x.toFixed(1)} ${height}`;
  for (const h of heights) path += `V${(height - h).toFixed(1)}H${((x += step)).toFixed(1)}`;
  return `${path}V${height}Z`;
}
