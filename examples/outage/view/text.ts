/** Other people's text in one line: characters that move a cursor or turn a line round become a question mark. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');

/** Exactly `width` columns: cut with an ellipsis, or filled up. */
export function fit(text: string, width: number): string {
  const characters = [...plain(text)];
  if (characters.length > width)
    return `${characters.slice(0, Math.max(0, width - 1)).join('')}${width > 0 ? '…' : ''}`;
  return characters.join('') + ' '.repeat(width - characters.length);
}

/** Breaks at spaces; later lines are indented. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of plain(text).split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
