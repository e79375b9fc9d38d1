// The few globals that every JavaScript runtime has and ES2022 does not name. Read only by the type check without Node's
// types; what is published names the user's own AbortSignal.
interface AbortSignal {
  readonly aborted: boolean;
  readonly reason: any;
  addEventListener(type: 'abort', listener: (() => void) | { handleEvent(): void }): void;
  removeEventListener(type: 'abort', listener: (() => void) | { handleEvent(): void }): void;
}
interface AbortController {
  readonly signal: AbortSignal;
  abort(reason?: unknown): void;
}
declare var AbortController: { new (): AbortController };
declare var performance: { now(): number };
declare var console: { error(...data: unknown[]): void; warn(...data: unknown[]): void };
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(handle: unknown): void;
