const limit = ({ against, most }) => `≤ ${most}${against === undefined ? '' : ` × ${against}`}`;
const verdicts = (limits) => limits.map((l) => `${limit(l)}: ${l.figure}, ${l.met ? 'met' : 'MISSED'}`).join('; ');
const ratio = (number) => (number === undefined ? '' : number.toFixed(number < 0.1 ? 3 : 2));

function lines(rows, columns) {
  const cells = [columns.map(([head]) => head), ...rows.map((row) => columns.map(([, of]) => String(of(row) ?? '')))];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i].length)));
  const text = cells.map((line) =>
    line.map((cell, i) => (i < 1 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
  return text.map((line) => `  ${line}`.trimEnd());
}

/** The run as people read it. */
export function report({ node, machine, date, paths, rivals, met }) {
  const out = [`Node ${node}, ${machine.cpu} (${machine.cores} cores, ${machine.memoryGb} GB), ${date}`];
  out.push(
    Object.entries(rivals)
      .map(([name, version]) => `${name} ${version}`)
      .join(', '),
    '',
  );
  for (const { title, unit, scale, rows } of paths) {
    out.push(`${title} (${unit} ${scale})`.replace(' )', ')'));
    out.push(
      ...lines(rows, [
        ['', (row) => row.subject],
        ['median', (row) => row.median],
        ['lowest', (row) => row.lowest],
        ['highest', (row) => row.highest],
        ['× bare', (row) => ratio(row.ratios.bare)],
        ['× opossum', (row) => ratio(row.ratios.opossum)],
        ['× cockatiel', (row) => ratio(row.ratios.cockatiel)],
      ]),
    );
    for (const row of rows) {
      const detail = Object.entries(row.detail).map(([name, value]) => `${name} ${value}`);
      if (detail.length > 0) out.push(`  ${row.subject}: ${detail.join(', ')}`);
      if (row.bars.length > 0) out.push(`  bar ${verdicts(row.bars)}`);
      if (row.aims.length > 0) out.push(`  aim ${verdicts(row.aims)}`);
    }
    out.push('');
  }
  out.push(met ? 'every bar is met' : 'a bar is MISSED');
  return out.join('\n');
}
