/** What Grafana's SDK declares of all that the dashboard has. The schema is made of it, so it is that of the version installed. */
import type * as bargauge from '@grafana/grafana-foundation-sdk/bargauge';
import type {
  AnnotationContainer,
  AnnotationQuery,
  Dashboard,
  FieldConfig,
  FieldConfigSource,
  Panel,
  RowPanel,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import type * as stat from '@grafana/grafana-foundation-sdk/stat';
import type * as statetimeline from '@grafana/grafana-foundation-sdk/statetimeline';
import type * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';

/** `Panel` says `any` of what belongs to the kind of panel and to the data source. */
type PanelOf<Type extends string, Options, Custom> = Omit<Panel, 'type' | 'options' | 'targets' | 'fieldConfig'> & {
  type: Type;
  options: Options;
  targets: Dataquery[];
  fieldConfig: Omit<FieldConfigSource, 'defaults'> & { defaults: Omit<FieldConfig, 'custom'> & { custom?: Custom } };
};

export type GrafanaDashboard = Omit<Dashboard, 'panels' | 'annotations' | 'snapshot'> & {
  annotations: Omit<AnnotationContainer, 'list'> & { list: Omit<AnnotationQuery, 'target'>[] };
  panels: (
    | RowPanel
    | PanelOf<'stat', stat.Options, never>
    | PanelOf<'bargauge', bargauge.Options, never>
    | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
    | PanelOf<'state-timeline', statetimeline.Options, statetimeline.FieldConfig>
  )[];
};
