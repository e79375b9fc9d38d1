/** One open response of the stream. */
export interface Sink {
  write(chunk: Uint8Array): void;
  /** Bytes that were written and the reader has not taken yet. */
  readonly buffered: number;
  /** Ends the response; `abruptly` gives up what is still buffered. */
  close(abruptly?: boolean): void;
  /** Called once, when the reader has gone or the stream was closed. */
  onClose(callback: () => void): void;
}
