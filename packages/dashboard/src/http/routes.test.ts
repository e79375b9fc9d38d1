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
  ['/assets/', 'nowhere', ''],
  ['/api/', 'nowhere', ''],
  ['/favicon.ico', 'nowhere', ''],
  ['/..%2f..%2fetc', 'nowhere', ''],
])('%s leads to %s %s', (path, to, name) => {
  expect(routeOf(path)).toEqual({ to, name });
});
