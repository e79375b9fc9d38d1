import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';
import type { ProcessFigures } from '../protocol/messages.ts';

const resolutionMs = 20;

/** Measures the process that the breakers live in. Each reading begins a new second. */
export class ProcessMeter {
  readonly #loop: ReturnType<typeof monitorEventLoopDelay> = monitorEventLoopDelay({ resolution: resolutionMs });
  readonly #collections: PerformanceObserver;
  #collectedMs = 0;
  #cpu: NodeJS.CpuUsage = process.cpuUsage();
  #at: number = performance.now();

  constructor() {
    this.#loop.enable();
    this.#collections = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) this.#collectedMs += duration;
    });
    this.#collections.observe({ entryTypes: ['gc'] });
  }

  read(): ProcessFigures {
    const now = performance.now();
    const elapsedMs = Math.max(1, now - this.#at);
    const { user, system } = process.cpuUsage(this.#cpu);
    // The monitor's timer counts its own interval in.
    const p99Ms = this.#loop.count === 0 ? 0 : this.#loop.percentile(99) / 1e6 - resolutionMs;
    const figures = {
      loopDelayMs: Math.max(0, Math.round(p99Ms * 10) / 10),
      cpu: Math.round((user + system) / elapsedMs / 10) / 100,
      gc: Math.round((this.#collectedMs / elapsedMs) * 1_000) / 1_000,
      heapMb: Math.round(process.memoryUsage().heapUsed / 1e6),
    };
    this.#loop.reset();
    this.#collectedMs = 0;
    this.#cpu = process.cpuUsage();
    this.#at = now;
    return figures;
  }

  close(): void {
    this.#loop.disable();
    this.#collections.disconnect();
  }
}
