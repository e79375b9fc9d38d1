const longest = 300;

/** A word that says that a secret follows, whatever it is part of: `access_token`, `clientSecret`, `DB_PASSWORD`. */
const naming =
  'bearer|basic|token|(?:api|access|private)[-_ ]?key|pass(?:word|wd|phrase)?|pwd|secret|credentials?|authorization|cookie';
/** What may stand before a secret without being one. */
const scheme = '(?:(?:bearer|basic|digest|negotiate|token|apikey)\\s+)?';
/** In quotes with blanks and all, also if the message is cut off within. */
const quoted = `"(?:\\\\.|[^"\\\\])*(?:"|$)|'(?:\\\\.|[^'\\\\])*(?:'|$)|\\\\+"[^"]*(?:"|$)`;
/** In quotes, or one word and the pairs that a comma or a semicolon adds to it. */
const secret = `(?:${quoted}|${scheme}\\S+(?:(?<=[,;])\\s+[\\w-]+=(?:"[^"]*",?|\\S+))*)`;
const assigned = new RegExp(`(${naming})([\\\\"']*\\s*[=:]\\s*)${secret}`, 'gi');
const spoken = new RegExp(
  `\\b(bearer|basic|token|api[-_ ]?key|password|passwd|pwd|secret|authorization)(\\s+)${secret}`,
  'gi',
);

/**
 * Takes out of an error message what should not be on a page: credentials and queries of URLs, tokens, keys, addresses of
 * people. It errs on the side of taking out too much.
 */
export function redact(message: string): string {
  return (
    message
      .slice(0, 2 * longest)
      // A password that nobody encoded may hold `/` and `@`; what begins like a port is one.
      .replace(/\b([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#@:"']*:(?!\d*(?:[/?#]|$))[^\s"']*|[^\s/?#"']*)@/gi, '$1…@')
      .replace(/(https?:\/\/[^\s?#'"]*)[?#][^\s'"]*/gi, '$1?…')
      .replace(assigned, '$1$2…')
      .replace(spoken, '$1$2…')
      .replace(/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, '…@…')
      .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…')
      .replace(/\b(?=[\w+/-]*\d)[\w+/-]{32,}={0,2}/g, '…')
      .slice(0, longest)
  );
}
