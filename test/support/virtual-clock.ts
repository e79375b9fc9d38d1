import type { Clock } from 'recloser';

interface Timer {
  readonly at: number;
  readonly id: number;
  callback: (() => void) | undefined;
}

/** A clock for simulations with very many timers: a heap of them; otherwise as `manualClock`. */
export interface VirtualClock extends Clock {
  /** Runs every timer up to that moment, each at its own time, and lets promises settle in between. */
  runUntil(ms: number): Promise<void>;
}

export function virtualClock(): VirtualClock {
  let now = 0;
  let next = 0;
  const heap: Timer[] = [];
  const before = (a: Timer, b: Timer): boolean => a.at < b.at || (a.at === b.at && a.id < b.id);

  function add(timer: Timer): void {
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const up = (at - 1) >> 1;
      const parent = heap[up] as Timer;
      if (before(parent, timer)) break;
      heap[at] = parent;
      at = up;
    }
    heap[at] = timer;
  }

  function takeFirst(): Timer {
    const first = heap[0] as Timer;
    const last = heap.pop() as Timer;
    if (heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let down = 2 * at + 1;
      if (down >= heap.length) break;
      if (down + 1 < heap.length && before(heap[down + 1] as Timer, heap[down] as Timer)) down++;
      if (!before(heap[down] as Timer, last)) break;
      heap[at] = heap[down] as Timer;
      at = down;
    }
    heap[at] = last;
    return first;
  }

  return {
    now: () => now,
    setTimeout(callback, ms) {
      const timer = { at: now + Math.max(0, ms), id: next++, callback };
      add(timer);
      return timer;
    },
    clearTimeout(handle) {
      (handle as Timer).callback = undefined;
    },
    async runUntil(ms) {
      while (heap.length > 0 && (heap[0] as Timer).at <= ms) {
        const { at, callback } = takeFirst();
        if (callback === undefined) continue;
        now = at;
        callback();
        // Turns of the event loop would be most of a simulation's time.
        for (let i = 0; i < 40; i++) await undefined;
      }
      now = ms;
    },
  };
}
