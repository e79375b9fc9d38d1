import { setTimeout as sleep } from 'node:timers/promises';

/** Percent of a core that this process takes while `count` breakers, each called once, have nothing to do. */
export async function measureIdle({ make, call }, count, ms) {
  const breakers = [];
  for (let i = 0; i < count; i++) {
    breakers.push(make(i));
    await call(breakers[i]);
  }
  globalThis.gc();
  await sleep(ms / 3);
  const started = process.hrtime.bigint();
  const before = process.cpuUsage();
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  const wallMicros = Number(process.hrtime.bigint() - started) / 1e3;
  const timers = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
  if (breakers.length !== count) throw new Error('the breakers must stay alive');
  return { value: (100 * (user + system)) / wallMicros, detail: { count, timers } };
}
