import { bare, Call } from './call.ts';
import { promised, type Work } from './context.ts';
import type { Scope } from './scope.ts';

/**
 * Runs work for whoever ends no call early. The protected function (`leaf`) may not listen to an abort: then its call ends all
 * the same. Another policy sees to that by itself.
 */
export function begin(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
  if (!leaf) return promised(work, scope);
  return scope.abortable && !scope.aborted
    ? new Call(bare, scope, undefined, false).run(work, true)
    : promised(work as Work, scope.shown());
}
