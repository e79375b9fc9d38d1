/** Other people's text in one line: characters that move a cursor or turn a line round become a question mark. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');

/** Exactly `width` columns: cut with an ellipsis, or filled up. */
export function fit(text: string, width: number): string {
  const characters = [...plain(text)];
  if (characters.length > width)
    return `${characters.slice(0, Math.max(0, width - 1)).join('')}${width > 0 ? '…' : ''}`;
  return characters.join('') + ' '.repeat(width - characters.length);
}

/** Breaks at spaces, and words that are longer than a line; later lines are indented. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const most = Math.max(1, width - indent.length);
  const words = plain(text)
    .split(' ')
    .flatMap((word) => word.match(new RegExp(`.{1,${most}}`, 'gu')) ?? ['']);
  let line = '';
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
