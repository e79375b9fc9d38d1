import type { FunctionComponent } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { percent, rate, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import type { PlotsProps } from '../charts/plots.tsx';
import { StateBand, stretchesOf } from '../charts/state-band.tsx';
import { route } from '../state/store.ts';

const [shortestS, longestS] = [120, 900];
let plots: FunctionComponent<PlotsProps> | undefined;

/** The library that draws comes only when somebody looks at a breaker. */
function usePlots(): FunctionComponent<PlotsProps> | undefined {
  const [, setReady] = useState(plots !== undefined);
  useEffect(() => {
    if (plots === undefined)
      void import('../charts/plots.tsx').then(({ Plots }) => {
        plots = Plots;
        setReady(true);
      });
  }, []);
  return plots;
}

export function Charts({ detail }: { readonly detail: Detail }) {
  const Plots = usePlots();
  const { series, entries, row } = detail;
  const last = series.seconds.at(-1) ?? Math.floor(detail.at / 1_000);
  const first = Math.max(last - longestS, Math.min(series.seconds[0] ?? last, last - shortestS));
  // What a registry was in when is known of its parent only.
  const state = row.keys === undefined ? row.state : row.parent;
  return (
    <section class="charts" aria-label="The last minutes">
      {state !== undefined && (
        <StateBand
          stretches={stretchesOf(entries, state, first * 1_000, last * 1_000)}
          from={first * 1_000}
          to={last * 1_000}
        />
      )}
      {Plots === undefined ? (
        <div class="plots-place" />
      ) : (
        <Plots detail={detail} first={first} last={last} at={route.value.at} />
      )}
      <Figures detail={detail} />
    </section>
  );
}

/** The same as a table, for whoever sees no curves. */
function Figures({ detail: { series, row } }: { readonly detail: Detail }) {
  const [open, setOpen] = useState(false);
  const text = (n: number | null | undefined, words: (n: number) => string): string =>
    n === null || n === undefined ? '–' : words(n);
  const value = (n: number): string => (/Rate$/.test(row.rule) ? percent(n) : String(n));
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>The last minute in figures</summary>
      {open && (
        <table>
          <thead>
            <tr>
              {['second', 'good/s', 'failed/s', 'refused/s', 'measured', 'p50', 'p95'].map((name) => (
                <th scope="col" key={name}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {series.seconds.slice(-60).map((second, i, all) => {
              const at = series.seconds.length - all.length + i;
              return (
                <tr key={second}>
                  <td>{new Date(second * 1_000).toLocaleTimeString()}</td>
                  <td>{text(series.ok[at], rate)}</td>
                  <td>{text(series.failed[at], rate)}</td>
                  <td>{text(series.refused[at], rate)}</td>
                  <td>{text(series.value[at], value)}</td>
                  <td>{text(series.p50[at], span)}</td>
                  <td>{text(series.p95[at], span)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </details>
  );
}
