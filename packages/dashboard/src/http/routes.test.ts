import { expect, test } from 'vitest';
import { routeOf } from './routes.ts';

test.each([
  ['/', 'page', 'index.html'],
  ['/ops/circuits/', 'page', 'index.html'],
  ['/api/stream', 'api', 'stream'],
  ['/ops/circuits/api/breaker', 'api', 'breaker'],
  ['/api/x/api/stream', 'api', 'stream'],
  ['/ops/assets/page-ABC.js', 'asset', 'page-ABC.js'],
  ['/ops/circuits', 'slash', 'circuits'],
  ['/internal/api/', 'page', 'index.html'],
  ['/internal/assets/', 'page', 'index.html'],
  ['/internal/api', 'slash', 'api'],
  ['/internal/api/api/stream', 'api', 'stream'],
  ['/internal/assets/assets/page-ABC.js', 'asset', 'page-ABC.js'],
  ['/ops.v1', 'slash', 'ops.v1'],
  ['/ops%20v1', 'slash', 'ops%20v1'],
  ['/.env', 'nowhere', ''],
  ['/..', 'nowhere', ''],
  ['/%2e%2e', 'nowhere', ''],
  ['/ops%0d%0a', 'nowhere', ''],
  ['/page.js', 'nowhere', ''],
  ['/favicon.ico', 'nowhere', ''],
  ['/..%2f..%2fetc', 'nowhere', ''],
])('%s leads to %s %s', (path, to, name) => {
  expect(routeOf(path)).toEqual({ to, name });
});
