import { LatencyHistogram } from '../../windows/latency.ts';
import type { HedgeSettings } from './options.ts';

const freshMs = 1_000;

/** How long an attempt is waited for: with `quantile` as long as most calls take, learnt from their first attempts. */
export class Pace {
  readonly #settings: HedgeSettings;
  #latency: LatencyHistogram | undefined = undefined;
  #freshUntil = -Infinity;
  /** In whole milliseconds; `undefined` while nothing is known. */
  delayMs: number | undefined;

  constructor(settings: HedgeSettings) {
    this.#settings = settings;
    this.delayMs = settings.delayMs;
  }

  /**
   * Takes up how long a first attempt took, or had taken when another one answered: without those the slow ones would be missing, and
   * the delay would sink and sink.
   */
  record(ms: number, now: number): void {
    const { quantile, minimumCalls, delayMs = Infinity } = this.#settings;
    if (quantile === undefined) return;
    this.#latency ??= new LatencyHistogram(now);
    this.#latency.record(ms, now);
    if (now < this.#freshUntil) return;
    const read = this.#latency.read(now);
    if (read === undefined || read.count < minimumCalls) this.delayMs = this.#settings.delayMs;
    else {
      this.delayMs = Math.max(1, Math.min(delayMs, Math.ceil(read.percentile(quantile))));
      this.#freshUntil = now + freshMs;
    }
  }
}
