import { parser } from '@prometheus-io/lezer-promql';

export interface Selector {
  readonly metric: string;
  /** Labels it is chosen by. */
  readonly labels: readonly string[];
}

export interface Query {
  /** Where the grammar was left. */
  readonly faults: readonly string[];
  readonly selectors: readonly Selector[];
  /** Labels of `by`, `on` and the like. */
  readonly grouping: readonly string[];
}

const durations: Record<string, string> = { $__rate_interval: '5m', $__range: '1h' };

/** Reads an expression as Prometheus' own grammar does, with the variables of Grafana in place. */
export function readQuery(text: string): Query {
  const expr = text.replace(/\$__\w+/g, (name) => durations[name] ?? name);
  const faults: string[] = [];
  const selectors: { metric: string; labels: string[] }[] = [];
  const grouping: string[] = [];
  parser.parse(expr).iterate({
    enter({ type, name, from, to, node }) {
      const word = expr.slice(from, to);
      if (type.isError) faults.push(`at ${from}: ${expr.slice(Math.max(0, from - 20), from + 20)}`);
      if (name === 'VectorSelector') selectors.push({ metric: '', labels: [] });
      const last = selectors.at(-1);
      if (name === 'Identifier' && last !== undefined) last.metric = word;
      if (name !== 'LabelName') return;
      if (node.parent?.name === 'GroupingLabels') grouping.push(word);
      else last?.labels.push(word);
    },
  });
  return { faults, selectors, grouping };
}
