import fc from 'fast-check';
import { expect, test } from 'vitest';
import { eventsOf, type ServerEvent } from './event-stream.ts';

async function read(chunks: Iterable<Uint8Array>): Promise<ServerEvent[]> {
  async function* body() {
    yield* chunks;
  }
  const events: ServerEvent[] = [];
  for await (const event of eventsOf(body())) events.push(event);
  return events;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test('wherever a stream is cut into chunks, its messages are the same', async () => {
  const message = fc.oneof(
    fc.constantFrom('retry: 1000', ': a comment', ''),
    fc.constantFrom('a', 'é\u{1f600}', '{"x":1}'),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(message), fc.array(fc.nat(400)), async (said, cuts) => {
      const text = said.map((each) => (/^(retry|:|$)/.test(each) ? each : `event: change\nid: 7\ndata: ${each}`));
      const whole = bytes(text.map((each) => `${each}\n\n`).join(''));
      const ends = [...new Set([...cuts.map((cut) => Math.min(cut, whole.length)), whole.length])].sort(
        (a, b) => a - b,
      );
      const chunks = ends.map((end, i) => whole.slice(ends[i - 1] ?? 0, end));
      const expected = said.filter((each) => !/^(retry|:|$)/.test(each));
      expect((await read(chunks)).map(({ event, id, data }) => [event, id, data])).toEqual(
        expected.map((data) => ['change', '7', data]),
      );
    }),
  );
});

test('a message that has no end is refused, and what comes of it bit by bit is not read again with each bit', async () => {
  const chunk = new Uint8Array(1_024).fill(120);
  const longest = 32 * 1_024;
  const began = performance.now();
  await expect(read(Array.from({ length: longest + 1 }, () => chunk))).rejects.toThrow('too long');
  expect(performance.now() - began).toBeLessThan(2_000);
});
