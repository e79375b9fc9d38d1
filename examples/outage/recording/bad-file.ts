/** A recording that can't be read. The message says where: file, line, column. */
export class BadFileError extends Error {
  override readonly name = 'BadFileError';

  static at(line: number, column: number, header: string | undefined, what: string): BadFileError {
    return new BadFileError(`line ${line}, column ${column}${header === undefined ? '' : ` (${header})`}: ${what}`);
  }
}
