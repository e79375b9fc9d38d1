import { shown } from '../../breaker/evidence.ts';
import { RejectedError } from '../../core/errors.ts';
import { defaultVerdict } from '../../core/outcome.ts';
import type { PolicyLike } from '../../core/policy.ts';
import { type ChannelName, type Messages, subscribe, type Teller } from '../channels.ts';
import { rejectionOf } from '../meter/reasons.ts';
import type { Attributes, OtelSpan, OtelTrace, OtelTracer } from './client.ts';

type Told = { readonly [N in ChannelName]?: (payload: Messages[N]['payload']) => Attributes };

const transition = ({ from, to, why }: Messages['recloser:circuit-breaker:opened']['payload']): Attributes => ({
  'recloser.circuit_breaker.from': from,
  'recloser.circuit_breaker.to': to,
  'recloser.why': why,
});
const rejection = ({ reason }: { readonly reason: string }): Attributes => ({
  'recloser.rejection.reason': rejectionOf(reason as 'open'),
});
const attempts = ({ attempts }: { readonly attempts: number }): Attributes => ({ 'recloser.attempts': attempts });
const errorType = ({ error }: { readonly error: unknown }): Attributes => ({ 'error.type': shown(error).name });

/** Which events a span gets, and their attributes. Errors go by their type: messages may hold secrets. */
const told: Told = {
  'recloser:circuit-breaker:opened': transition,
  'recloser:circuit-breaker:half-opened': transition,
  'recloser:circuit-breaker:closed': transition,
  'recloser:circuit-breaker:rejected': rejection,
  'recloser:circuit-breaker:timed-out': ({ elapsedMs }) => ({ 'recloser.elapsed_ms': elapsedMs }),
  'recloser:circuit-breaker:fell-back': errorType,
  'recloser:circuit-breaker:fallback-failed': errorType,
  'recloser:fallback:fell-back': errorType,
  'recloser:fallback:fallback-failed': errorType,
  'recloser:timeout:timed-out': ({ timeoutMs }) => ({ 'recloser.timeout_ms': timeoutMs }),
  'recloser:retry:retry-scheduled': ({ attempt, delayMs }) => ({
    'recloser.attempt': attempt,
    'recloser.delay_ms': delayMs,
  }),
  'recloser:retry:gave-up': ({ attempts: made, cause }) => ({
    'recloser.attempts': made,
    'recloser.cause': cause,
  }),
  'recloser:retry:recovered': attempts,
  'recloser:hedge:hedged': ({ attempt }) => ({ 'recloser.attempt': attempt }),
  'recloser:hedge:won': ({ attempt }) => ({ 'recloser.attempt': attempt }),
  'recloser:bulkhead:rejected': rejection,
  'recloser:bulkhead:dequeued': ({ waitedMs }) => ({ 'recloser.waited_ms': waitedMs }),
  'recloser:adaptive-concurrency:rejected': rejection,
  'recloser:adaptive-concurrency:dequeued': ({ waitedMs }) => ({ 'recloser.waited_ms': waitedMs }),
  'recloser:rate-limit:rejected': rejection,
  'recloser:rate-limit:delayed': ({ waitMs }) => ({ 'recloser.wait_ms': waitMs }),
  'recloser:adaptive-throttle:rejected': () => ({ 'recloser.rejection.reason': 'throttled' }),
  'recloser:cache:hit': () => ({}),
  'recloser:cache:stale': ({ why }) => ({ 'recloser.cause': why }),
  'recloser:coalesce:joined': () => ({}),
  'recloser:chaos:injected': ({ injection }) => ({ 'recloser.injection': injection }),
};

/** Adds events to the active span; calling the answer ends it. */
export function spanEvents(trace: OtelTrace): () => void {
  const offs = (Object.keys(told) as ChannelName[]).map((channel) =>
    subscribe(channel, ({ policy, event, payload }) => {
      const span = trace.getActiveSpan();
      if (span?.isRecording() !== true) return;
      const about = told[channel] as (payload: unknown) => Attributes;
      span.addEvent(`recloser.${event.replaceAll('-', '_')}`, { 'recloser.name': policy.label, ...about(payload) });
    }),
  );
  return () => {
    for (const off of offs) off();
  };
}

const statusError = 2;

/** A policy each of whose calls is a span. */
export interface Traced<P extends PolicyLike> {
  /** The name of the policy. */
  readonly name: string;
  /** Runs the function under the policy, within a span. */
  readonly execute: P['execute'];
}

/**
 * Makes a span of each call of a policy, from before it is admitted until it has ended; spans of the function are its children. A refusal is
 * an error of the span, with its reason; an abort by the caller is none. The answer can stand in a `pipeline` as the policy itself can.
 *
 * @throws TypeError
 * @example
 * const payments = traced(circuitBreaker({ name: 'payments' }), trace.getTracer('shop'));
 * await payments.execute(() => charge(order));
 */
export function traced<P extends PolicyLike>(policy: P, tracer: OtelTracer): Traced<P> {
  if (typeof policy?.execute !== 'function') throw new TypeError('traced: the policy must have execute');
  if (typeof tracer?.startActiveSpan !== 'function')
    throw new TypeError('traced: the tracer must have startActiveSpan');
  const { name = 'policy' } = policy;
  const execute: PolicyLike['execute'] = (fn, options) =>
    tracer.startActiveSpan(`recloser ${name}`, { attributes: about(policy, name) }, (span: OtelSpan) =>
      policy.execute(fn, options).then(
        (value) => {
          span.end();
          return value;
        },
        (error) => {
          const gaveUp = options?.signal?.aborted === true && error === options.signal.reason;
          // A deadline of the caller's is no whim: it failed.
          if (!gaveUp || defaultVerdict(false, error, true) === 'failure') blame(span, error);
          span.end();
          throw error;
        },
      ),
    );
  return { name, execute: execute as P['execute'] };
}

function about(policy: PolicyLike & Partial<Teller> & { readonly state?: unknown }, name: string): Attributes {
  if (policy.kind !== 'circuit-breaker') return { 'recloser.name': name };
  return { 'recloser.circuit_breaker.name': name, 'recloser.circuit_breaker.state': String(policy.state) };
}

function blame(span: OtelSpan, error: unknown): void {
  if (error instanceof RejectedError) span.setAttribute('recloser.rejection.reason', rejectionOf(error.reason));
  const type = shown(error).name;
  span.setAttribute('error.type', type);
  span.setStatus({ code: statusError, message: type });
}
