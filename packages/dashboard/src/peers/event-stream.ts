const longestMessage = 32 * 1024 * 1024;

/** A message of a `text/event-stream`. */
export interface ServerEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** Reads a `text/event-stream` body. @throws Error if a message has no end in sight */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent> {
  const decoder = new TextDecoder();
  /** What has come of a message. Each chunk is searched by itself: all of a long message again with each would hold up the process. */
  let parts: string[] = [];
  let length = 0;
  for await (const chunk of body) {
    let text = decoder.decode(chunk, { stream: true });
    const splits = text.startsWith('\n') && parts.at(-1)?.endsWith('\n') === true;
    for (let end = splits ? 0 : text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const message = parse(parts.join('') + text.slice(0, end));
      parts = [];
      length = 0;
      text = text.slice(text.startsWith('\n\n', end) ? end + 2 : end + 1);
      if (message !== undefined) yield message;
    }
    if (text === '') continue;
    parts.push(text);
    length += text.length;
    if (length > longestMessage) throw new Error('a message of the stream is too long');
  }
}

function parse(block: string): ServerEvent | undefined {
  const found = { event: 'message', id: '', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value = ''] = /^(event|id|data): ?(.*)$/.exec(line) ?? [];
    if (field !== undefined) found[field as keyof typeof found] = value;
  }
  return found.data === '' ? undefined : found;
}
