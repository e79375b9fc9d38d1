import type { ComponentChildren } from 'preact';
import { percent, rate, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import { drawn, instances, moment } from '../state/store.ts';
import { clock } from './clock.ts';

/** The figures of this moment. */
export function Facts({ detail }: { readonly detail: Detail }) {
  const { row, metrics } = detail;
  const ended = row.ok + row.failed;
  const limit = detail.configuration.find(({ option }) => option === 'maxConcurrent')?.value;
  const now = moment.value;
  return (
    <dl class="facts">
      {row.keys === undefined && (
        <Fact name="in this state">
          {row.since === undefined ? 'since before this page' : span(Math.max(0, now - row.since))}
        </Fact>
      )}
      {row.downSince !== undefined && <Fact name="not closed for">{span(Math.max(0, now - row.downSince))}</Fact>}
      {row.nextProbeMs !== undefined && (
        <Fact name="next probe">{row.nextProbeMs === 0 ? 'the next call' : `in ${span(row.nextProbeMs)}`}</Fact>
      )}
      {row.failedProbes !== undefined && <Fact name="probes failed">{row.failedProbes}</Fact>}
      {row.probes !== undefined && <Fact name="probes">{`${row.probes[0]} of ${row.probes[1]} good`}</Fact>}
      {row.under !== undefined && <Fact name="computed state">{row.under}</Fact>}
      <Fact name="refused" loud={row.refused > 0}>
        {rate(row.refused)}/s
      </Fact>
      <Fact name="calls">{rate(ended + row.refused)}/s</Fact>
      <Fact name="failing">{ended > 0 ? percent(row.failed / ended) : '–'}</Fact>
      {row.p95 !== undefined && <Fact name="p50 / p95">{`${span(row.p50 ?? 0)} / ${span(row.p95)}`}</Fact>}
      <Fact name="in flight">{typeof limit === 'number' ? `${row.inFlight} of ${limit}` : String(row.inFlight)}</Fact>
      {row.rule === 'consecutiveFailures' ? (
        <Fact name="failures in a row">{`${row.value} of ${row.threshold}`}</Fact>
      ) : (
        <Fact name="in its window">
          {row.calls < (row.minimumCalls ?? 0) ? `${row.calls} of ${row.minimumCalls} needed` : `${row.calls} calls`}
        </Fact>
      )}
      <Fact name="refused in all">{metrics.rejectedRequests.toLocaleString('en')}</Fact>
      {(row.keys === undefined || row.parent) && <Fact name="open in all">{span(metrics.circuitOpenTimeMs)}</Fact>}
      {detail.startedAt !== undefined && <Fact name="process up for">{span(Math.max(0, now - detail.startedAt))}</Fact>}
      {metrics.fallbackRequests > 0 && (
        <Fact name="answered by the fallback">{metrics.fallbackRequests.toLocaleString('en')}</Fact>
      )}
    </dl>
  );
}

const Fact = ({ name, loud = false, children }: { name: string; loud?: boolean; children: ComponentChildren }) => (
  <div class={loud ? 'loud' : ''}>
    <dt>{name}</dt>
    <dd>{children}</dd>
  </div>
);

/** Whose trouble it is, before anybody reads figures. */
export function Verdict({ detail }: { readonly detail: Detail }) {
  drawn.value;
  const limit = detail.configuration.find(({ option }) => option === 'maxConcurrent')?.value;
  const [who, why] = verdictOf(detail, limit);
  return (
    <p class="verdict">
      <span class="label">Them or us?</span> <b>{who}</b>: {why}
    </p>
  );
}

/** A sentence on whose fault it looks like: ours shows in our own process, in our own limits, or nowhere. */
function verdictOf({ instance, row, at }: Detail, limit: unknown): [who: string, why: string] {
  const { live = true, process } = instances.get(instance) ?? {};
  if (!live) return ['Unknown', `${instance} is not heard of; this is as of ${clock(at)}`];
  if (row.ending !== undefined) return ['Ours', `it is ${row.ending} and refuses every call`];
  if (typeof limit === 'number' && row.inFlight >= limit)
    return ['Ours, maybe', `all ${limit} places of the bulkhead are taken`];
  if (process === undefined) return ['Unknown', 'the process does not tell how it fares'];
  const { loopDelayMs, cpu, gc } = process;
  const state = `event loop ${span(loopDelayMs)} late, CPU ${percent(cpu)}, GC ${percent(gc)}`;
  if (loopDelayMs > 100 || cpu > 0.95 || gc > 0.2) return ['Ours, maybe', `this process is busy: ${state}`];
  if (row.state === 'closed') return ['Nobody’s now', `nothing stands out here: ${state}`];
  return row.forced === undefined
    ? ['Theirs', `this process is fine: ${state}`]
    : ['Ours', `somebody set this state; this process is fine: ${state}`];
}
