/** Without a finite `y` there is nothing to draw. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Line {
  readonly name: string;
  /** Which of the colours and shapes; its place in the panel unless said. */
  readonly look?: number;
  readonly points: readonly Point[];
}

export interface Panel {
  readonly title: string;
  readonly yLabel: string;
  readonly from: number;
  readonly to: number;
  readonly lines: readonly Line[];
  /** What the lines are held against: dashed, with its name at the right end. */
  readonly guides?: readonly Line[];
}

/** Told apart on white and on black, and by the colour-blind (after Okabe and Ito); shapes tell them apart in print. */
const colours = ['#0a84d6', '#d55e00', '#00946b', '#b8679a', '#9a8500'];
const shapes = [
  (x: number, y: number) => `<circle cx="${x}" cy="${y}" r="4"/>`,
  (x: number, y: number) => `<rect x="${x - 3.5}" y="${y - 3.5}" width="7" height="7"/>`,
  (x: number, y: number) => `<path d="M${x} ${y - 4.5}l4.5 8h-9z"/>`,
  (x: number, y: number) => `<path d="M${x} ${y + 4.5}l4.5 -8h-9z"/>`,
  (x: number, y: number) => `<path d="M${x} ${y - 5}l5 5l-5 5l-5 -5z"/>`,
] as const;

const plot = { width: 300, height: 220, left: 66, top: 62, right: 24 };
const panelWidth = plot.left + plot.width + plot.right;

const style = `text{font:12px system-ui,sans-serif;fill:#333}.title{font-weight:600}.grid{stroke:#8884;stroke-width:1}.axis{stroke:#888}.line{fill:none;stroke-width:2}.guide{fill:none;stroke:#888;stroke-dasharray:4 4}.said{font-size:11px}
@media(prefers-color-scheme:dark){text{fill:#ddd}}`;

const text = (x: number, y: number, words: string, anchor = 'start', more = ''): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}"${more}>${words.replaceAll('&', '&amp;').replaceAll('<', '&lt;')}</text>`;

const decades = (from: number, to: number): number[] => {
  const list: number[] = [];
  for (let exponent = Math.ceil(Math.log10(from) - 1e-9); 10 ** exponent <= to * 1.001; exponent++) list.push(exponent);
  return list;
};

const tick = (exponent: number): string =>
  exponent >= 0 ? (10 ** exponent).toLocaleString('en') : (10 ** exponent).toFixed(-exponent);

/** Panels beside one another over the calls a second, everything on logarithmic axes, as SVG for light and dark pages. */
export function chart(title: string, panels: readonly Panel[], xs: readonly number[], note: string): string {
  const width = panelWidth * panels.length;
  const names = panels[0]?.lines.map(({ name }) => name) ?? [];
  const height = plot.top + plot.height + 78;
  const [first = 1, last = 1] = [xs[0], xs.at(-1)];
  const body = panels.map((panel, p) => {
    const left = p * panelWidth + plot.left;
    const bottom = plot.top + plot.height;
    const across = (x: number) => Math.round(left + (plot.width * Math.log10(x / first)) / Math.log10(last / first));
    const up = (y: number) =>
      Math.round(bottom - (plot.height * Math.log10(y / panel.from)) / Math.log10(panel.to / panel.from));
    const grid = decades(panel.from, panel.to).map((exponent) => {
      const y = up(10 ** exponent);
      return `<path class="grid" d="M${left} ${y}h${plot.width}"/>${text(left - 8, y + 4, tick(exponent), 'end')}`;
    });
    const below = xs.map((x) => text(across(x), bottom + 18, x.toLocaleString('en'), 'middle'));
    const lines = panel.lines.map(({ points, look }, i) => {
      const colour = colours[(look ?? i) % colours.length] as string;
      const known = points.filter(({ y }) => Number.isFinite(y));
      const path = known.map(({ x, y }, n) => `${n === 0 ? 'M' : 'L'}${across(x)} ${up(y)}`).join('');
      const marks = known.map(({ x, y }) => shapes[(look ?? i) % shapes.length]?.(across(x), up(y)));
      return `<path class="line" stroke="${colour}" d="${path}"/><g fill="${colour}">${marks.join('')}</g>`;
    });
    lines.reverse(); // the first one on top
    const guides = (panel.guides ?? []).map(({ name, points }) => {
      const path = points.map(({ x, y }, n) => `${n === 0 ? 'M' : 'L'}${across(x)} ${up(y)}`).join('');
      const { x, y } = points.at(-1) ?? { x: last, y: panel.from };
      return `<path class="guide" d="${path}"/>${text(across(x) - 4, up(y) - 5, name, 'end', ' class="said"')}`;
    });
    return [
      text(left, plot.top - 12, panel.title, 'start', ' class="title"'),
      ...grid,
      `<path class="axis" fill="none" d="M${left} ${plot.top}v${plot.height}h${plot.width}"/>`,
      ...below,
      text(left + plot.width / 2, bottom + 36, 'calls a second', 'middle'),
      text(
        left - 52,
        plot.top + plot.height / 2,
        panel.yLabel,
        'middle',
        ` transform="rotate(-90 ${left - 52} ${plot.top + plot.height / 2})"`,
      ),
      ...guides,
      ...lines,
    ].join('\n');
  });
  let x = plot.left;
  const legend = names.map((name, i) => {
    const at = x;
    x += 28 + name.length * 6.4;
    return `<g fill="${colours[i % colours.length]}">${shapes[i % shapes.length]?.(at + 4, 18)}</g>${text(at + 14, 22, name)}`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${Math.max(width, Math.ceil(x))} ${height}" role="img">
<title>${title}</title>
<style>${style}</style>
${legend.join('\n')}
${body.join('\n')}
${text(plot.left, height - 14, note)}
</svg>
`;
}
