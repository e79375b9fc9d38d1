import { type PrometheusOptions, type PrometheusSink, prometheus } from 'recloser/telemetry/prometheus';
import { afterEach } from 'vitest';

/** Sinks of metrics that are closed after the test they were made in. */
export function sinksOfTests(): (options?: PrometheusOptions) => PrometheusSink {
  const sinks: PrometheusSink[] = [];
  afterEach(() => {
    for (const made of sinks.splice(0)) made.close();
  });
  return (options) => {
    const made = prometheus(options);
    sinks.push(made);
    return made;
  };
}
