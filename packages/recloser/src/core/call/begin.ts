import { bare, Call } from './call.ts';
import type { Work } from './context.ts';
import { proceed, type Scope, type Stage } from './scope.ts';

/**
 * Runs work for whoever ends no call early. The protected function may not listen to an abort: then its call ends all the same, and after
 * one it is not called. A policy inside (`next`) sees to that by itself.
 */
export function begin(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
  return next === undefined && scope.abortable
    ? new Call(bare, scope, undefined, false).run(work)
    : proceed(work, scope, next);
}
