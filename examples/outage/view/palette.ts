export type Style = 'good' | 'bad' | 'trying' | 'quiet' | 'strong';

/** Colours a text, or leaves it alone. */
export type Palette = (style: Style, text: string) => string;

const codes: Record<Style, string> = { good: '32', bad: '1;31', trying: '33', quiet: '2', strong: '1' };

export const colours: Palette = (style, text) => (text === '' ? text : `\u001b[${codes[style]}m${text}\u001b[0m`);
export const noColours: Palette = (_style, text) => text;

/** https://no-color.org */
export function paletteFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv): Palette {
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb' ? colours : noColours;
}

interface Look {
  readonly shape: string;
  readonly style: Style;
  /** One column of the timeline. */
  readonly mark: string;
}

/** Shape, word and colour: nobody needs all three. */
export const looks: Record<string, Look> = {
  closed: { shape: '●', style: 'good', mark: '─' },
  open: { shape: '✕', style: 'bad', mark: '✕' },
  'half-open': { shape: '◐', style: 'trying', mark: '◐' },
  'forced-open': { shape: '◆', style: 'bad', mark: '◆' },
  'forced-closed': { shape: '◇', style: 'trying', mark: '◇' },
  disabled: { shape: '⊘', style: 'trying', mark: '⊘' },
  'observe-only': { shape: '◎', style: 'trying', mark: '◎' },
};
export const lookOf = (state: string): Look => looks[state] ?? { shape: '?', style: 'quiet', mark: '?' };
