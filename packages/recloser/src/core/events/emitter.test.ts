import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { Emitter, type ListenerErrorHandler, report as tell } from './emitter.ts';

interface Events {
  one: number;
  two: string;
}

const emitter = () => new Emitter<Events>(() => {});

afterEach(() => {
  vi.restoreAllMocks();
});

describe('Emitter', () => {
  test('tells the listeners of an event, and only them', () => {
    const seen: unknown[] = [];
    const events = emitter();
    events.on('one', (payload) => seen.push(payload));
    events.emit('two', 'nobody');
    events.emit('one', 1);
    expect(seen).toEqual([1]);
  });

  test('one that is taken off hears no more, the same one added twice goes on', () => {
    const events = emitter();
    const listener = vi.fn();
    const [off] = [events.on('one', listener), events.on('one', listener)];
    off?.();
    off?.();
    events.emit('one', 1);
    expect(listener).toHaveBeenCalledTimes(1);
  });

  test('an event is told to those who listened when it happened, also to one that is taken off meanwhile', () => {
    const events = emitter();
    const seen: string[] = [];
    events.on('one', () => off());
    const off = events.on('one', () => seen.push('late'));
    events.emit('one', 1);
    events.emit('one', 2);
    expect(seen).toEqual(['late']);
  });

  test('listeners that come during an event hear the next one', () => {
    const events = emitter();
    const seen: string[] = [];
    events.on('one', () => {
      events.on('one', () => seen.push('new'));
      seen.push('old');
    });
    events.emit('one', 1);
    expect(seen).toEqual(['old']);
    events.emit('one', 2);
    expect(seen).toEqual(['old', 'old', 'new']);
  });

  test('an event that a listener causes waits until the running one is told to all', () => {
    const events = emitter();
    const seen: string[] = [];
    events.on('one', (n) => {
      seen.push(`a${n}`);
      if (n < 3) events.emit('one', n + 1);
    });
    events.on('one', (n) => seen.push(`b${n}`));
    events.emit('one', 1);
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3']);
    events.emit('one', 3);
    expect(seen).toEqual(['a1', 'b1', 'a2', 'b2', 'a3', 'b3', 'a3', 'b3']);
  });

  test('clear takes all off', () => {
    const events = emitter();
    const listener = vi.fn();
    events.on('one', listener);
    events.clear();
    events.emit('one', 1);
    expect(listener).not.toHaveBeenCalled();
  });

  test('reports what listeners throw or reject with, under the event’s name', async () => {
    const report = vi.fn();
    const events = new Emitter<Events>(report);
    const [thrown, rejected] = [new Error('thrown'), new Error('rejected')];
    events.on('one', () => {
      throw thrown;
    });
    events.on('two', async () => Promise.reject(rejected));
    events.emit('one', 1);
    events.emit('two', 'x');
    await new Promise((resolve) => setImmediate(resolve));
    expect(report.mock.calls).toEqual([
      [thrown, 'one'],
      [rejected, 'two'],
    ]);
  });
});

/** A turn of the event loop: by then the runtime has told what nobody handles. */
async function unhandled(cause: () => void): Promise<unknown[]> {
  const seen: unknown[] = [];
  const see = (fault: unknown) => seen.push(fault);
  const others = process.rawListeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection').on('unhandledRejection', see);
  cause();
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', see);
  for (const other of others) process.on('unhandledRejection', other as () => void);
  return seen;
}

const having = (then: PropertyDescriptor): object => Object.defineProperty({}, 'then', then);

describe('a promise of a listener’s that is of somebody else', () => {
  const fault = new Error('of the listener');
  const broken = (): never => {
    throw fault;
  };
  const foreign = runInNewContext('async (fault) => { throw fault; }') as (fault: unknown) => unknown;

  test.each<[string, () => unknown]>([
    ['another realm', () => foreign(fault)],
    ['a library', () => having({ value: (_: unknown, reject: (fault: unknown) => void) => reject(fault) })],
    ['a library that throws', () => having({ value: broken })],
    ['whoever throws when asked', () => having({ get: broken })],
  ])('is heard of: %s', async (_, answer) => {
    const report = vi.fn();
    const events = new Emitter<Events>(report);
    events.on('one', answer);
    expect(await unhandled(() => events.emit('one', 1))).toEqual([]);
    expect(report.mock.calls).toEqual([[fault, 'one']]);
  });

  test.each([undefined, null, 0, '', {}, having({ value: 1 })])(
    'whatever else it answers is left alone: %o',
    async (answer) => {
      const report = vi.fn();
      const events = new Emitter<Events>(report);
      events.on('one', () => answer);
      expect(await unhandled(() => events.emit('one', 1))).toEqual([]);
      expect(report).not.toHaveBeenCalled();
    },
  );

  test('a handler that rejects has nobody left to tell', async () => {
    for (const handler of [() => foreign(fault), async () => broken()]) {
      const report = reporter('payments', handler as ListenerErrorHandler);
      expect(await unhandled(() => report('a', 'opened'))).toEqual([]);
    }
  });
});

const reporter = (name: string, onListenerError: ListenerErrorHandler | undefined) => {
  const policy = { name, onListenerError };
  return (...told: [unknown, string]): void => tell(policy, ...told);
};

describe('reporter', () => {
  test('hands on each fault to the given handler', () => {
    const handler = vi.fn();
    const report = reporter('payments', handler);
    report('a', 'opened');
    report('b', 'closed');
    expect(handler.mock.calls).toEqual([
      ['a', 'opened'],
      ['b', 'closed'],
    ]);
  });

  test('prints the first without one, with policy and event, and is silent then', () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {});
    const report = reporter('payments', undefined);
    const fault = new Error('x');
    report(fault, 'opened');
    report(fault, 'closed');
    expect(print).toHaveBeenCalledOnce();
    expect(print.mock.calls[0]?.[0]).toMatch(/payments.*opened/);
    expect(print.mock.calls[0]?.[1]).toBe(fault);
  });

  test('never throws', () => {
    const report = reporter('payments', () => {
      throw new Error('handler');
    });
    expect(() => report('a', 'opened')).not.toThrow();
    vi.spyOn(console, 'error').mockImplementation(() => {
      throw new Error('console');
    });
    expect(() => reporter('payments', undefined)('a', 'opened')).not.toThrow();
  });
});
