// Draws docs/policies/adaptive-concurrency.svg: the limit of the real policy as it follows the changing capacity of a simulated server.
// In virtual time and with numbers that can be had again, so every run draws the same.
import { writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { adaptiveConcurrency } from 'recloser';
import { manualClock } from 'recloser/testing';
import { chance } from '../test/support/chance.ts';
import { exponential, load, simulatedServer } from '../test/support/server.ts';

export const picture = 'docs/policies/adaptive-concurrency.svg';

const serviceMs = 100;
const phases = [
  { seconds: 40, workers: 40 },
  { seconds: 40, workers: 15 },
  { seconds: 40, workers: 30 },
];
const perSecond = 600;

interface Sample {
  readonly second: number;
  readonly workers: number;
  readonly limit: number;
  readonly latencyMs: number;
}

async function simulate(): Promise<Sample[]> {
  const clock = manualClock();
  const random = chance(42).unit;
  const workload = { workers: 0, serviceMs: () => serviceMs * exponential(random), maxQueue: 1e9 };
  const { call, figures } = simulatedServer(clock, workload);
  const policy = adaptiveConcurrency({ clock });
  const samples: Sample[] = [];
  for (const { seconds, workers } of phases) {
    workload.workers = workers;
    let before = { ...figures };
    await load(
      clock,
      random,
      () => perSecond,
      seconds,
      () => void policy.execute(call).catch(() => {}),
      () => {
        const latencyMs = (figures.latencyMs - before.latencyMs) / (figures.served - before.served);
        before = { ...figures };
        samples.push({ second: samples.length + 1, workers, limit: policy.metrics().limit, latencyMs });
      },
    );
  }
  return samples;
}

const left = 56;
const width = 640;
const height = 170;

interface Line {
  readonly values: readonly number[];
  readonly colour: string;
  readonly steps?: boolean;
}

/** One panel: its title, a scale and lines. */
function draw(top: number, title: string, marks: readonly number[], lines: readonly Line[]): string[] {
  const y = (value: number): string => (top + height * (1 - value / Math.max(...marks))).toFixed(1);
  const grid = marks.map(
    (mark) =>
      `<line x1="${left}" x2="${left + width}" y1="${y(mark)}" y2="${y(mark)}" stroke="#ddd"/>` +
      `<text x="${left - 8}" y="${Number(y(mark)) + 4}" text-anchor="end">${mark}</text>`,
  );
  const paths = lines.map(({ values, colour, steps }) => {
    const points = values.map((value, i) => {
      const x = (left + (width * (i + 1)) / values.length).toFixed(1);
      if (i === 0) return `M${left},${y(value)}H${x}`;
      return steps ? `V${y(value)}H${x}` : `L${x},${y(value)}`;
    });
    return `<path d="${points.join('')}" fill="none" stroke="${colour}" stroke-width="2" stroke-linejoin="round"/>`;
  });
  return [`<text x="${left}" y="${top - 12}" font-weight="600">${title}</text>`, ...grid, ...paths];
}

export async function drawing(): Promise<string> {
  const samples = await simulate();
  const [top, middle, bottom] = [34, 248, 418];
  const seconds = [0, 20, 40, 60, 80, 100, 120].map((second) => {
    const x = left + (width * second) / samples.length;
    return `<text x="${x.toFixed(1)}" y="${bottom + 20}" text-anchor="middle">${second} s</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 450" font-family="system-ui, sans-serif" font-size="13" fill="#333" role="img">`,
    '<title>The limit follows the capacity of a simulated server that drops and comes back; latency stays near what work takes.</title>',
    '<rect width="100%" height="100%" fill="#fff"/>',
    ...draw(
      top,
      'calls at work: what the server can do (grey) and the limit (blue)',
      [0, 20, 40, 60, 80],
      [
        { values: samples.map(({ workers }) => workers), colour: '#888', steps: true },
        { values: samples.map(({ limit }) => limit), colour: '#0a6ebd', steps: true },
      ],
    ),
    ...draw(
      middle,
      'milliseconds a call takes there; 100 without a line',
      [0, 100, 200, 300],
      [{ values: samples.map(({ latencyMs }) => latencyMs), colour: '#c2410c' }],
    ),
    ...seconds,
    '</svg>\n',
  ].join('\n');
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) writeFileSync(picture, await drawing());
