import type { CallContext } from '../core/call/context.ts';
import type { Clock } from '../core/time/clock.ts';

/** What one call gets: a value or an error, after `afterMs` (default 0: at once), or nothing ever. */
export type Outcome =
  | { readonly value: unknown; readonly afterMs?: number | undefined }
  | { readonly error: unknown; readonly afterMs?: number | undefined }
  | { readonly hang: true };

/** A dependency that follows a script, one outcome a call. */
export interface ScriptedDependency {
  /** The function to pass to `execute`. Calls beyond the script get the last outcome again. */
  (context?: Partial<CallContext>): Promise<unknown>;
  /** How many calls there were. */
  readonly calls: number;
  /** How many calls have not settled yet. */
  readonly inFlight: number;
}

/**
 * Makes a dependency for tests.
 *
 * @param clock times the outcomes that have `afterMs`
 * @param script the outcomes, in the order of the calls
 * @param options.honoursAbort whether a call whose signal is aborted rejects with its reason, as `fetch` does; default false: the work goes
 * on, as most work does
 * @throws TypeError for an empty script
 * @example
 * const dependency = scriptedDependency(clock, [{ error: new Error('down') }, { value: 'ok', afterMs: 50 }]);
 * await breaker.execute(dependency);
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
