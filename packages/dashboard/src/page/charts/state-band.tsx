import type { CircuitState } from 'recloser';
import type { Entry } from '../../protocol/entry.ts';
import { clock } from '../detail/clock.ts';
import { kindOf } from '../state/groups.ts';

export interface Stretch {
  readonly state: CircuitState;
  readonly from: number;
  readonly to: number;
}

/** Which state it was in when, between two moments; `now` is the state at the end. */
export function stretchesOf(entries: readonly Entry[], now: CircuitState, from: number, to: number): Stretch[] {
  const changes = entries.filter(({ kind }) => kind !== 'update');
  const stretches: Stretch[] = [];
  let state = changes[0]?.from ?? now;
  let since = from;
  let expiry = Number.POSITIVE_INFINITY;
  const turn = (next: CircuitState | undefined, at: number): void => {
    if (next === state) return;
    const end = Math.min(to, at);
    if (end > since) stretches.push({ state, from: since, to: end });
    since = Math.max(since, at);
    state = next ?? state;
  };
  for (const { kind, from: before, to: next, at, expiresInMs = Number.POSITIVE_INFINITY } of changes) {
    // A state that somebody set covers what happens below it. Its end is told by the next call, if one comes.
    if (kind === 'transition' && kindOf(state) === 'forced' && at < expiry) continue;
    if (expiry < at) turn(before === state ? next : before, expiry);
    turn(next, at);
    expiry = at + expiresInMs;
  }
  if (expiry < to) turn(now, expiry);
  turn(undefined, to);
  return stretches;
}

interface Props {
  readonly stretches: readonly Stretch[];
  readonly from: number;
  readonly to: number;
}

/** The states over the same time as the curves below: colour, pattern, and the word where there is room for it. */
export function StateBand({ stretches, from, to }: Props) {
  const share = (ms: number): string => `${(ms / (to - from)) * 100}%`;
  return (
    <ol class="band" aria-label="States over time">
      {stretches.map((stretch) => {
        const long = (stretch.to - stretch.from) / (to - from) > 0.09;
        const title = `${stretch.state} from ${clock(stretch.from)} to ${clock(stretch.to)}`;
        return (
          <li
            key={stretch.from}
            class={`state-${stretch.state}`}
            title={title}
            style={{ left: share(stretch.from - from), width: share(stretch.to - stretch.from) }}
          >
            <span class={long ? '' : 'unseen'}>{long ? stretch.state : title}</span>
          </li>
        );
      })}
    </ol>
  );
}
