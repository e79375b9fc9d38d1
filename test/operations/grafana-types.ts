/**
 * What Grafana itself declares of all that the dashboard has, in the package that it publishes with each release. The schema is made of it, so it
 * is that of the version installed, and not that of the kit which the dashboard is built with.
 */

// Grafana's package has no queries of Prometheus.
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as bargauge from '@grafana/schema/dist/esm/raw/composable/bargauge/panelcfg/x/BarGaugePanelCfg_types.gen';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as statetimeline from '@grafana/schema/dist/esm/raw/composable/statetimeline/panelcfg/x/StateTimelinePanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';
import type {
  AnnotationContainer,
  AnnotationQuery,
  Dashboard,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
} from '@grafana/schema/dist/esm/raw/dashboard/x/Dashboard_types.gen';

/** `Panel` says nothing of what belongs to the kind of panel and to the data source. */
type PanelOf<Type extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  options: Options;
  targets: Dataquery[];
  fieldConfig: Omit<FieldConfigSource, 'defaults'> & { defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom } };
};

/** What the Prometheus data source takes besides (`annotations.ts` of `@grafana/prometheus`). */
interface PrometheusAnnotation extends Omit<AnnotationQuery, 'target'> {
  expr: string;
  step?: string;
  titleFormat?: string;
  textFormat?: string;
  tagKeys?: string;
}

export type GrafanaDashboard = Omit<Dashboard, 'panels' | 'annotations' | 'snapshot'> & {
  annotations: Omit<AnnotationContainer, 'list'> & { list: PrometheusAnnotation[] };
  panels: (
    | RowPanel
    | PanelOf<'stat', stat.Options, never>
    | PanelOf<'bargauge', bargauge.Options, never>
    | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
    | PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  )[];
};
