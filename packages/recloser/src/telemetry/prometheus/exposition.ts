import { type Instrument, prometheusName } from '../instruments.ts';
import type { Distribution, Series } from '../meter/book.ts';
import type { Family } from '../meter/meter.ts';

/** One line of an exposition, in prom-client's form. */
export interface Sample {
  /** Of a histogram's parts: else it is the metric's own. */
  readonly metricName?: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}

export const prometheusType = ({ kind }: Instrument): 'counter' | 'gauge' | 'histogram' =>
  kind === 'updowncounter' ? 'gauge' : kind;

const isDistribution = (series: Series | Distribution): series is Distribution => 'counts' in series;

const keysOf = ({ labels }: Instrument): string[] => ['name', ...labels.map((label) => label.replaceAll('.', '_'))];

/** How many observations fell below each bound. */
const below = ({ counts }: Distribution): number[] => {
  let sum = 0;
  return counts.map((count) => (sum += count));
};

/** The samples of one family, as prom-client takes them. */
export function samplesOf({ instrument, series }: Family): Sample[] {
  const name = prometheusName(instrument);
  const keys = keysOf(instrument);
  return series.flatMap((each) => {
    const labels = Object.fromEntries(each.labels.map((value, i) => [keys[i], value]));
    if (!isDistribution(each)) return { labels, value: each.value };
    return [
      ...below(each).map((value, i) => ({
        metricName: `${name}_bucket`,
        labels: { ...labels, le: instrument.buckets?.[i] ?? '+Inf' },
        value,
      })),
      { metricName: `${name}_sum`, labels, value: each.sum },
      { metricName: `${name}_count`, labels, value: each.count },
    ];
  });
}

const escapes: Record<string, string> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (text: string): string =>
  /[\\"\n]/.test(text) ? text.replace(/[\\"\n]/g, (found) => escapes[found] as string) : text;

const linesOf = (name: string, pairs: string, each: Distribution, buckets: readonly number[]): string => {
  let lines = '';
  for (const [i, value] of below(each).entries()) {
    lines += `${name}_bucket{${pairs},le="${buckets[i] ?? '+Inf'}"} ${value}\n`;
  }
  return `${lines}${name}_sum{${pairs}} ${each.sum}\n${name}_count{${pairs}} ${each.count}\n`;
};

/** The text format 0.0.4 of Prometheus. Written out as it goes: a thousand names have sixty thousand lines. */
export function exposition(families: readonly Family[]): string {
  let text = '';
  for (const { instrument, series } of families) {
    if (series.length === 0) continue;
    const name = prometheusName(instrument);
    const keys = keysOf(instrument);
    text += `# HELP ${name} ${instrument.description}\n# TYPE ${name} ${prometheusType(instrument)}\n`;
    for (const each of series) {
      let pairs = '';
      for (const [i, value] of each.labels.entries()) pairs += `${i > 0 ? ',' : ''}${keys[i]}="${escaped(value)}"`;
      text += isDistribution(each)
        ? linesOf(name, pairs, each, instrument.buckets ?? [])
        : `${name}${pairs && `{${pairs}}`} ${each.value}\n`;
    }
  }
  return text;
}
