import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Fidelity } from './messages.ts';

/** Measures how far the replay is from the recording. */
export class FidelityMeter {
  readonly #late = createHistogram();
  readonly #added = createHistogram();

  /** In the recording's milliseconds. */
  left(lateMs: number): void {
    this.#late.record(microseconds(lateMs));
  }

  answered(addedMs: number): void {
    this.#added.record(microseconds(addedMs));
  }

  result(): Pick<Fidelity, 'lateMs' | 'addedMs'> {
    const p99 = (histogram: RecordableHistogram) => (histogram.count === 0 ? 0 : histogram.percentile(99) / 1000);
    return { lateMs: p99(this.#late), addedMs: p99(this.#added) };
  }
}

/** Histograms take integers from 1 on. */
const microseconds = (ms: number): number => Math.max(1, Math.round(ms * 1000) || 1);
