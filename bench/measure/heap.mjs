import { turn } from './own.mjs';

const settled = async () => {
  for (let i = 0; i < 4; i++) {
    globalThis.gc();
    await turn();
  }
  const { heapUsed, external } = process.memoryUsage();
  return { heapUsed, external };
};

/**
 * Bytes of one breaker among `count`, all of them alive: `heapUsed` and `external` (which holds ArrayBuffers) after four full
 * collections, less what they were before, the slots of the array that holds them not counted. The figure is that after a
 * first call, for what is made lazily then; `detail` tells that of breakers nobody has called yet.
 */
export async function measureHeap({ make, call, busy }, count) {
  const breakers = new Array(count).fill(undefined);
  // One for the code, the shapes and the shared queues.
  const first = make(-1);
  await call(first);
  await busy?.(first);
  const before = await settled();
  const each = async () => {
    const { heapUsed, external } = await settled();
    return Math.round((heapUsed + external - before.heapUsed - before.external) / count);
  };
  for (let i = 0; i < count; i++) breakers[i] = make(i);
  const beforeFirstCall = await each();
  for (let i = 0; i < count; i++) await call(breakers[i]);
  const value = await each();
  const detail = { beforeFirstCall, count };
  if (busy !== undefined) {
    for (let i = 0; i < count; i++) await busy(breakers[i]);
    detail.afterHundredCalls = await each();
  }
  if (breakers.length !== count || first === undefined) throw new Error('the breakers must stay alive');
  return { value, detail };
}
