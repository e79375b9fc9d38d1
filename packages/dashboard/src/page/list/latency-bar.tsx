interface Props {
  readonly p50: number;
  readonly p95: number;
  readonly timeoutMs: number | undefined;
}

/** The decades from 1 ms to 100 s: the same for every row, so that bars can be compared. */
const decades = 5;
const placeOf = (ms: number): number => Math.min(1, Math.max(0, Math.log10(Math.max(1, ms)) / decades)) * 100;

/** From the median to the 95th percentile, and where calls are given up. */
export function LatencyBar({ p50, p95, timeoutMs }: Props) {
  const [from, to] = [placeOf(p50), placeOf(p95)];
  return (
    <span class="latency">
      <span class="fill" style={{ left: `${from}%`, width: `${Math.max(3, to - from)}%` }} />
      {timeoutMs !== undefined && <span class="tick" style={{ left: `${placeOf(timeoutMs)}%` }} />}
    </span>
  );
}
