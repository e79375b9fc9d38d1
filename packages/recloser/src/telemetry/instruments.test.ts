import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { instruments, prometheusName } from './instruments.ts';

test('the documents have every instrument as it is', () => {
  const page = readFileSync(new URL('../../../../docs/telemetry/metrics.md', import.meta.url), 'utf8');
  const table = page.split('\n').filter((line) => line.startsWith('| `recloser.'));
  expect(table).toEqual(
    Object.values(instruments).map((instrument) => {
      const { name, unit, kind, description, labels, buckets } = instrument;
      const all = [...(name.startsWith('recloser.telemetry') ? [] : ['name']), ...labels].join(', ');
      const bounds = buckets ? ` Bounds: ${buckets.join(' ')}.` : '';
      return `| \`${name}\` (${unit}, ${kind}) | \`${prometheusName(instrument)}\` | ${all || '–'} | ${description}${bounds} |`;
    }),
  );
});

test('names in Prometheus follow OpenTelemetry’s rules', () => {
  const { state, duration, transitions, failureRatio, failureThreshold, lastTransition } = instruments;
  expect([state, duration, transitions, failureRatio, failureThreshold, lastTransition].map(prometheusName)).toEqual([
    'recloser_circuit_breaker_state',
    'recloser_execution_duration_seconds',
    'recloser_circuit_breaker_transitions_total',
    'recloser_circuit_breaker_failure_ratio',
    'recloser_circuit_breaker_failure_threshold_ratio',
    'recloser_circuit_breaker_last_transition_timestamp_seconds',
  ]);
});
