import { brand } from '../../core/errors.ts';

function make(): ErrorConstructor {
  const type = class extends Error {} as unknown as ErrorConstructor;
  brand(type, 'ChaosError', 'ERR_CHAOS');
  return type;
}

/**
 * What `chaos` injected. Every injected error is an instance, one of your own class too: it keeps its class, name and code and gets
 * the mark besides. It is no `RejectedError`: to the policies around it is the failure of a dependency.
 */
export const ChaosError: ErrorConstructor = /* @__PURE__ */ make();
export type ChaosError = Error;

/** Marks an error as injected; what can't be marked becomes the cause of one that is. */
export function marked(error: unknown, policy: string): unknown {
  try {
    return Object.defineProperty(error, Symbol.for('recloser.ChaosError'), { value: true });
  } catch {
    return new ChaosError(`${policy}: an injected fault`, { cause: error });
  }
}
