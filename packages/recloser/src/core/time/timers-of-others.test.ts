import { afterEach, describe, expect, test, vi } from 'vitest';
import { manualClock } from '../../testing/index.ts';
import { type Clock, systemClock } from './clock.ts';
import { Deadline, deadlines } from './timers.ts';

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

afterEach(() => {
  vi.restoreAllMocks();
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

describe('timers of others', () => {
  test('S19: a queue is no longer current once fake timers came, and is again when they are gone', () => {
    const before = deadlines(systemClock, 123);
    expect(before.current).toBe(true);
    vi.useFakeTimers();
    expect(before.current).toBe(false);
    expect(deadlines(systemClock, 123)).not.toBe(before);
    vi.useRealTimers();
    expect(before.current).toBe(true);
    expect(deadlines(systemClock, 123)).toBe(before);
  });

  test.each([
    ['on an injected clock', () => manualClock()],
    ['under fake timers', () => systemClock],
    [
      'where turns have no end',
      async () => {
        vi.stubGlobal('setImmediate', undefined);
        vi.resetModules();
        return (await import('./clock.ts')).systemClock;
      },
    ],
  ])('each deadline has a timer of its own %s: a queue is used once', async (where, enter) => {
    vi.useFakeTimers();
    const clock = await enter();
    const room = where.startsWith('where') ? await import('./timers.ts') : { deadlines };
    const queue = room.deadlines(clock, 123);
    expect(queue.current).toBe(false);
    expect(room.deadlines(clock, 123)).not.toBe(queue);
  });

  test('S19: fake timers that leave `performance` as it is tell their time by `Date`, as those of `node:test`', () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'Date'] });
    const before = systemClock.now();
    vi.advanceTimersByTime(1_234);
    expect(systemClock.now() - before).toBe(1_234);
  });

  test.each([
    ['all is faked', {}],
    ['`Date` stands for today', { toFake: ['setTimeout', 'Date'] }],
    ['`Date` stands for 1970', { toFake: ['setTimeout', 'Date'], now: 0 }],
    ['`Date` is between', { toFake: ['setTimeout', 'Date'], now: Date.now() / 2 }],
  ] satisfies [string, Parameters<typeof vi.useFakeTimers>[0]][])(
    'S19: time goes on where it stood when fake timers come, and when they go, those of the next test too: %s',
    (_, given) => {
      let last = systemClock.now();
      const goesOn = () => {
        const now = systemClock.now();
        expect(now).toBeGreaterThanOrEqual(last);
        expect(now - last).toBeLessThan(60_000);
        last = now;
      };
      for (let round = 0; round < 3; round++) {
        vi.useFakeTimers(given);
        goesOn();
        vi.advanceTimersByTime(3_600_000);
        expect(systemClock.now()).toBe(last + 3_600_000);
        last += 3_600_000;
        vi.clearAllTimers(); // which begins their time anew
        goesOn();
        vi.useRealTimers();
        goesOn();
      }
    },
  );

  test('S19: … of those as well that stand in for `now` of the system’s `performance` itself, as sinon’s do', () => {
    const own = performance;
    const before = systemClock.now();
    vi.useFakeTimers();
    vi.spyOn(own, 'now').mockImplementation(() => performance.now());
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
  });

  test('S19: where `setTimeout` is wrapped, as error reporters and tracers do, steps of the wall clock still change nothing', () => {
    const set = setTimeout;
    vi.stubGlobal('setTimeout', (...args: Parameters<typeof set>) => set(...args));
    const before = systemClock.now();
    for (const stepMs of [-3_600_000, 3_600_000]) {
      vi.spyOn(Date, 'now').mockReturnValue(Date.now() + stepMs);
      const passedMs = systemClock.now() - before;
      expect(passedMs).toBeGreaterThanOrEqual(0);
      expect(passedMs).toBeLessThan(60_000);
    }
  });

  test('S19: a `Date` that is faked alone stops no clock', () => {
    const before = systemClock.now();
    vi.useFakeTimers({ toFake: ['Date'], now: 0 });
    expect(systemClock.now()).toBeGreaterThanOrEqual(before);
    vi.setSystemTime(3_600_000);
    expect(systemClock.now() - before).toBeLessThan(60_000);
  });

  test('S19: what is armed in one world is called off in it', async () => {
    const queue = deadlines(systemClock, 60_000);
    const entry = new Entry(() => {});
    queue.add(entry);
    vi.useFakeTimers();
    const faked = vi.spyOn(globalThis, 'clearTimeout');
    queue.remove(entry);
    vi.useRealTimers();
    await new Promise((resolve) => setImmediate(resolve));
    expect(faked).not.toHaveBeenCalled();
  });

  test('runtimes whose timers look at `this` find none', async () => {
    const real = globalThis.setTimeout;
    const strict = function (this: unknown, ...args: Parameters<typeof setTimeout>) {
      if (this !== undefined) throw new TypeError('Illegal invocation');
      return real(...args);
    };
    vi.stubGlobal('setTimeout', strict);
    try {
      for (const immediate of [globalThis.setImmediate, undefined]) {
        vi.stubGlobal('setImmediate', immediate);
        vi.resetModules();
        const { systemClock: clock } = await import('./clock.ts');
        const room = await import('./timers.ts');
        await new Promise<void>((resolve) => room.deadlines(clock, 1).add(new Entry(resolve)));
      }
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test('S19: a timer that is advanced by hand, while the clock stands, is right', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const fired: string[] = [];
    deadlines(systemClock, 60_000).add(new Entry(() => fired.push('a')));
    await vi.advanceTimersByTimeAsync(60_000);
    expect(fired).toEqual(['a']);
  });

  test('S21: an injected clock’s timer is trusted', () => {
    let fire = (): void => {};
    const clock: Clock = {
      now: () => 0,
      setTimeout(callback) {
        fire = callback;
        return 1;
      },
      clearTimeout: () => {},
    };
    const fired: string[] = [];
    deadlines(clock, 100).add(new Entry(() => fired.push('a')));
    fire();
    fire();
    expect(fired).toEqual(['a']);
  });

  test('S4: keepAlive false lets the process end, true holds it', () => {
    const handles: { hasRef(): boolean }[] = [];
    const clock: Clock = {
      ...systemClock,
      setTimeout(callback, ms) {
        const handle = setTimeout(callback, ms);
        handles.push(handle);
        return handle;
      },
    };
    const queues = [true, false].map((keepAlive) => deadlines(clock, 10_000, keepAlive));
    const entries = queues.map((queue) => {
      const entry = new Entry(() => {});
      queue.add(entry);
      return entry;
    });
    expect(handles.map((handle) => handle.hasRef())).toEqual([true, false]);
    for (const [i, queue] of queues.entries()) queue.remove(entries[i] as Entry);
  });
});

describe('sharing', () => {
  test('deadlines are shared by duration and whether they hold the process', () => {
    const of = (ms: number, keepAlive?: boolean) => deadlines(systemClock, ms, keepAlive);
    expect(of(5)).toBe(of(5));
    expect(of(5)).not.toBe(of(6));
    expect(of(5, false)).toBe(of(5, false));
    expect(of(5, false)).not.toBe(of(5, true));
    expect(of(5).durationMs).toBe(5);
  });

  test('S29: a thousand durations are kept at most; whoever holds one keeps it', async () => {
    vi.useFakeTimers();
    vi.resetModules();
    const room = await import('./timers.ts');
    const clock = (await import('./clock.ts')).systemClock;
    const held = room.deadlines(clock, 1);
    expect(room.deadlines(clock, 1)).toBe(held);
    const fired: string[] = [];
    held.add(new Entry(() => fired.push('held')));
    for (let ms = 2; ms < 2_000; ms++) room.deadlines(clock, ms);
    expect(room.deadlines(clock, 1)).not.toBe(held);
    await vi.advanceTimersByTimeAsync(1);
    expect(fired).toEqual(['held']);
  });
});
