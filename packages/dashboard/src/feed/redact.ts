const longest = 300;

/**
 * Takes out of an error message what should not be on a page: credentials and queries of URLs, tokens, keys, addresses of
 * people. It errs on the side of taking out too much.
 */
export function redact(message: string): string {
  return message
    .slice(0, 2 * longest)
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/)[^\s/@]*@/gi, '$1…@')
    .replace(/(https?:\/\/[^\s?#'"]*)[?#][^\s'"]*/gi, '$1?…')
    .replace(
      /\b(bearer|basic|token|apikey|api[-_ ]key|password|passwd|pwd|secret|authorization)(\s*[=:]\s*|\s+)("[^"]*"|\S+)/gi,
      '$1$2…',
    )
    .replace(/\b[\w.+-]+@[\w-]+\.[\w.-]+\b/g, '…@…')
    .replace(/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '…')
    .replace(/\b(?=[\w+/-]*\d)[\w+/-]{32,}={0,2}/g, '…')
    .slice(0, longest);
}
