import type { CircuitState } from 'recloser';
import type { Entry } from '../../protocol/entry.ts';
import { clock } from '../detail/clock.ts';

export interface Stretch {
  readonly state: CircuitState;
  readonly from: number;
  readonly to: number;
}

/** Which state it was in when, between two moments; `now` is the state at the end. */
export function stretchesOf(entries: readonly Entry[], now: CircuitState, from: number, to: number): Stretch[] {
  const changes = entries.filter((entry) => entry.kind !== 'update' && entry.from !== entry.to);
  const stretches: Stretch[] = [];
  let state = changes[0]?.from ?? now;
  let since = Number.NEGATIVE_INFINITY;
  for (const change of [...changes, { at: Number.POSITIVE_INFINITY, to: now }]) {
    const [start, end] = [Math.max(from, since), Math.min(to, change.at)];
    if (end > start) stretches.push({ state, from: start, to: end });
    state = change.to;
    since = change.at;
  }
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
