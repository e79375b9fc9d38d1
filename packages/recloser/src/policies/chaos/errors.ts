import { brand } from '../../core/errors.ts';

function make(): ErrorConstructor {
  const type = class extends Error {} as unknown as ErrorConstructor;
  brand(type, 'ChaosError', 'ERR_CHAOS');
  return type;
}

/**
 * An error that `chaos` injected. Every injected error is an instance of it, also one of your own class, which keeps its class, name and
 * code. It is no `RejectedError`: to the policies around, it is a failure of the dependency.
 */
export const ChaosError: ErrorConstructor = /* @__PURE__ */ make();
export type ChaosError = Error;

/** Marks an error as injected. What can't be marked becomes the cause of a `ChaosError`. */
export function marked(error: unknown, policy: string): unknown {
  try {
    return Object.defineProperty(error, Symbol.for('recloser.ChaosError'), { value: true });
  } catch {
    return new ChaosError(`${policy}: an injected fault`, { cause: error });
  }
}
