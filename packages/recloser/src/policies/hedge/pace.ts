import { LatencyHistogram } from '../../windows/latency.ts';
import type { HedgeSettings } from './options.ts';

const freshMs = 1_000;

/** How long an attempt is waited for: as long as most calls take, learnt from their first attempts. */
export class Pace {
  readonly #settings: HedgeSettings;
  readonly #quantile: number;
  #latency: LatencyHistogram | undefined = undefined;
  #freshUntil = -Infinity;
  /** In whole milliseconds; `undefined` while nothing is known. */
  delayMs: number | undefined;

  constructor(settings: HedgeSettings, quantile: number) {
    this.#settings = settings;
    this.#quantile = quantile;
    this.delayMs = settings.delayMs;
  }

  /**
   * Takes up how long a first attempt took, or had taken when another one answered: without those the slow ones would be missing, and
   * the delay would sink and sink.
   */
  record(ms: number, now: number): void {
    this.#latency ??= new LatencyHistogram(now);
    this.#latency.record(ms, now);
    if (now < this.#freshUntil) return;
    const { minimumCalls, delayMs = Infinity } = this.#settings;
    const read = this.#latency.read(now);
    if (read === undefined || read.count < minimumCalls) this.delayMs = this.#settings.delayMs;
    else {
      this.delayMs = Math.max(1, Math.min(delayMs, Math.ceil(read.percentile(this.#quantile))));
      this.#freshUntil = now + freshMs;
    }
  }
}
