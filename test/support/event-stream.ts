import { type ClientRequest, type IncomingMessage, request } from 'node:http';

/** A reader of a `text/event-stream` on a socket of its own. It may stop reading, as a browser that sleeps does. */
export class EventStreamClient {
  readonly opened: Promise<IncomingMessage>;
  text = '';
  #request: ClientRequest;
  #wake: () => void = () => {};
  ended = false;

  constructor(port: number, path = '/', headers: Record<string, string> = {}) {
    this.#request = request({ host: '127.0.0.1', port, path, headers, agent: false });
    this.opened = new Promise((resolve, reject) => {
      this.#request.on('response', (response) => {
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => {
          this.text += chunk;
          this.#wake();
        });
        const end = (): void => {
          this.ended = true;
          this.#wake();
        };
        response.on('end', end).on('error', end).on('close', end);
        resolve(response);
      });
      this.#request.on('error', reject);
    });
    this.opened.catch(() => {});
    this.#request.end();
  }

  /** Waits until what came so far is as asked, or nothing more will. */
  async until(isThere: (text: string) => boolean): Promise<void> {
    while (!isThere(this.text) && !this.ended) await new Promise<void>((resolve) => (this.#wake = resolve));
  }

  /** The data of the messages so far, parsed. */
  get data(): Record<string, unknown>[] {
    return [...this.text.matchAll(/^data: (.*)\n\n/gm)].map(([, json]) => JSON.parse(json as string));
  }

  close(): void {
    this.#request.destroy();
  }
}
