import { HttpError } from '../http/exchange.ts';
import { line } from '../protocol/line.ts';

/** What the page can do to a breaker. */
export const deeds = ['force-open', 'force-closed', 'disable', 'observe-only', 'release', 'reset', 'probe'] as const;
export type Deed = (typeof deeds)[number];

/** Those that set a state, and end by themselves. */
export const isSetting = (deed: Deed): boolean => deeds.indexOf(deed) < 4;
/** Those that take protection away: the name of the breaker must be typed. */
export const needsName = (deed: Deed): boolean => deed === 'force-closed' || deed === 'disable';

export const defaultExpiryMs: number = 30 * 60_000;
const [shortestMs, longestMs] = [1_000, 7 * 86_400_000];

/** What somebody wants done, checked. */
export interface Order {
  readonly id: string;
  readonly deed: Deed;
  readonly reason: string;
  /** Of a set state: after so long it ends by itself. */
  readonly expiresInMs: number | undefined;
  /** Who says so, where `authorize` doesn't know. */
  readonly by: string | undefined;
  /** Names of instances; all unless given. */
  readonly instances: readonly string[] | undefined;
}

/** @throws HttpError 400 with all faults together */
export function readOrder(body: string): Order {
  let given: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) given = parsed as Record<string, unknown>;
  } catch {
    throw new HttpError(400, 'the body must be JSON');
  }
  const faults: string[] = [];
  const { id, action, expiresInMs, instances } = given;
  const deed = deeds.find((known) => known === action) ?? 'release';
  if (deed !== action) faults.push(`action must be one of ${deeds.join(', ')}`);
  if (typeof id !== 'string' || id === '') faults.push('id must be the name of a breaker');
  const reason = line(given.reason, 300);
  if (reason === '') faults.push('reason must say why');
  if (expiresInMs !== undefined) {
    const whole = Number.isInteger(expiresInMs) ? (expiresInMs as number) : Number.NaN;
    if (!(whole >= shortestMs && whole <= longestMs)) {
      faults.push(`expiresInMs must be a whole number from ${shortestMs} to ${longestMs}`);
    }
  }
  const listed =
    Array.isArray(instances) && instances.every((name) => typeof name === 'string') && instances.length > 0;
  if (instances !== undefined && !listed) faults.push('instances must be names');
  if (needsName(deed) && given.confirm !== id)
    faults.push(`confirm must be the name of the breaker: ${deed} takes its protection away`);
  if (faults.length > 0) throw new HttpError(400, faults.join('; '));
  return {
    id: id as string,
    deed,
    reason,
    expiresInMs: isSetting(deed) ? ((expiresInMs as number | undefined) ?? defaultExpiryMs) : undefined,
    by: line(given.by, 60) || undefined,
    instances: listed ? (instances as string[]) : undefined,
  };
}
