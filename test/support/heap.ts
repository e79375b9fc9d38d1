/** The size of the heap after garbage collection. */
export async function settledHeap(): Promise<number> {
  if (globalThis.gc === undefined) throw new Error('needs --expose-gc');
  let least = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 4; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    globalThis.gc();
    least = Math.min(least, process.memoryUsage().heapUsed);
  }
  return least;
}

/**
 * By how many bytes the heap is larger after the work than before; the work is done once beforehand, to warm it up. The least of so
 * many times: a leak grows each time, what V8 compiles beside it does not.
 */
export async function growthOfHeap(work: () => unknown, times = 3): Promise<number> {
  await work();
  const growths: number[] = [];
  for (let i = 0; i < times; i++) {
    const before = await settledHeap();
    await work();
    growths.push((await settledHeap()) - before);
  }
  return Math.min(...growths);
}
