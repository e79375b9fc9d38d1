import type { CallContext } from '../core/call/context.ts';
import type { Clock } from '../core/time/clock.ts';

/** What one call meets: a value, an error, or nothing ever. It comes after `afterMs` (0: at once). */
export type Outcome =
  | { readonly value: unknown; readonly afterMs?: number | undefined }
  | { readonly error: unknown; readonly afterMs?: number | undefined }
  | { readonly hang: true };

/** A dependency that does what its script says, in the order of the calls. */
export interface ScriptedDependency {
  /** Pass it to `execute`. A call beyond the script gets the last outcome again. */
  (context?: Partial<CallContext>): Promise<unknown>;
  /** How often it was called. */
  readonly calls: number;
  /** How many calls are at work. */
  readonly inFlight: number;
}

/**
 * Makes a dependency for tests. With `honoursAbort` a call rejects with its signal's reason when that is aborted, as `fetch`
 * does; without it the work goes on, as most work does.
 *
 * @throws TypeError for an empty script
 */
export function scriptedDependency(
  clock: Clock,
  script: readonly Outcome[],
  options: { readonly honoursAbort?: boolean | undefined } = {},
): ScriptedDependency {
  if (script.length === 0) throw new TypeError('scriptedDependency: the script must hold one outcome or more');
  let calls = 0;
  let inFlight = 0;
  const call = (context?: Partial<CallContext>): Promise<unknown> => {
    const outcome = script[Math.min(calls++, script.length - 1)] as Outcome;
    inFlight++;
    return new Promise((resolve, reject) => {
      const signal = options.honoursAbort ? context?.signal : undefined;
      let ended = false;
      let timer: unknown;
      const end = (settle: (result: unknown) => void, result: unknown): void => {
        if (ended) return;
        ended = true;
        inFlight--;
        signal?.removeEventListener('abort', abort);
        clock.clearTimeout(timer);
        settle(result);
      };
      const abort = (): void => end(reject, signal?.reason);
      if (signal?.aborted) return abort();
      signal?.addEventListener('abort', abort);
      if ('hang' in outcome) return;
      const finish = (): void => {
        'error' in outcome ? end(reject, outcome.error) : end(resolve, outcome.value);
      };
      if (outcome.afterMs) timer = clock.setTimeout(finish, outcome.afterMs);
      else finish();
    });
  };
  return Object.defineProperties(call, {
    calls: { get: () => calls },
    inFlight: { get: () => inFlight },
  }) as ScriptedDependency;
}
