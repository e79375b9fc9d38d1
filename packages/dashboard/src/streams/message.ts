const encoder = new TextEncoder();

/** A message of a `text/event-stream` (HTML Living Standard §9.2). JSON has no line breaks, so one `data` line is enough. */
export const encoded = (event: string, data: unknown, id: string): Uint8Array =>
  encoder.encode(`event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`);

/** The first bytes of every stream: how soon to come back if it breaks. */
export const greeting: Uint8Array = encoder.encode('retry: 1000\n\n');
