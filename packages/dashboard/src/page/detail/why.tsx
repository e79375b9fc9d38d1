import type { Evidence } from 'recloser';
import { measured, percent, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import { clock } from './clock.ts';

/** Why it opened last, with the evidence of that moment. */
export function Why({ detail: { entries } }: { readonly detail: Detail }) {
  const opened = entries.findLast(({ to, from, kind }) => kind === 'transition' && to === 'open' && from === 'closed');
  const last = entries.findLast(({ to, kind }) => kind === 'transition' && to === 'open');
  const shown = opened ?? last;
  if (shown?.evidence === undefined) return null;
  const { evidence, why, at, traceId } = shown;
  const again = last !== undefined && last.at > shown.at ? last : undefined;
  return (
    <section class="why-card" aria-label="Why it opened">
      <h3>
        Why it opened <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
      </h3>
      <p data-testid="why">{why}</p>
      <dl class="evidence">
        {figuresOf(evidence).map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <TopErrors evidence={evidence} />
      {traceId !== undefined && (
        <p class="again">
          Trace of the call that opened it: <code>{traceId}</code>
        </p>
      )}
      {again !== undefined && (
        <p class="again">
          Still failing at {clock(again.at)}: {again.why}
          {again.sleepMs !== undefined && `; slept ${span(again.sleepMs)} then`}
        </p>
      )}
    </section>
  );
}

function figuresOf(evidence: Evidence): [string, string][] {
  const { rule, threshold, calls, failures, slowCalls, minimumCalls, windowMs, windowCalls, slowestMs } = evidence;
  const window =
    windowMs !== undefined
      ? `last ${span(windowMs)}`
      : windowCalls !== undefined
        ? `last ${windowCalls} calls`
        : undefined;
  const all: [string, string | undefined][] = [
    ...shareOf(evidence),
    ['threshold', measured(rule, threshold)],
    ['failures', failures === undefined ? undefined : `${failures} of ${calls} calls`],
    ['slow calls', slowCalls === undefined ? undefined : `${slowCalls} of ${calls}`],
    ['window', window],
    ['decides from', minimumCalls === undefined ? undefined : `${minimumCalls} calls`],
    ['slowest', slowestMs === undefined ? undefined : span(slowestMs)],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

/** With a confidence it is not the share that is held against the threshold, but what it is at least. */
function shareOf({ rule, value, calls, failures, slowCalls, confidence }: Evidence): [string, string | undefined][] {
  const hits = rule === 'slowCallRate' ? slowCalls : failures;
  if (confidence === undefined || hits === undefined || calls === 0) return [['measured', measured(rule, value)]];
  return [
    ['measured', percent(hits / calls)],
    [`at least, ${percent(confidence)} sure`, percent(value)],
  ];
}

/** A breaker remembers so many calls that went badly: of more failures these are the newest. */
const remembered = 32;

function TopErrors({ evidence: { topErrors = [], lastError } }: { readonly evidence: Evidence }) {
  const most = Math.max(1, ...topErrors.map(({ count }) => count));
  const sum = topErrors.reduce((n, { count }) => n + count, 0);
  return (
    <ul class="errors-by-class">
      {topErrors.map(({ name, count }) => (
        <li key={name}>
          <span class="share" style={{ width: `${(count / most) * 100}%` }} />
          <code>{name}</code> <b>×{count}</b>
          {sum >= remembered && <span>of the last {remembered}</span>}
          {lastError?.name === name && lastError.message !== name && <span class="message">{lastError.message}</span>}
        </li>
      ))}
    </ul>
  );
}
