import type { WriteStream } from 'node:tty';

const enter = '\u001b[?1049h\u001b[?25l';
const leave = '\u001b[?25h\u001b[?1049l';

/** Draws pictures on a terminal's second screen, so that what was there before comes back. `close` may be called twice. */
export class Screen {
  readonly #stream: WriteStream;
  #open = true;

  constructor(stream: WriteStream) {
    this.#stream = stream;
    stream.write(enter);
    process.once('exit', this.close);
  }

  draw(lines: readonly string[]): void {
    // Drawn over the last picture and not on an empty screen, which would flicker.
    if (this.#open) this.#stream.write(`\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`);
  }

  readonly close = (): void => {
    if (!this.#open) return;
    this.#open = false;
    process.off('exit', this.close);
    this.#stream.write(leave);
  };
}
