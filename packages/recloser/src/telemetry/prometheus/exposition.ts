import { type Instrument, prometheusName } from '../instruments.ts';
import type { Distribution, Series } from '../meter/book.ts';
import type { Family } from '../meter/meter.ts';

/** One line of an exposition: prom-client's form as well. */
export interface Sample {
  /** Of a histogram's parts: else it is the metric's own. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export const prometheusType = ({ kind }: Instrument): 'counter' | 'gauge' | 'histogram' =>
  kind === 'updowncounter' ? 'gauge' : kind;

const isDistribution = (series: Series | Distribution): series is Distribution => 'counts' in series;

/** The samples of one family. */
export function samplesOf({ instrument, series }: Family): Sample[] {
  const name = prometheusName(instrument);
  const keys = ['name', ...instrument.labels.map((label) => label.replaceAll('.', '_'))];
  return series.flatMap((each) => {
    const labels = Object.fromEntries(each.labels.map((value, i) => [keys[i], value]));
    if (!isDistribution(each)) return { labels, value: each.value };
    let below = 0;
    return [
      ...each.counts.map((count, i) => {
        below += count;
        return {
          metricName: `${name}_bucket`,
          labels: { ...labels, le: instrument.buckets?.[i] ?? '+Inf' },
          value: below,
        };
      }),
      { metricName: `${name}_sum`, labels, value: each.sum },
      { metricName: `${name}_count`, labels, value: each.count },
    ];
  });
}

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (text: string | number): string =>
  String(text).replace(/[\\"\n]/g, (found) => escapes[found] as string);

/** The text format 0.0.4 of Prometheus. */
export function exposition(families: readonly Family[]): string {
  const lines: string[] = [];
  for (const family of families) {
    const samples = samplesOf(family);
    if (samples.length === 0) continue;
    const { instrument } = family;
    const name = prometheusName(instrument);
    lines.push(`# HELP ${name} ${instrument.description}`, `# TYPE ${name} ${prometheusType(instrument)}`);
    for (const { metricName = name, labels, value } of samples) {
      const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
      lines.push(`${metricName}${pairs.length > 0 ? `{${pairs.join(',')}}` : ''} ${value}`);
    }
  }
  return `${lines.join('\n')}\n`;
}
