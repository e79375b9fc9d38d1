import { AsyncLocalStorage } from 'node:async_hooks';
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { manualClock } from '../../testing/index.ts';
import { systemClock } from './clock.ts';
import { Deadline, type Deadlines, deadlines } from './timers.ts';

class Entry extends Deadline {
  readonly #due: () => void;

  constructor(due: () => void) {
    super();
    this.#due = due;
  }

  due(): void {
    this.#due();
  }
}

interface World {
  readonly queue: Deadlines;
  now(): number;
  advance(ms: number): Promise<unknown>;
  /** Native timers that wait, once the turn is over. */
  timers(): Promise<number>;
}

/** A clock of the test's own: each deadline has a timer of its own. */
async function onManualClock(durationMs: number): Promise<World> {
  const clock = manualClock();
  return {
    queue: deadlines(clock, durationMs),
    now: clock.now,
    advance: clock.advance,
    timers: async () => clock.pending,
  };
}

/** What the system has is faked before the room is loaded, which then takes it for the system's own: one timer serves all. */
async function onSystemTimers(durationMs: number): Promise<World> {
  vi.useFakeTimers();
  vi.resetModules();
  const [timers, clock] = [await import('./timers.ts'), await import('./clock.ts')];
  expect(clock.nativeTimers()).toBeDefined();
  const start = performance.now();
  return {
    queue: timers.deadlines(clock.systemClock, durationMs),
    now: () => performance.now() - start,
    advance: (ms) => vi.advanceTimersByTimeAsync(ms),
    timers: async () => {
      await vi.advanceTimersByTimeAsync(0);
      return vi.getTimerCount();
    },
  };
}

/** Fake timers that came after the room was loaded. */
async function onFakeTimers(durationMs: number): Promise<World> {
  vi.useFakeTimers();
  const start = performance.now();
  return {
    queue: deadlines(systemClock, durationMs),
    now: () => performance.now() - start,
    advance: (ms) => vi.advanceTimersByTimeAsync(ms),
    timers: async () => vi.getTimerCount(),
  };
}

afterEach(() => {
  vi.restoreAllMocks();

  vi.useRealTimers();
});

async function scene(enter: (durationMs: number) => Promise<World>, durationMs = 100) {
  const world = await enter(durationMs);
  const fired: [name: string, at: number][] = [];
  const add = (name: string): Entry => {
    const entry = new Entry(() => fired.push([name, world.now()]));
    world.queue.add(entry);
    return entry;
  };
  return { ...world, fired, add };
}

describe.each([
  ['a manual clock', onManualClock],
  ['the system’s timers', onSystemTimers],
  ['fake timers', onFakeTimers],
])('on %s', (_where, enter) => {
  test('S21: each deadline is due exactly then, in the order they came', async () => {
    const { advance, fired, add } = await scene(enter);
    add('a');
    add('b');
    await advance(30);
    add('c');
    await advance(99);
    add('d');
    await advance(500);
    expect(fired).toEqual([
      ['a', 100],
      ['b', 100],
      ['c', 130],
      ['d', 229],
    ]);
  });

  test('S4: what is called off, and what was due, leaves no timer', async () => {
    const { queue, advance, timers, add } = await scene(enter);
    const entries = Array.from({ length: 50 }, (_, i) => add(String(i)));
    for (const entry of entries) queue.remove(entry);
    expect(await timers()).toBe(0);
    add('again');
    expect(await timers()).toBe(1);
    await advance(100);
    expect(await timers()).toBe(0);
  });

  test('a removed entry is not due, wherever it stood, and can be added again', async () => {
    const { queue, advance, fired, add } = await scene(enter);
    const entries = ['head', 'middle', 'tail', 'kept'].map(add);
    queue.remove(entries[1] as Entry);
    queue.remove(entries[0] as Entry);
    queue.remove(entries[2] as Entry);
    queue.remove(entries[2] as Entry);
    await advance(50);
    queue.add(entries[1] as Entry);
    await advance(100);
    expect(fired).toEqual([
      ['kept', 100],
      ['middle', 150],
    ]);
  });

  test('an entry stands in its queue until it is due or removed', async () => {
    const { queue, advance, add } = await scene(enter);
    const [due, removed] = [add('due'), add('removed')];
    expect([due.queue, removed.queue]).toEqual([queue, queue]);
    queue.remove(removed);
    await advance(100);
    expect([due.queue, removed.queue]).toEqual([undefined, undefined]);
  });

  test('an entry that is added while others are due has its whole time', async () => {
    const { queue, advance, timers, fired, add } = await scene(enter);
    queue.add(new Entry(() => add('late')));
    add('other');
    await advance(1_000);
    expect(fired).toEqual([
      ['other', 100],
      ['late', 200],
    ]);
    expect(await timers()).toBe(0);
  });

  test('an entry may take others off that are due with it', async () => {
    const { queue, advance, timers, fired, add } = await scene(enter);
    let victim: Entry | undefined;
    queue.add(new Entry(() => queue.remove(victim as Entry)));
    victim = add('victim');
    add('other');
    await advance(100);
    expect(fired).toEqual([['other', 100]]);
    expect(await timers()).toBe(0);
  });

  test('an entry that throws leaves the others their time', async () => {
    const { queue, advance, timers, fired, add } = await scene(enter);
    queue.add(
      new Entry(() => {
        throw new Error('due');
      }),
    );
    add('same time');
    await advance(10);
    add('later');
    await expect(advance(500)).rejects.toThrow('due');
    await advance(500);
    expect(fired.map(([name]) => name)).toEqual(['same time', 'later']);
    expect(await timers()).toBe(0);
  });

  test('any mix of adding, removing and waiting: each is due once, exactly, or was removed', async () => {
    const seed = Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`seed ${seed}`);
    const step = fc.oneof(
      fc.constant('add'),
      fc.nat(9).map((remove) => ({ remove })),
      fc.nat(70).map((wait) => ({ wait })),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const { queue, now, advance, timers, fired, add } = await scene(enter);
        const expected = new Map<string, number>();
        const entries: [string, Entry][] = [];
        for (const [i, taken] of steps.entries()) {
          if (taken === 'add') {
            entries.push([String(i), add(String(i))]);
            expected.set(String(i), now() + 100);
          } else if (typeof taken === 'object' && 'wait' in taken) await advance(taken.wait);
          else if (typeof taken === 'object' && entries.length > 0) {
            const [name, entry] = entries[taken.remove % entries.length] as [string, Entry];
            if (entry.queue !== undefined) expected.delete(name);
            queue.remove(entry);
          }
        }
        await advance(1_000);
        expect(fired).toEqual([...expected]);
        expect(await timers()).toBe(0);
      }),
      { seed, numRuns: 50 },
    );
  });
});

describe('the shared timer of the system', () => {
  test('in one turn it is armed once, however many come and go', async () => {
    const { queue } = await scene(onSystemTimers);
    const armed = vi.spyOn(globalThis, 'setTimeout');
    const visits = vi.spyOn(globalThis, 'setImmediate');
    // The room holds the timers it was loaded with; what counts is what they are asked for.
    const before = vi.getTimerCount();
    for (let i = 0; i < 1_000; i++) {
      const entry = new Entry(() => {});
      queue.add(entry);
      queue.remove(entry);
    }
    expect(vi.getTimerCount() - before).toBeLessThanOrEqual(2);
    expect(armed.mock.calls.length + visits.mock.calls.length).toBeLessThanOrEqual(2);
  });

  test('many deadlines share one native timer', async () => {
    const { add, timers } = await scene(onSystemTimers);
    for (let i = 0; i < 100; i++) add(String(i));
    expect(await timers()).toBe(1);
  });

  test('S21: fractions of a millisecond are rounded up: never early', async () => {
    const { advance, fired, add } = await scene(onSystemTimers, 10.2);
    add('a');
    await advance(10);
    expect(fired).toEqual([]);
    await advance(1);
    expect(fired.map(([name]) => name)).toEqual(['a']);
  });

  test('S21: it holds no call’s async context', async () => {
    const store = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const queue = deadlines(systemClock, 5);
    await new Promise<void>((resolve) => {
      store.run('of the first call', () => queue.add(new Entry(() => seen.push(store.getStore()))));
      queue.add(
        new Entry(() => {
          seen.push(store.getStore());
          resolve();
        }),
      );
    });
    expect(seen).toEqual([undefined, undefined]);
  });

  test('S21: real timers are never early', async () => {
    const queue = deadlines(systemClock, 12.5);
    const early: number[] = [];
    const waits = Array.from({ length: 30 }, async (_, i) => {
      await new Promise((resolve) => setTimeout(resolve, i % 7));
      const started = performance.now();
      await new Promise<void>((resolve) => queue.add(new Entry(resolve)));
      const took = performance.now() - started;
      if (took < 12.5) early.push(took);
    });
    await Promise.all(waits);
    expect(early).toEqual([]);
  });
});
