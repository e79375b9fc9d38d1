/** What is kept of each second. */
export const fields = ['ok', 'failed', 'refused', 'value', 'threshold', 'p50', 'p95'] as const;

export type Point = Readonly<Record<(typeof fields)[number], number>>;

const secondsPerBlock = 60;
const blockLength = secondsPerBlock * fields.length;
const blocksPerSlab = 256;
/** The bookkeeping of a block, roughly, besides its figures. */
const overheadBytes = 64;
const blockBytes = blockLength * 4 + overheadBytes;
const slabBytes = blocksPerSlab * blockBytes;

/** How far back series go, in seconds. */
export const keptSeconds = 900;

interface Held {
  readonly minute: number;
  readonly block: number;
}

/** The series of one breaker: minutes of one store. */
export class Series {
  held: Held[] = [];
}

/**
 * Figures by the second, all breakers in one pool of minutes. Minutes in which nothing happened take no place. When the pool
 * is full the oldest minute of all gives way: with more busy breakers than it was made for, history gets shorter, not memory
 * larger.
 */
export class SeriesStore {
  readonly #slabs: Float32Array[] = [];
  readonly #owners: (Series | undefined)[] = [];
  readonly #capacity: number;
  #next = 0;

  constructor(maxBytes: number) {
    this.#capacity = Math.max(1, Math.floor(maxBytes / slabBytes)) * blocksPerSlab;
  }

  /** What the figures take now; at most `maxBytes`, or one slab if that is less. */
  get bytes(): number {
    return this.#slabs.length * slabBytes;
  }

  write(series: Series, second: number, point: Point): void {
    const minute = Math.floor(second / secondsPerBlock);
    const last = series.held.at(-1);
    const block = last?.minute === minute ? last.block : this.#take(series, minute);
    const figures = this.#figures(block);
    const at = second % secondsPerBlock;
    for (const [i, field] of fields.entries()) figures[i * secondsPerBlock + at] = point[field];
  }

  /** Whether a minute has been begun, so that its quiet seconds are written too. */
  has(series: Series, second: number): boolean {
    return series.held.at(-1)?.minute === Math.floor(second / secondsPerBlock);
  }

  /** The values of one field from one second up to, not including, another; NaN where there are none. */
  read(series: Series, field: keyof Point, from: number, to: number): Float32Array {
    const values = new Float32Array(Math.max(0, to - from)).fill(Number.NaN);
    const row = fields.indexOf(field) * secondsPerBlock;
    for (const { minute, block } of series.held) {
      const start = minute * secondsPerBlock;
      const figures = this.#figures(block);
      for (let second = Math.max(from, start); second < Math.min(to, start + secondsPerBlock); second++) {
        values[second - from] = figures[row + second - start] as number;
      }
    }
    return values;
  }

  /** Gives back the minutes of a breaker that is gone; they are reused in their turn. */
  release(series: Series): void {
    for (const { block } of series.held) this.#owners[block] = undefined;
    series.held = [];
  }

  #take(series: Series, minute: number): number {
    const block = this.#next;
    this.#next = (block + 1) % this.#capacity;
    // Blocks are taken in the order of time, so the one whose turn it is is the oldest.
    const owner = this.#owners[block];
    if (owner !== undefined) owner.held = owner.held.filter((held) => held.block !== block);
    this.#owners[block] = series;
    const oldest = minute - keptSeconds / secondsPerBlock;
    if (series.held.some((held) => held.minute < oldest)) {
      for (const held of series.held) if (held.minute < oldest) this.#owners[held.block] = undefined;
      series.held = series.held.filter((held) => held.minute >= oldest);
    }
    series.held.push({ minute, block });
    this.#figures(block).fill(Number.NaN);
    return block;
  }

  #figures(block: number): Float32Array {
    const slab = Math.floor(block / blocksPerSlab);
    this.#slabs[slab] ??= new Float32Array(blocksPerSlab * blockLength);
    const from = (block % blocksPerSlab) * blockLength;
    return this.#slabs[slab].subarray(from, from + blockLength);
  }
}
