import { expect, test } from 'vitest';
import type { Tell, Told } from './follow.ts';
import { type Port, Share } from './share.ts';

class Window implements Port {
  readonly heard: (Told | 0)[] = [];
  onmessage: Port['onmessage'] = null;

  postMessage(message: Told | 0): void {
    this.heard.push(message);
  }

  says(data: 0 | 1): void {
    this.onmessage?.({ data } as MessageEvent<0 | 1>);
  }

  /** What it heard of the stream. */
  get told(): string[] {
    return this.heard.filter((message) => message !== 0).map((message) => message.join(' '));
  }
}

function setUp() {
  const streams: { readonly tell: Tell; open: boolean }[] = [];
  const share = new Share((tell) => {
    const stream = { tell, open: true };
    streams.push(stream);
    return { close: () => void (stream.open = false) };
  });
  const come = () => {
    const window = new Window();
    share.enter(window);
    window.says(1);
    return window;
  };
  const begin = (at: number) => streams[at]?.tell(['snapshot', `of ${at}`]);
  const open = () => streams.flatMap((stream, at) => (stream.open ? [at] : []));
  return { share, streams, come, begin, open };
}

test('windows that come at once share the stream that is opened for the first', () => {
  const { come, begin, open } = setUp();
  const windows = [come(), come(), come()];
  begin(0);
  expect(open()).toEqual([0]);
  for (const { told } of windows) expect(told).toEqual(['snapshot of 0']);
});

test('for one that comes later a stream is opened, and the others move over when that has begun', () => {
  const { streams, come, begin, open } = setUp();
  const first = come();
  begin(0);
  const second = come();
  streams[0]?.tell(['change', 'a']);
  expect(open()).toEqual([0, 1]);
  begin(1);
  streams[1]?.tell(['change', 'b']);
  expect(open()).toEqual([1]);
  expect(first.told).toEqual(['snapshot of 0', 'change a', 'snapshot of 1', 'change b']);
  expect(second.told).toEqual(['snapshot of 1', 'change b']);
});

test('one that is not let in is told so, and the others lose nothing', () => {
  const { streams, come, begin, open } = setUp();
  const first = come();
  begin(0);
  const second = come();
  streams[1]?.tell(['ended']);
  streams[0]?.tell(['change', 'a']);
  expect(second.told).toEqual(['ended']);
  expect(first.told).toEqual(['snapshot of 0', 'change a']);
  expect(open()).toEqual([0]);
});

test('a stream that the browser picks up again, without a snapshot, does not do for one that has none yet', () => {
  const { streams, come, begin, open } = setUp();
  const first = come();
  begin(0);
  streams[0]?.tell(['lost']);
  const second = come();
  streams[0]?.tell(['change', 'missed']);
  expect(second.told).toEqual([]);
  begin(1);
  expect(first.told).toEqual(['snapshot of 0', 'lost', 'change missed', 'snapshot of 1']);
  expect(second.told).toEqual(['snapshot of 1']);
  expect(open()).toEqual([1]);
});

test('one that the server begins anew takes over those that still wait', () => {
  const { come, begin, open } = setUp();
  come();
  begin(0);
  const second = come();
  begin(0);
  expect(second.told).toEqual(['snapshot of 0']);
  expect(open()).toEqual([0]);
});

test('when the server has said no all are told, and each comes back when it likes', () => {
  const { streams, come, begin, open } = setUp();
  const windows = [come(), come()];
  begin(0);
  streams[0]?.tell(['ended']);
  for (const { told } of windows) expect(told).toEqual(['snapshot of 0', 'ended']);
  expect(open()).toEqual([]);
  const back = come();
  begin(1);
  expect(back.told).toEqual(['snapshot of 1']);
  for (const { told } of windows) expect(told).toHaveLength(2);
});

test('the last to say goodbye ends the stream, also one that has not begun', () => {
  const { come, begin, open } = setUp();
  const [first, second] = [come(), come()];
  begin(0);
  first.says(0);
  expect(open()).toEqual([0]);
  const third = come();
  third.says(0);
  expect(open()).toEqual([0]);
  second.says(0);
  expect(open()).toEqual([]);
});

test('every beat of a window is answered, and one that is silent for four of the worker is left behind', () => {
  const { share, come, begin, open } = setUp();
  const [crashed, well] = [come(), come()];
  begin(0);
  for (let beat = 0; beat < 4; beat++) {
    share.beat();
    well.says(1);
  }
  expect(well.heard.filter((message) => message === 0)).toHaveLength(5);
  begin(0);
  expect(crashed.told).toHaveLength(1);
  expect(well.told).toHaveLength(2);
  for (let beat = 0; beat < 4; beat++) share.beat();
  expect(open()).toEqual([]);
});

test('a window that was given up and goes on gets a snapshot', () => {
  const { share, come, begin, open } = setUp();
  const frozen = come();
  begin(0);
  for (let beat = 0; beat < 4; beat++) share.beat();
  expect(open()).toEqual([]);
  frozen.says(1);
  begin(1);
  expect(frozen.told).toEqual(['snapshot of 0', 'snapshot of 1']);
});
