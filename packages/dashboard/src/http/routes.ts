/** Where a path leads, whatever stands before it. */
export interface Route {
  readonly to: 'page' | 'asset' | 'api' | 'slash' | 'nowhere';
  readonly name: string;
}

/** The last part of a prefix: `v1.2` and `a%20b` may be one, `favicon.ico` and what changes folders (`..`, `%2e`, `%2f`) are none. */
const couldBePrefix = /^(?!\.|.*\.[a-z]+$)(?:[\w.~-]|%(?![01]|2[ef]|5c|7f)[\da-f]{2}){1,200}$/i;

const nowhere: Route = { to: 'nowhere', name: '' };

/**
 * Finds the route at the end of a path, so that the page works under any prefix without being told. All links of the page
 * are relative: without its last slash they would lead elsewhere.
 */
export function routeOf(path: string): Route {
  const [, folder, name] = /(?:^|\/)(?:(api|assets)\/)?([^/]*)$/.exec(path) ?? [];
  if (folder === 'api' && name) return { to: 'api', name };
  if (folder === 'assets' && name) return { to: 'asset', name };
  if (name === undefined) return nowhere;
  // Also where the prefix ends in `api/` or `assets/`.
  if (name === '') return { to: 'page', name: 'index.html' };
  if (folder !== undefined || !couldBePrefix.test(name)) return nowhere;
  return { to: 'slash', name };
}
