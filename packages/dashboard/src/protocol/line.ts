/** Text for logs and pages: one line of printable characters. */
export const line = (value: unknown, longest: number): string =>
  typeof value === 'string'
    ? value
        .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
        .trim()
        .slice(0, longest)
    : '';
