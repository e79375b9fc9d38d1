/** Where a path leads, whatever stands before it. */
export interface Route {
  readonly to: 'page' | 'asset' | 'api' | 'slash' | 'nowhere';
  readonly name: string;
}

const nowhere: Route = { to: 'nowhere', name: '' };

/**
 * Finds the route at the end of a path, so that the page works under any prefix without being told. All links of the page
 * are relative: without its last slash they would lead elsewhere.
 */
export function routeOf(path: string): Route {
  const [, folder, name] = /(?:^|\/)(?:(api|assets)\/)?([^/]*)$/.exec(path) ?? [];
  if (folder === 'api' && name) return { to: 'api', name };
  if (folder === 'assets' && name) return { to: 'asset', name };
  if (folder !== undefined || name === undefined) return nowhere;
  if (name === '') return { to: 'page', name: 'index.html' };
  return /^[\w~-]{1,200}$/.test(name) ? { to: 'slash', name } : nowhere;
}
