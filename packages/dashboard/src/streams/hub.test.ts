import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { Hub } from './hub.ts';
import type { Sink } from './sink.ts';

class Reader implements Sink {
  text = '';
  buffered = 0;
  stalled = false;
  closed: 'no' | 'ended' | 'cut' = 'no';
  #onClose: (() => void)[] = [];

  write(chunk: Uint8Array): void {
    this.text += new TextDecoder().decode(chunk);
    if (this.stalled) this.buffered += chunk.length;
  }

  close(abruptly?: boolean): void {
    this.closed = abruptly ? 'cut' : 'ended';
    for (const callback of this.#onClose) callback();
  }

  onClose(callback: () => void): void {
    this.#onClose.push(callback);
  }

  get events(): string[] {
    return [...this.text.matchAll(/^event: (.*)$/gm)].map(([, event]) => event as string);
  }

  get lastId(): string {
    return [...this.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] as string;
  }
}

function setUp(maxStreams = 10) {
  const clock = manualClock();
  let snapshots = 0;
  const hub = new Hub({ clock, maxStreams, snapshot: () => ({ taken: ++snapshots }) });
  const open = (lastEventId?: string, reader = new Reader()) => {
    hub.open(reader, lastEventId);
    return reader;
  };
  return { clock, hub, open, taken: () => snapshots };
}

test('a reader begins with a snapshot and gets what follows, each once and in order', () => {
  const { hub, open } = setUp();
  hub.publish('change', 0);
  const reader = open();
  hub.publish('change', { n: 1 });
  hub.publish('change', { n: 2 });
  expect(reader.events).toEqual(['snapshot', 'change', 'change']);
  expect(reader.text).toContain('data: {"n":1}\n\n');
  expect(reader.text.startsWith('retry: 1000\n\n')).toBe(true);
});

test('a hundred readers at once cost one snapshot; what came since follows it', async () => {
  const { hub, open, taken } = setUp(200);
  open();
  hub.publish('change', 'since');
  const readers = Array.from({ length: 100 }, () => open());
  expect(taken()).toBe(1);
  for (const { events } of readers) expect(events).toEqual(['snapshot', 'change']);
});

test('whoever comes back with an id gets what was missed, and nothing twice', () => {
  const { hub, open } = setUp();
  const reader = open();
  hub.publish('change', 'seen');
  const { lastId } = reader;
  reader.close();
  hub.publish('change', 'missed');
  const again = open(lastId);
  expect(again.events).toEqual(['change']);
  expect(again.text).toContain('missed');
});

test.each(['', 'nonsense', '12345678-1', '../../x', 'x'.repeat(10_000), '-1'])(
  'the id %j of nobody is no id: a snapshot',
  (id) => {
    const { hub, open } = setUp();
    hub.publish('change', 1);
    expect(open(id).events[0]).toBe('snapshot');
  },
);

test('an id of the future, or of what is no longer kept, begins with a snapshot', () => {
  const { hub, open } = setUp();
  const reader = open();
  hub.publish('change', 1);
  const early = reader.lastId;
  for (let i = 0; i < 500; i++) hub.publish('change', i);
  expect(open(early).events[0]).toBe('snapshot');
  expect(open(`${early.slice(0, 8)}-999999`).events[0]).toBe('snapshot');
});

test('a reader that takes nothing is dropped after 20 s, and the others go on', async () => {
  const { clock, hub, open } = setUp();
  const good = open();
  const bad = open();
  bad.stalled = true;
  for (let second = 0; second < 30; second++) {
    hub.publish('change', second);
    await clock.advance(1_000);
  }
  expect(bad.closed).toBe('cut');
  expect(good.closed).toBe('no');
  expect(good.events).toHaveLength(31);
  expect(hub.size).toBe(1);
  expect(hub.dropped).toBe(1);
});

test('a reader that falls a megabyte behind is dropped at once', () => {
  const { hub, open } = setUp();
  const bad = open();
  bad.stalled = true;
  for (let i = 0; i < 40; i++) hub.publish('change', 'x'.repeat(100_000));
  expect(bad.closed).toBe('cut');
  expect(bad.buffered).toBeLessThan(4 * 2 ** 20);
});

test('a reader that catches up now and then stays', async () => {
  const { clock, hub, open } = setUp();
  const slow = open();
  slow.stalled = true;
  for (let second = 0; second < 120; second++) {
    if (second % 15 === 0) slow.buffered = 0;
    hub.publish('change', second);
    await clock.advance(1_000);
  }
  expect(slow.closed).toBe('no');
});

test('after half an hour a stream ends in good order, so that rights are asked for again', async () => {
  const { clock, hub, open } = setUp();
  const reader = open();
  await clock.advance(30 * 60_000);
  hub.publish('change', 1);
  expect(reader.closed).toBe('ended');
  expect(hub.dropped).toBe(0);
});

test('a peer hears of this instance only, coming back included; a page hears of all', () => {
  const { hub } = setUp();
  const [page, peer, back] = [new Reader(), new Reader(), new Reader()];
  hub.open(page, undefined);
  hub.open(peer, undefined, true);
  const { lastId } = peer;
  hub.publish('change', 'ours');
  hub.publish('change', 'theirs', false);
  hub.open(back, lastId, true);
  expect(page.text).toContain('theirs');
  for (const { text } of [peer, back]) {
    expect(text).toContain('ours');
    expect(text).not.toContain('theirs');
  }
});

test('a reader whose body throws is let go, and the others hear all the same', () => {
  const { hub, open } = setUp();
  const bad = open();
  const good = open();
  bad.write = () => {
    throw new TypeError('the stream is closed');
  };
  hub.publish('change', 1);
  expect(good.events).toEqual(['snapshot', 'change']);
  expect(hub.size).toBe(1);
});

test('those that asked at once when there was room do not get in all', () => {
  const { hub, open } = setUp(2);
  const readers = [open(), open(), open()];
  expect(readers.map(({ closed }) => closed)).toEqual(['no', 'no', 'cut']);
  expect(hub.size).toBe(2);
});

test('it says when it is full, and when there is room again', () => {
  const { hub, open } = setUp(2);
  const reader = open();
  open();
  expect(hub.full).toBe(true);
  reader.close();
  expect(hub.full).toBe(false);
});
