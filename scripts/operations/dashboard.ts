/** The Grafana dashboard of `docs/operations`. */
import {
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { chosen, colours, source } from './panels.ts';
import { rows } from './rows.ts';

/** Where it is kept, from the root of the repository. */
export const dashboardFile = 'docs/operations/grafana-dashboard.json';

/** Two minutes a step: a scrape interval of up to half a minute is not missed. */
const mark = (title: string, to: string, color: string): AnnotationQueryBuilder =>
  new AnnotationQueryBuilder()
    .name(title)
    .datasource(source)
    .enable(true)
    .iconColor(color)
    .expr(
      `sum by (name, from, to, reason) (increase(recloser_circuit_breaker_transitions_total{${chosen}, to=~"${to}"}[2m])) > 0`,
    )
    .step('2m')
    .titleFormat('{{name}}: {{from}} → {{to}}')
    .textFormat('{{reason}}')
    .tagKeys('name,to');

const choice = (name: string, label: string, query: string): QueryVariableBuilder =>
  new QueryVariableBuilder(name)
    .label(label)
    .datasource(source)
    .query(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: 'All', value: '$__all' });

/** Names of every policy, not of breakers alone. */
const names = 'label_values({__name__=~"recloser_.+", job=~"$job"}, name)';

function operationsDashboard(): Dashboard {
  const dashboard = new DashboardBuilder('Recloser')
    .uid('recloser')
    .description('What is open, since when, why, and whom it costs. Generated: npm run docs:operations.')
    .tags(['recloser', 'circuit-breaker'])
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from: 'now-1h', to: 'now' })
    .refresh('10s')
    .withVariable(new DatasourceVariableBuilder('datasource').label('Data source').type('prometheus'))
    .withVariable(choice('job', 'Job', 'label_values(recloser_circuit_breaker_state, job)'))
    .withVariable(choice('name', 'Name', names))
    .annotation(mark('Opened', 'open|forced_open', colours.bad))
    .annotation(mark('Closed', 'closed|forced_closed', colours.good));
  for (const [title, panels] of rows) {
    dashboard.withRow(new RowBuilder(title));
    for (const panel of panels) dashboard.withPanel(panel);
  }
  const built = dashboard.build();
  // The kit writes defaults of variables of another kind, which Grafana's own schema doesn't know here.
  built.templating.list = (built.templating.list ?? []).map(({ auto, auto_min, auto_count, ...variable }) => variable);
  built.panels?.forEach((panel, i) => {
    panel.id = i + 1;
  });
  return built;
}

/** The file, as Grafana imports it. */
export const dashboardText = (): string => `${JSON.stringify(operationsDashboard(), undefined, 2)}\n`;
