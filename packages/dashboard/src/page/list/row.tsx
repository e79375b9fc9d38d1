import type { ComponentChildren } from 'preact';
import { measured, percent, rate, span } from '../../incident/words.ts';
import type { KeyCounts, Row as Shown } from '../../protocol/row.ts';
import type { Group } from '../state/groups.ts';
import { hashOf } from '../state/route.ts';
import { minuteOf, moment, topRate } from '../state/store.ts';
import { LatencyBar } from './latency-bar.tsx';
import { Sparkline } from './sparkline.tsx';
import { StateMark } from './state-mark.tsx';

interface Props {
  readonly group: Group;
  readonly top: number;
  readonly height: number;
  readonly position: number;
  readonly size: number;
  readonly current: boolean;
  readonly focused: boolean;
}

/** One breaker. A screen reader gets it as one sentence, eyes as columns. */
export function Row({ group, top, height, position, size, current, focused }: Props) {
  const { id, row, ok, failed, refused, p95, nearness } = group;
  const ended = ok + failed;
  // Of a state that somebody set, since when that is.
  const down = row.downSince ?? (row.state === 'closed' ? undefined : row.since);
  const failing = ended > 0 ? failed / ended : 0;
  return (
    <li
      class="row-place"
      style={{ transform: `translateY(${top}px)`, height: `${height}px` }}
      aria-setsize={size}
      aria-posinset={position}
    >
      <a
        class={`row kind-${row.state === 'closed' ? 'closed' : 'trouble'} state-${row.state}`}
        href={hashOf({ id })}
        aria-current={current ? 'true' : undefined}
        tabIndex={focused ? 0 : -1}
        data-id={id}
      >
        <span class="unseen">{sentenceOf(group)}</span>
        <span class="cells" aria-hidden="true">
          <StateMark state={row.state}>
            <Down since={down} />
          </StateMark>
          <span class="name">
            <b>{row.of === undefined ? id : <Key id={id} of={row.of} />}</b>
            {group.keys !== undefined && (
              <span class="badge">
                {group.keys.size.toLocaleString('en')} keys{group.count > 1 && ` on ${group.count} instances`}
              </span>
            )}
            <Disagreement group={group} />
            <span class="why">{whyOf(group)}</span>
          </span>
          <Sparkline minute={minuteOf(id)} top={topRate.value} />
          <Figure value={ended + refused > 0 ? rate(ended + refused) : '–'} unit="/s" name="calls" />
          <Figure value={ended > 0 ? percent(failing) : '–'} name="failing" loud={failing >= 0.1} />
          <Figure value={p95 === undefined ? '–' : span(p95)} name="p95">
            {p95 !== undefined && (
              <LatencyBar p50={Math.min(row.p50 ?? p95, p95)} p95={p95} timeoutMs={row.timeoutMs} />
            )}
          </Figure>
          <Figure
            value={refused > 0 ? rate(refused) : '–'}
            unit={refused > 0 ? '/s' : ''}
            name="refused"
            loud={refused > 0}
          />
          <span class="next">
            {down !== undefined && (
              <span class="since">
                for <Down since={down} />
              </span>
            )}
            {row.state === 'closed' ? (
              <Nearness share={nearness} row={row} />
            ) : (
              nextOf(row).map((text) => <span key={text}>{text}</span>)
            )}
          </span>
        </span>
      </a>
    </li>
  );
}

const Figure = ({
  value,
  unit = '',
  name,
  loud = false,
  children,
}: {
  value: string;
  unit?: string;
  name: string;
  loud?: boolean;
  children?: ComponentChildren;
}) => (
  <span class={`figure ${name}${loud ? ' loud' : ''}${value === '–' ? ' none' : ''}`}>
    {value}
    {value !== '–' && <small>{unit}</small>}
    {children}
  </span>
);

/** How near to opening: a bar up to its threshold. With too few calls to decide, how many of those there are. */
function Nearness({ share, row: { calls, minimumCalls = 0 } }: { readonly share: number; readonly row: Shown }) {
  const few = calls < minimumCalls;
  const full = few ? calls / minimumCalls : Math.min(1, share);
  return (
    <span class={few ? 'bar few' : 'bar'}>
      <span class={!few && share >= 0.8 ? 'fill near' : 'fill'} style={{ width: `${full * 100}%` }} />
    </span>
  );
}

/** Whether it recovers: what happens next, and how it went so far. */
function nextOf({ state, nextProbeMs, probes, failedProbes = 0, forced, keys }: Shown): string[] {
  const failed = failedProbes > 0 ? [`${failedProbes} ${failedProbes === 1 ? 'probe' : 'probes'} failed`] : [];
  if (forced !== undefined) {
    return [forced.expiresInMs === undefined ? 'until released' : `ends in ${span(forced.expiresInMs)}`];
  }
  if (probes !== undefined) return [`${probes[0]} of ${probes[1]} probes good`, ...failed];
  if (state === 'open' && nextProbeMs !== undefined) {
    return [nextProbeMs === 0 ? 'next call probes' : `probe in ${span(nextProbeMs)}`, ...failed];
  }
  return keys?.size ? [`${percent((keys.open + keys.halfOpen + keys.forced) / keys.size)} of its keys`] : [];
}

/** How long it has not been closed: probes that fail do not begin it anew. */
const Down = ({ since }: { readonly since: number | undefined }) => {
  if (since === undefined) return null;
  const seconds = Math.max(1, Math.floor((moment.value - since) / 1_000));
  return <small>{span(seconds * 1_000)}</small>;
};

const Disagreement = ({ group: { count, agreeing, row } }: { readonly group: Group }) =>
  count > 1 && agreeing < count ? (
    <span class="disagree">
      {row.state} on {agreeing} of {count}
    </span>
  ) : null;

/** The breaker's own sentence, without the state that the mark says already. */
function whyOf({ row, keys }: Group): string {
  const { state, cause, explain, forced, rule, value, threshold, calls, minimumCalls = 0 } = row;
  if (forced !== undefined)
    return [forced.by && `by ${forced.by}`, forced.reason && `“${forced.reason}”`].filter(Boolean).join(': ');
  if (keys !== undefined && cause === undefined) return keysOf(keys);
  if (cause !== undefined) return cause;
  if (explain !== undefined) return explain.startsWith(`${state} `) ? explain.slice(state.length + 1) : explain;
  // Its window is the run of failures: a call that ends well empties it.
  if (rule === 'consecutiveFailures') return `${value}, opens at ${threshold} failures in a row`;
  if (calls === 0) return 'no calls in its window';
  if (calls < minimumCalls) return `${calls} of ${minimumCalls} calls it needs to decide`;
  const least = row.confidence === undefined || value === 0 ? '' : 'at least ';
  return `${least}${measured(rule, value)}, opens at ${measured(rule, threshold)}`;
}

function keysOf({ size, open, halfOpen, forced }: KeyCounts): string {
  const down = (
    [
      [open, 'open'],
      [halfOpen, 'half-open'],
      [forced, 'forced'],
    ] as const
  ).filter(([n]) => n > 0);
  if (down.length === 0) return 'all closed';
  return `${down.map(([n, state]) => `${n.toLocaleString('en')} ${state}`).join(', ')} of ${size.toLocaleString('en')} keys`;
}

/** The registry is said once, above. */
const Key = ({ id, of }: { readonly id: string; readonly of: string }) => (
  <>
    <span class="of">{of}/</span>
    {id.slice(of.length + 1)}
  </>
);

function sentenceOf(group: Group): string {
  const { id, row, refused, count, agreeing } = group;
  const disagree = count > 1 && agreeing < count ? `, on ${agreeing} of ${count} instances` : '';
  const harm = refused > 0 ? `, ${rate(refused)} calls refused a second` : '';
  const next = row.state === 'closed' ? [] : nextOf(row);
  return [`${id}: ${row.state}${disagree}`, whyOf(group), ...next].filter(Boolean).join(', ') + harm;
}
