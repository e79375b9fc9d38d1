import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { percent, rate, span } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import { clock } from '../detail/clock.ts';
import { repainted } from '../state/theme.ts';
import { whatIf } from './what-if.ts';

export interface PlotsProps {
  readonly detail: Detail;
  /** Epoch seconds. */
  readonly first: number;
  readonly last: number;
  /** A moment to point at, epoch ms. */
  readonly at: number | undefined;
}

type Values = readonly (number | null)[];

interface Curve {
  readonly name: string;
  readonly colour: string;
  readonly values: Values;
  readonly dash?: boolean;
  readonly fill?: string;
}

interface Chart {
  readonly title: string;
  readonly curves: readonly Curve[];
  readonly words: (n: number) => string;
  /** The axis reaches this far at least. */
  readonly least: number;
}

export function Plots({ detail, first, last, at }: PlotsProps) {
  const marks = marksOf(detail).filter((mark) => mark.at >= first * 1_000 && mark.at <= last * 1_000);
  const other = whatIf(detail);
  return (
    <>
      {chartsOf(detail).map((chart, i, all) => (
        <Plot
          key={chart.title}
          chart={chart}
          timed={i === all.length - 1}
          seconds={detail.series.seconds}
          first={first}
          last={last}
          at={at}
          marks={marks}
        />
      ))}
      {marks.length > 0 && (
        <p class="marks">
          <span class="key dash">Marked:</span> {marks.map(({ at, text }) => `${text} ${clock(at)}`).join(', ')}
        </p>
      )}
      {other !== undefined && <p class="what-if">With another threshold it would have opened {other}.</p>}
    </>
  );
}

/** Three questions: how bad is it, whom does it cost, how slow is it. */
function chartsOf({ series, row, configuration }: Detail): Chart[] {
  const isShare = /Rate$/.test(row.rule);
  const timeout = configuration.find(({ option }) => option === 'timeoutMs')?.value;
  const sum = (...lists: Values[]): Values =>
    series.seconds.map((_, i) =>
      lists.every((list) => list[i] == null) ? null : lists.reduce((n, list) => n + (list[i] ?? 0), 0),
    );
  const hasLatency = series.p95.some((n) => n !== null);
  return [
    {
      title: isShare ? 'share against its threshold' : `${row.rule} against its threshold`,
      least: row.threshold * 1.15,
      words: isShare ? percent : (n) => String(Math.round(n * 10) / 10),
      curves: [
        { name: 'measured', colour: '--open', values: series.value, fill: '--open-wash' },
        { name: 'threshold', colour: '--ink-2', values: series.threshold, dash: true },
      ],
    },
    {
      title: 'calls a second',
      least: 2,
      words: rate,
      // Each on top of those after it: what is drawn last lies in front.
      curves: [
        { name: 'good', colour: '--calm', values: sum(series.refused, series.failed, series.ok), fill: '--calm-wash' },
        { name: 'failed', colour: '--half', values: sum(series.refused, series.failed), fill: '--half-wash' },
        { name: 'refused', colour: '--open', values: series.refused, fill: '--open-solid-wash' },
      ],
    },
    ...(hasLatency
      ? [
          {
            title: 'latency of the last one to two minutes',
            least: 10,
            words: span,
            curves: [
              { name: 'p95', colour: '--forced', values: series.p95 },
              { name: 'p50', colour: '--calm', values: series.p50 },
              ...(typeof timeout === 'number'
                ? [
                    {
                      name: 'timeout',
                      colour: '--ink-2',
                      dash: true,
                      values: series.p95.map((n) => (n !== null && n > timeout / 3 ? timeout : null)),
                    },
                  ]
                : []),
            ],
          },
        ]
      : []),
  ];
}

const axisWidth = 58;
const height = 116;
const timeHeight = 24;

interface Mark {
  readonly at: number;
  readonly text: string;
}

/** What somebody did while the curves went on: new options, a state that was set, a new process. */
const marksOf = ({ entries, startedAt }: Pick<Detail, 'entries' | 'startedAt'>): Mark[] => [
  ...(startedAt === undefined ? [] : [{ at: startedAt, text: 'process started' }]),
  ...entries
    .filter(({ kind }) => kind !== 'transition')
    .map(({ at, kind, action, to }) => ({
      at,
      text: kind === 'update' ? 'options changed' : action === 'forced' ? to : (action ?? to),
    })),
];

interface PlotProps extends Omit<PlotsProps, 'detail'> {
  readonly chart: Chart;
  readonly seconds: readonly number[];
  /** Whether it has the axis of time, which all share. */
  readonly timed: boolean;
  readonly marks: readonly Mark[];
}

function Plot({ chart, seconds, first, last, at, timed, marks }: PlotProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const shown = useRef({ chart, first, last, at, timed, marks });
  shown.current = { chart, first, last, at, timed, marks };
  const data = [seconds, ...chart.curves.map(({ values }) => values)] as unknown as uPlot.AlignedData;
  const names = chart.curves.map(({ name }) => name).join();

  // Made anew only when what it is made of changes; data come below.
  useEffect(() => {
    const element = place.current as HTMLDivElement;
    const options = optionsFor(element, shown);
    const made = new uPlot(options, data, element);
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: options.height }));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [names, timed, repainted.value]);
  useEffect(() => {
    plot.current?.setData(data);
  });

  return (
    <figure class="plot">
      <figcaption>
        {chart.title}
        {chart.curves.map(({ name, colour, dash }) => (
          <span key={name} class={dash ? 'key dash' : 'key'} style={{ color: `var(${colour})` }}>
            {name}
          </span>
        ))}
      </figcaption>
      <div ref={place} class="canvas" aria-hidden="true" />
    </figure>
  );
}

/** A line at which something is held against jumps where it is changed; a slope would be none of its values. */
const { stepped } = uPlot.paths;

type Shown = { readonly current: Omit<PlotProps, 'seconds'> };

function optionsFor(element: HTMLElement, shown: Shown): uPlot.Options {
  const { timed } = shown.current;
  const style = getComputedStyle(element);
  const colour = (name: string): string => style.getPropertyValue(name);
  const font = `11px ${style.fontFamily}`;
  const axis = { stroke: colour('--ink-2'), font, ticks: { show: false } };
  const line = (curve: Curve): uPlot.Series => ({
    label: curve.name,
    stroke: colour(curve.colour),
    width: 1.5,
    points: { show: false },
    ...(curve.dash ? { dash: [5, 4], ...(stepped && { paths: stepped({ align: -1 }) }) } : {}),
    ...(curve.fill ? { fill: colour(curve.fill) } : {}),
  });
  return {
    width: element.clientWidth,
    height: timed ? height + timeHeight : height,
    padding: [8, 12, timed ? 0 : 6, 0],
    legend: { show: false },
    cursor: { sync: { key: 'recloser' }, y: false, drag: { x: false, y: false }, points: { show: true } },
    series: [{}, ...shown.current.chart.curves.map(line)],
    scales: {
      x: { range: () => [shown.current.first, shown.current.last] },
      y: { range: (_plot, _low, high) => [0, Math.max(shown.current.chart.least, (high ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis,
        show: timed,
        grid: { show: false },
        size: timeHeight,
        values: (plot, at) => at.map((second) => (isNearEnd(plot, second) ? '' : clockOf(second))),
      },
      {
        ...axis,
        size: axisWidth,
        grid: { stroke: colour('--line'), width: 1 },
        space: 34,
        values: (_plot, splits) => splits.map((n) => shown.current.chart.words(n)),
      },
    ],
    hooks: {
      draw: [
        ({ ctx, bbox, valToPos }) => {
          const bar = (at: number, name: string, length: number): void => {
            const x = Math.round(valToPos(at / 1_000, 'x', true));
            if (x < bbox.left || x > bbox.left + bbox.width) return;
            ctx.fillStyle = colour(name);
            for (let y = 0; y < bbox.height; y += 2 * length)
              ctx.fillRect(x, bbox.top + y, 2, Math.min(length, bbox.height - y));
          };
          for (const { at } of shown.current.marks) bar(at, '--forced', 4);
          if (shown.current.at !== undefined) bar(shown.current.at, '--ink', bbox.height);
        },
      ],
    },
  };
}

/** Half a label would be cut off. */
const isNearEnd = (plot: uPlot, second: number): boolean =>
  plot.valToPos(second, 'x') > plot.bbox.width / devicePixelRatio - 16;

const clockOf = (second: number): string =>
  new Date(second * 1_000).toLocaleTimeString(undefined, {
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
  });
