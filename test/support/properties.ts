import fc from 'fast-check';

/** Runs a property and says its seed, so that any run can be had again: RECLOSER_SEED=… vitest run <file>. */
export function holds(property: fc.IProperty<unknown[]> | fc.IRawProperty<unknown[]>, numRuns = 200): void {
  const seed = Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  fc.assert(property as fc.IRawProperty<unknown[]>, { seed, numRuns });
}

export async function holdsInTime(property: fc.IAsyncProperty<unknown[]>, numRuns = 200): Promise<void> {
  const seed = Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed}`);
  await fc.assert(property, { seed, numRuns });
}
