import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { median } from './measure/rounds.mjs';

const worker = fileURLToPath(new URL('worker.mjs', import.meta.url));

function runWorker(task, build) {
  const env = build === undefined ? process.env : { ...process.env, RECLOSER_BUILD: build };
  const child = spawn(process.execPath, ['--expose-gc', worker, JSON.stringify(task)], {
    env,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => {
    output += chunk;
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      if (code === 0) resolve(JSON.parse(output));
      else reject(new Error(`${task.path}: the process that measured it ended with ${code}`));
    });
  });
}

/** What one process says of one path: the figure of each subject. */
async function measureOnce({ id, apart }, how) {
  if (apart === undefined) return runWorker({ path: id, ...how }, how.build);
  const results = {};
  for (const subject of apart) {
    Object.assign(results, await runWorker({ path: id, subject, ...how }, how.build));
  }
  if (id !== 'idle') return results;
  // What a process without any breaker takes is not theirs.
  const { bare, ...rest } = results;
  for (const result of Object.values(rest)) result.value = Math.max(0, result.value - bare.value);
  return rest;
}

const rounded = (number) => (number >= 100 ? Math.round(number) : Number(number.toPrecision(4)));

/** Medians over processes, of the figures and of the ratios within each process. */
export async function measurePath(path, how, tell) {
  const runs = [];
  const processes = (path.silent ?? 1) * how.processes;
  for (let i = 1; i <= processes; i++) {
    tell(`${path.id}: process ${i} of ${processes}`);
    runs.push(await measureOnce(path, how));
  }
  const names = Object.keys(runs[0]);
  return names.map((subject) => {
    const over = (pick) => rounded(median(runs.map(pick)));
    const values = runs.map((run) => run[subject].value);
    const ratios = {};
    for (const other of names) {
      if (other !== subject && median(runs.map((run) => run[other].value)) > 0) {
        ratios[other] = over((run) => run[subject].value / run[other].value);
      }
    }
    const judged = (limits) =>
      limits.map(({ against, most }) => {
        const figure = against === undefined ? rounded(median(values)) : ratios[against];
        return { ...(against === undefined ? {} : { against }), most, figure, met: figure <= most };
      });
    const ours = subject === 'recloser';
    return {
      path: path.id,
      title: path.title,
      subject,
      unit: path.unit,
      scale: path.scale,
      median: rounded(median(values)),
      lowest: rounded(Math.min(...values)),
      highest: rounded(Math.max(...values)),
      ratios,
      bars: ours ? judged(path.bars) : [],
      aims: ours ? judged(path.aims) : [],
      detail: runs.at(-1)[subject].detail,
    };
  });
}
