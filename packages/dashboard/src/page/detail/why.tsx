import type { Evidence } from 'recloser';
import { measured, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import { clock } from './clock.ts';

/** Why it opened last, with the evidence of that moment. */
export function Why({ detail: { entries } }: { readonly detail: Detail }) {
  const opened = entries.findLast(({ to, from, kind }) => kind === 'transition' && to === 'open' && from === 'closed');
  const last = entries.findLast(({ to, kind }) => kind === 'transition' && to === 'open');
  const shown = opened ?? last;
  if (shown?.evidence === undefined) return null;
  const { evidence, why, at } = shown;
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
  const {
    rule,
    value,
    threshold,
    calls,
    failures,
    slowCalls,
    minimumCalls,
    windowMs,
    windowCalls,
    slowestMs,
    confidence,
  } = evidence;
  const window =
    windowMs !== undefined
      ? `last ${span(windowMs)}`
      : windowCalls !== undefined
        ? `last ${windowCalls} calls`
        : undefined;
  const all: [string, string | undefined][] = [
    ['measured', measured(rule, value)],
    ['threshold', measured(rule, threshold)],
    ['failures', failures === undefined ? undefined : `${failures} of ${calls} calls`],
    ['slow calls', slowCalls === undefined ? undefined : `${slowCalls} of ${calls}`],
    ['window', window],
    ['decides from', minimumCalls === undefined ? undefined : `${minimumCalls} calls`],
    ['confidence', confidence === undefined ? undefined : `${confidence * 100} %`],
    ['slowest', slowestMs === undefined ? undefined : span(slowestMs)],
  ];
  return all.filter((pair): pair is [string, string] => pair[1] !== undefined);
}

function TopErrors({ evidence: { topErrors = [], lastError } }: { readonly evidence: Evidence }) {
  const most = Math.max(1, ...topErrors.map(({ count }) => count));
  return (
    <ul class="errors-by-class">
      {topErrors.map(({ name, count }) => (
        <li key={name}>
          <span class="share" style={{ width: `${(count / most) * 100}%` }} />
          <code>{name}</code> <b>×{count}</b>
          {lastError?.name === name && lastError.message !== name && <span class="message">{lastError.message}</span>}
        </li>
      ))}
    </ul>
  );
}
