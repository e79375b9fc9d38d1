import type { Detail, Incident } from '../protocol/detail.ts';
import type { Entry } from '../protocol/entry.ts';
import { measured, rate, setting, span } from './words.ts';

const time = (at: number): string =>
  new Date(at)
    .toISOString()
    .replace('T', ' ')
    .replace(/\.\d+Z$/, ' UTC');

/** Texts of others end up in somebody's chat or ticket: nothing in them is markup there. */
const plain = (text: string): string => text.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>|#!~]/g, '\\$&');

/** Who did what and why, or why it happened by itself. */
export function said({ kind, why, action, by, reason, expiresInMs, changed, sleepMs, traceId }: Entry): string {
  if (kind === 'update') return `options changed: ${changed?.join(', ')}`;
  if (kind === 'transition') {
    const next = sleepMs === undefined ? '' : `; probes in ${span(sleepMs)}`;
    return `${why ?? ''}${next}${traceId === undefined ? '' : `; trace ${traceId}`}`;
  }
  const until = expiresInMs === undefined ? '' : ` for ${span(expiresInMs)}`;
  return `${action}${by ? ` by ${by}` : ''}${until}${reason ? `: ${reason}` : ''}`;
}

/** An incident for a ticket, a chat or a post-mortem. */
export function markdownOf({ title, recordedAt, breakers }: Incident): string {
  const head = `# ${plain(title)}: ${breakers.map(({ id }) => plain(id)).join(', ')}\n\nAs of ${time(recordedAt)}.`;
  return `${[head, ...breakers.map(section)].join('\n\n')}\n`;
}

function section({ id, instance, row, explain, metrics, entries, errors, configuration }: Detail): string {
  const { p50, p95 } = row;
  const latency = p95 === undefined ? '' : `, latency p50 ${span(p50 ?? 0)}, p95 ${span(p95)}`;
  const lines = [
    `## ${plain(id)} on ${plain(instance)}`,
    `**${plain(explain)}**`,
    `${rate(row.ok)} good, ${rate(row.failed)} failed, ${rate(row.refused)} refused calls a second${latency}; ` +
      `${plain(row.rule)} ${measured(row.rule, row.value)} of ${row.calls} calls, threshold ${measured(row.rule, row.threshold)}. ` +
      `In all ${metrics.rejectedRequests.toLocaleString('en')} of ${metrics.totalRequests.toLocaleString('en')} calls refused, ` +
      `open for ${span(metrics.circuitOpenTimeMs)}.`,
  ];
  if (entries.length > 0) {
    const rows = entries.map(
      (entry) => `| ${time(entry.at)} | ${plain(entry.from)} → ${plain(entry.to)} | ${plain(said(entry))} |`,
    );
    lines.push(['| when | what | why |', '|---|---|---|', ...rows].join('\n'));
  }
  if (errors.length > 0) {
    lines.push(
      `Last errors:\n\n${errors.map(({ at, name, message }) => `- ${time(at)} ${plain(name)}: ${plain(message)}`).join('\n')}`,
    );
  }
  const set = configuration.filter(({ source }) => source !== 'default');
  if (set.length > 0) {
    lines.push(
      `Configured: ${set.map(({ option, value }) => `${plain(option)} ${plain(setting(option, value))}`).join(', ')}; the rest are defaults.`,
    );
  }
  return lines.join('\n\n');
}
