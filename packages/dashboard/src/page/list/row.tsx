import { measured, percent, rate, span } from '../../incident/words.ts';
import type { Group } from '../state/groups.ts';
import { hashOf } from '../state/route.ts';
import { minuteOf, skewMs } from '../state/store.ts';
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
            <Down since={row.downSince} />
          </StateMark>
          <span class="name">
            <b>{id}</b>
            <Disagreement group={group} />
            <span class="why">{whyOf(group)}</span>
          </span>
          <Sparkline minute={minuteOf(id)} />
          <Figure value={ended + refused > 0 ? rate(ended + refused) : '–'} unit="/s" name="calls" />
          <Figure value={ended > 0 ? percent(failing) : '–'} name="failing" loud={failing >= 0.1} />
          <Figure value={p95 === undefined ? '–' : span(p95)} name="p95" />
          <Figure
            value={refused > 0 ? rate(refused) : '–'}
            unit={refused > 0 ? '/s' : ''}
            name="refused"
            loud={refused > 0}
          />
          <Nearness share={nearness} closed={row.state === 'closed'} />
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
}: {
  value: string;
  unit?: string;
  name: string;
  loud?: boolean;
}) => (
  <span class={`figure ${name}${loud ? ' loud' : ''}${value === '–' ? ' none' : ''}`}>
    {value}
    {value !== '–' && <small>{unit}</small>}
  </span>
);

/** How near to opening: a bar up to its threshold. */
const Nearness = ({ share, closed }: { readonly share: number; readonly closed: boolean }) => (
  <span class="nearness">
    {closed && (
      <span class="bar">
        <span class={share >= 0.8 ? 'fill near' : 'fill'} style={{ width: `${Math.min(1, share) * 100}%` }} />
      </span>
    )}
  </span>
);

/** How long it has not been closed: probes that fail do not begin it anew. */
const Down = ({ since }: { readonly since: number | undefined }) => {
  const ms = since === undefined ? -1 : Date.now() + skewMs.value - since;
  return ms < 1_000 ? null : <small>{span(Math.floor(ms / 1_000) * 1_000)}</small>;
};

const Disagreement = ({ group: { count, agreeing, row } }: { readonly group: Group }) =>
  count > 1 && agreeing < count ? (
    <span class="disagree">
      {row.state} on {agreeing} of {count}
    </span>
  ) : null;

/** The breaker's own sentence, without the state that the mark says already. */
function whyOf({ row }: Group): string {
  const { state, explain, forced, rule, value, threshold, calls, minimumCalls = 0 } = row;
  if (forced !== undefined) {
    const by = forced.by ? `by ${forced.by}` : '';
    const until = forced.expiresInMs === undefined ? 'until released' : `for another ${span(forced.expiresInMs)}`;
    return [by, forced.reason && `“${forced.reason}”`, until].filter(Boolean).join(', ');
  }
  if (explain !== undefined) return explain.replace(new RegExp(`^${state} `), '');
  if (calls === 0) return 'no calls in its window';
  if (calls < minimumCalls) return `${calls} of ${minimumCalls} calls it needs to decide`;
  return `${measured(rule, value)}, opens at ${measured(rule, threshold)}`;
}

function sentenceOf(group: Group): string {
  const { id, row, refused, count, agreeing } = group;
  const disagree = count > 1 && agreeing < count ? `, on ${agreeing} of ${count} instances` : '';
  const harm = refused > 0 ? `, ${rate(refused)} calls refused a second` : '';
  return `${id}: ${row.state}${disagree}, ${whyOf(group)}${harm}`;
}
