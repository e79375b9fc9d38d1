import { eastAsianWidth } from 'get-east-asian-width';

/** Other people's text in one line: characters that move a cursor or turn a line round become a question mark. */
export const plain = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]/gu, '?');

/** How many columns a terminal gives it: two to a wide character, none to what stands above or below another. */
export const columnsOf = (text: string): number =>
  [...text].reduce((sum, character) => sum + columnsOfOne(character), 0);

const columnsOfOne = (character: string): number =>
  /\p{M}/u.test(character) ? 0 : eastAsianWidth(character.codePointAt(0) as number);

/** As much of its beginning as `width` columns hold. */
function beginning(text: string, width: number): string {
  let [end, left] = [0, width];
  for (const character of text) {
    left -= columnsOfOne(character);
    if (left < 0) break;
    end += character.length;
  }
  return text.slice(0, end);
}

/** Exactly `width` columns: cut with an ellipsis, or filled up. */
export function fit(text: string, width: number): string {
  const whole = plain(text);
  const cut = columnsOf(whole) > width && width > 0;
  const shown = cut ? `${beginning(whole, width - 1)}…` : beginning(whole, width);
  return shown + ' '.repeat(width - columnsOf(shown));
}

/** Breaks at spaces, and words that are longer than a line; later lines are indented. */
export function wrap(text: string, width: number, indent: string): string[] {
  const lines: string[] = [];
  const most = Math.max(1, width - indent.length);
  const words = plain(text)
    .split(' ')
    .flatMap((word) => pieces(word, most));
  let line = '';
  for (const word of words) {
    if (line !== '' && columnsOf(line) + 1 + columnsOf(word) > width) {
      lines.push(line);
      line = indent + word;
    } else {
      line = line === '' ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}

function pieces(word: string, width: number): string[] {
  if (columnsOf(word) <= width) return [word];
  // (What is wider than a line gets one of its own all the same.)
  const piece = beginning(word, width) || String.fromCodePoint(word.codePointAt(0) as number);
  const rest = word.slice(piece.length);
  return rest === '' ? [piece] : [piece, ...pieces(rest, width)];
}
