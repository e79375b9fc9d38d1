/** The few kinds of panel the dashboard is made of, all on one data source and one set of variables. */
import * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import {
  FieldColorBuilder,
  FieldColorModeId,
  MappingType,
  type Panel,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  type ValueMap,
} from '@grafana/grafana-foundation-sdk/dashboard';
import * as prometheus from '@grafana/grafana-foundation-sdk/prometheus';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** Okabe–Ito: told apart by whoever is colour-blind, on dark and on light. */
export const colours = {
  calm: '#56B4E9',
  warning: '#E69F00',
  bad: '#D55E00',
  set: '#CC79A7',
  good: '#009E73',
  grey: '#999999',
} as const;

export const source: common.DataSourceRef = { type: 'prometheus', uid: '$datasource' };

/** What the variables of the dashboard choose; every query has it. */
export const chosen = 'job=~"$job", name=~"$name"';

/** A query by its expression, and what its series are called. */
export type Query = readonly [expr: string, legend?: string];

const refId = (i: number): string => String.fromCharCode('A'.charCodeAt(0) + i);
const dataquery = ([expr, legend]: Query, i: number): prometheus.DataqueryBuilder => {
  const query = new prometheus.DataqueryBuilder().datasource(source).expr(expr).refId(refId(i));
  return legend === undefined ? query : query.legendFormat(legend);
};

/** One figure of now; from `warnAt` on it is coloured. */
export function figure(
  title: string,
  description: string,
  query: Query,
  unit: string,
  warnAt?: number,
): Builder<Panel> {
  const steps = [{ value: null, color: colours.calm }];
  return new stat.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .height(4)
    .span(4)
    .unit(unit)
    .noValue('–')
    .thresholds(
      new ThresholdsConfigBuilder()
        .mode(ThresholdsMode.Absolute)
        .steps(warnAt === undefined ? steps : [...steps, { value: warnAt, color: colours.bad }]),
    )
    .graphMode(common.BigValueGraphMode.None)
    .withTarget(dataquery(query, 0).instant());
}

/** The name of the one series that is left. */
export function worst(title: string, description: string, query: Query, unit: string): Builder<Panel> {
  return (figure(title, description, query, unit) as stat.PanelBuilder).textMode(common.BigValueTextMode.ValueAndName);
}

export interface Look {
  readonly unit: string;
  readonly width: number;
  /** Shares of a whole, one on the other. */
  readonly stacked?: boolean;
  /** Series whose name ends so are limits: dashed, and not filled. */
  readonly limits?: string;
  /** Of a ratio. */
  readonly max?: number;
}

/** Curves over time. */
export function curves(title: string, description: string, look: Look, ...queries: Query[]): Builder<Panel> {
  const panel = new timeseries.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .height(8)
    .span(look.width)
    .unit(look.unit)
    .min(0)
    .legend(new common.VizLegendOptionsBuilder().showLegend(true).calcs(['max', 'lastNotNull']))
    .tooltip(
      new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending),
    )
    .fillOpacity(look.stacked ? 40 : 5)
    .showPoints(common.VisibilityMode.Never)
    .targets(queries.map(dataquery));
  if (look.max !== undefined) panel.max(look.max);
  if (look.stacked) panel.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal).group('A'));
  if (look.limits !== undefined) {
    panel.overrideByRegexp(`/${look.limits}$/`, [
      { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 6] } },
      { id: 'custom.fillOpacity', value: 0 },
      { id: 'color', value: { mode: FieldColorModeId.Fixed, fixedColor: colours.bad } },
    ]);
  }
  return panel;
}

/** How many fell into each bucket of a histogram, over the time shown. */
export function distribution(title: string, description: string, width: number, expr: string): Builder<Panel> {
  return new bargauge.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .height(8)
    .span(width)
    .unit('short')
    .decimals(0)
    .min(0)
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(colours.calm))
    .orientation(common.VizOrientation.Horizontal)
    .displayMode(common.BarGaugeDisplayMode.Basic)
    .withTarget(dataquery([expr, '{{le}}'], 0).instant().format(prometheus.PromQueryFormat.Heatmap));
}

/** A band a series, coloured and named by its value. */
export function bands(
  title: string,
  description: string,
  query: Query,
  values: readonly (readonly [text: string, color: string])[],
): Builder<Panel> {
  const mapping: ValueMap = {
    type: MappingType.ValueToText,
    options: Object.fromEntries(values.map(([text, color], index) => [index, { text, color, index }])),
  };
  return new statetimeline.PanelBuilder()
    .title(title)
    .description(description)
    .datasource(source)
    .height(10)
    .span(24)
    .mappings([mapping])
    .colorScheme(new FieldColorBuilder().mode(FieldColorModeId.Fixed).fixedColor(colours.grey))
    .showValue(common.VisibilityMode.Auto)
    .legend(new common.VizLegendOptionsBuilder().showLegend(true))
    .withTarget(dataquery(query, 0));
}
