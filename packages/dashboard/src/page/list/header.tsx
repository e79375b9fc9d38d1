import { useEffect, useState } from 'preact/hooks';
import { percent, rate, span } from '../../incident/words.ts';
import { kinds, tally } from '../state/groups.ts';
import {
  drawn,
  groups,
  incident,
  instances,
  link,
  only,
  paused,
  query,
  recordedAt,
  self,
  session,
} from '../state/store.ts';
import { toggled, togglePause } from '../state/toggles.ts';
import { Menu } from './menu.tsx';
import { StateShape } from './state-mark.tsx';

const stateOf = { open: 'open', 'half-open': 'half-open', forced: 'forced-open', closed: 'closed' } as const;

export function Header() {
  const recorded = incident.value !== undefined || session.value?.recorded === true;
  return (
    <header class="top">
      <div class="who">
        <h1>
          <a href="#/">{incident.value?.title ?? session.value?.title ?? 'circuit breakers'}</a>
        </h1>
        <Instances />
        {recorded ? <Recorded /> : <Pulse />}
      </div>
      <Totals />
      <div class="tools">
        <input
          id="filter"
          type="search"
          placeholder="Filter ( / )"
          aria-label="Filter breakers by name, state or reason"
          value={query.value}
          onInput={(event) => void (query.value = event.currentTarget.value)}
        />
        {!recorded && (
          <button type="button" class="quiet" aria-pressed={paused.value} onClick={togglePause}>
            {paused.value ? 'Resume' : 'Pause'}
          </button>
        )}
        <Menu />
      </div>
      <Filters />
      <Ours />
    </header>
  );
}

function Filters() {
  const counts = tally(groups.value);
  return (
    <fieldset class="tally" aria-label="States; press to show only these">
      {kinds.map((kind) => (
        <button
          key={kind}
          type="button"
          class={`chip state-${stateOf[kind]}${counts[kind] === 0 ? ' zero' : ''}`}
          aria-pressed={only.value.has(kind)}
          onClick={() => toggled(kind)}
        >
          <StateShape state={stateOf[kind]} />
          <b>{counts[kind].toLocaleString('en')}</b> {kind}
        </button>
      ))}
    </fieldset>
  );
}

/** Whom it costs: the one number to begin with. */
function Totals() {
  // Keys of a registry are in its own row.
  const all = groups.value.filter(({ row }) => row.of === undefined);
  const refused = all.reduce((sum, group) => sum + group.refused, 0);
  const calls = all.reduce((sum, group) => sum + group.ok + group.failed, refused);
  return (
    <p class="totals">
      <span class={refused > 0 ? 'loud' : ''}>
        <b>{rate(refused)}</b> refused/s
      </span>
      <span>
        <b>{rate(calls)}</b> calls/s
      </span>
    </p>
  );
}

function Instances() {
  drawn.value;
  const all = [...instances.values()];
  const gone = all.filter(({ live }) => !live);
  if (all.length < 2) return <span class="instances">{self.value}</span>;
  return (
    <span class="instances" title={all.map(({ name, live }) => `${name}${live ? '' : ' (gone)'}`).join('\n')}>
      {all.length} instances{gone.length > 0 && <b class="loud">, {gone.length} not heard of</b>}
    </span>
  );
}

/** Whether this page itself is live. */
function Pulse() {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const { state, at, why } = link.value;
  const age = Math.max(0, now - at);
  if (state === 'connecting' || state === 'resting') return <span class="pulse late">connecting …</span>;
  if (state === 'lost') {
    return (
      <span class="pulse lost" role="status">
        not live: {why}
        {at > 0 && age >= 1_000 && `; what is shown is ${span(Math.floor(age / 1_000) * 1_000)} old`}
      </span>
    );
  }
  if (age > 4_000) return <span class="pulse late">late: last heard {span(age)} ago</span>;
  return <span class="pulse live">{paused.value ? 'paused' : 'live'}</span>;
}

function Recorded() {
  const at = recordedAt.value;
  return <span class="pulse late">recorded{at !== undefined && ` ${new Date(at).toLocaleString()}`}, not live</span>;
}

/** Theirs or ours: how the processes themselves fare. */
function Ours() {
  drawn.value;
  const all = [...instances.values()].filter(({ process }) => process !== undefined);
  const worst = all.reduce(
    (a, b) => ((b.process?.loopDelayMs ?? 0) > (a.process?.loopDelayMs ?? 0) ? b : a),
    all[0] as (typeof all)[0],
  );
  if (worst?.process === undefined) return null;
  const { loopDelayMs, cpu, gc, heapMb } = worst.process;
  const busy = loopDelayMs > 100 || cpu > 0.95 || gc > 0.2;
  return (
    <p class={busy ? 'ours busy' : 'ours'}>
      <b>{busy ? 'this process is busy itself' : 'this process is fine'}</b>
      <span class="vitals">
        : event loop {span(loopDelayMs)} late, CPU {percent(cpu)}, GC {percent(gc)}, heap {heapMb} MB
        {all.length > 1 && ` (${worst.name})`}
      </span>
    </p>
  );
}
