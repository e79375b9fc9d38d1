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
  let text = '';
  let searched = 0;
  for await (const chunk of body) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n', searched); end >= 0; end = text.indexOf('\n\n')) {
      const message = parse(text.slice(0, end));
      text = text.slice(end + 2);
      if (message !== undefined) yield message;
    }
    searched = Math.max(0, text.length - 1);
    if (text.length > longestMessage) throw new Error('a message of the stream is too long');
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
