import { bare, Call } from './call.ts';
import type { Work } from './context.ts';
import { proceed, type Scope, type Stage } from './scope.ts';

/**
 * Runs work for a policy that ends no call early. Even if the protected function does not listen to an abort, its call ends then; after an
 * abort it is not called. A policy inside (`next`) sees to that by itself.
 */
export function begin(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
  return next === undefined && scope.abortable
    ? new Call(bare, scope, undefined, false).run(work)
    : proceed(work, scope, next);
}
