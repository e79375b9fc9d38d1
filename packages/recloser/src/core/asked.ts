import { report } from './events/emitter.ts';
import type { Basics } from './policy-options.ts';

type Policy = Pick<Basics, 'name' | 'onListenerError'>;

/**
 * Returns the answer of a function of the user's that must not be async. If it is by mistake, there is no answer; if its promise rejects,
 * that is reported: an unhandled rejection would end the process.
 *
 * @throws TypeError if the answer is a promise
 */
export function atOnce<T>(answer: T, policy: Policy, option: string): T {
  // One of another realm (Jest) or library is a promise by its `then`.
  if (typeof answer === 'object' && (answer as { readonly then?: unknown } | null)?.then)
    tooLate(answer, policy, option);
  return answer;
}

/** (Apart from it: what the handler closes over would be made for every answer.) */
function tooLate(answer: unknown, policy: Policy, option: string): never {
  Promise.resolve(answer).catch((fault) => report(policy, fault, option));
  throw new TypeError(`${option} answered a promise`);
}

const same = <T>(answer: T): T => answer;

/** What a function among the user's options returns; if it throws, or `reader` does, that is reported and the answer is `otherwise`. */
export function asked<T, A = T>(
  policy: Policy,
  option: string,
  question: () => A,
  otherwise: T,
  reader: (answer: A) => T = same as never,
): T {
  try {
    return reader(atOnce(question(), policy, option));
  } catch (fault) {
    report(policy, fault, option);
    return otherwise;
  }
}
