import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseRecording } from '../../examples/outage/recording/parse.ts';
import { chance } from '../../test/support/chance.ts';
import { type Call, contenders, openings } from './contenders.ts';

/** The calls to one dependency, and when its outage begins, if it has one. */
interface Recorded {
  readonly recording: string;
  readonly dependency: string;
  readonly calls: readonly Call[];
  readonly faultAt: number;
}

export interface Openings extends Omit<Recorded, 'calls'> {
  readonly calls: number;
  readonly contender: string;
  readonly openedAt: readonly number[];
}

/** When the injected faults begin, by the recordings' own descriptions. */
const faults: Record<string, Record<string, number>> = {
  'onlineboutique-currency-network-delay': { currencyservice: 50_000, checkoutservice: 50_000 },
};

function commonForm(path: string, recording: string): Recorded[] {
  const { dependencies, startMs, durationMs, dependency, outcome } = parseRecording(readFileSync(path, 'utf8'));
  const calls: Call[][] = dependencies.map(() => []);
  for (const [i, at] of startMs.entries()) {
    const ms = durationMs[i] as number;
    calls[dependency[i] as number]?.push({ endedAt: at + ms, ms, failed: outcome[i] === 1 });
  }
  return dependencies.map((name, i) => ({
    recording,
    dependency: name,
    calls: (calls[i] as Call[]).sort((a, b) => a.endedAt - b.endedAt),
    faultAt: faults[recording]?.[name] ?? Infinity,
  }));
}

const intervalMs = 300_000;

/**
 * petshop has no calls, only how many there were in five minutes, which share failed, and how long they took by quantile:
 * calls are made of these, spread by chance.
 */
function petshop(folder: string, issue: string): Recorded[] {
  const lines = readFileSync(join(folder, issue, 'metrics.csv'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(','));
  const [nodes = [], metrics = [], statistics = [], , ...rows] = lines;
  const { target } = JSON.parse(readFileSync(join(folder, issue, 'target.json'), 'utf8'));
  const column = (node: string, metric: string, statistic: string) =>
    nodes.findIndex((name, i) => name === node && metrics[i] === metric && statistics[i] === statistic);
  const startsAt = Number(rows[0]?.[0]) * 1_000;
  const { unit } = chance(7);
  return [...new Set(nodes.slice(1))].flatMap((node) => {
    const columns = [
      column(node, 'requests', 'Sum'),
      column(node, 'availability', 'Average'),
      ...['p50', 'p90', 'p95', 'p99'].map((quantile) => column(node, 'latency', quantile)),
    ];
    const calls = rows.flatMap((row, interval) => {
      const [requests = 0, available = Number.NaN, ...seconds] = columns.map((i) => Number(row[i] || Number.NaN));
      if (!(requests > 0) || seconds.some(Number.isNaN)) return [];
      return Array.from({ length: requests }, () => {
        const ms = atQuantile(
          unit(),
          seconds.map((s) => s * 1_000),
        );
        const endedAt = interval * intervalMs + unit() * intervalMs;
        return { endedAt, ms, failed: unit() * 100 >= (Number.isNaN(available) ? 100 : available) };
      });
    });
    if (calls.length < 100) return [];
    calls.sort((a, b) => a.endedAt - b.endedAt);
    const faultAt = target.timestamp * 1_000 - startsAt;
    return [{ recording: `petshop ${issue.replace('_test_issue_', ' ')}`, dependency: node, calls, faultAt }];
  });
}

/** Between the quantiles as a straight line over the logarithm; below the median down to a third of it. */
function atQuantile(at: number, [p50 = 0, p90 = 0, p95 = 0, p99 = 0]: readonly number[]): number {
  const points = [
    [0, p50 / 3],
    [0.5, p50],
    [0.9, p90],
    [0.95, p95],
    [0.99, p99],
    [1, p99],
  ] as const;
  const next = points.findIndex(([share]) => share >= at);
  const [[from, low], [to, high]] = [points[Math.max(0, next - 1)] ?? points[0], points[next] ?? points[5]];
  const part = to > from ? (at - from) / (to - from) : 0;
  return low * (high / low) ** part;
}

/** Arrivals as they were, with 1 % failures and 20 ms a generated token: real bursts, steady service. */
function arrivals(path: string): Recorded {
  const { unit } = chance(9);
  const [, ...rows] = readFileSync(path, 'utf8').trim().split('\n');
  const calls = rows.map((row) => {
    const [time = '', , tokens] = row.split(',');
    const ms = 20 * Number(tokens);
    return { endedAt: Date.parse(`${time.replace(' ', 'T')}Z`) + ms, ms, failed: unit() < 0.01 };
  });
  const first = calls[0]?.endedAt ?? 0;
  const shifted = calls.map((call) => ({ ...call, endedAt: call.endedAt - first }));
  shifted.sort((a, b) => a.endedAt - b.endedAt);
  return { recording: 'azure-llm-arrivals', dependency: 'model', calls: shifted, faultAt: Infinity };
}

/** The recordings of a folder, of the kinds that are known. */
export function recorded(folder: string): Openings[] {
  const files = readdirSync(folder).sort();
  const all = files.flatMap((file) => {
    const path = join(folder, file);
    if (file === 'petshop')
      return readdirSync(path)
        .filter((name) => existsSync(join(path, name, 'metrics.csv')))
        .sort()
        .flatMap((issue) => petshop(path, issue));
    if (file === 'azure-llm-arrivals.csv') return [arrivals(path)];
    return file.endsWith('.csv') ? commonForm(path, file.replace('.csv', '')) : [];
  });
  return all.flatMap(({ calls, ...of }) =>
    contenders.map(({ name, rule }) => ({
      ...of,
      calls: calls.length,
      contender: name,
      openedAt: openings(rule, calls, Math.min(0, calls[0]?.endedAt ?? 0)),
    })),
  );
}
