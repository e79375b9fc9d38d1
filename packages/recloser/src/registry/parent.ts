import { Breaker } from '../breaker/breaker.ts';
import { TroubleLog } from '../breaker/evidence.ts';
import type { Entered } from '../breaker/machine.ts';
import { type CircuitBreakerOptions, settingsOf } from '../breaker/options.ts';
import type { Snapshot } from '../breaker/snapshot.ts';
import type { Stage } from '../core/call/scope.ts';
import { read } from '../core/check.ts';
import { type Key, OpenKeys } from './open-keys.ts';
import { ofParent, type ParentOptions } from './options.ts';

/** The breaker over all keys: its samples are their openings, and its probes are those of their calls that they admit. */
export class Parent extends Breaker {
  readonly keys: OpenKeys;
  /** The registry. */
  readonly keeper: object;

  constructor(
    { threshold, minimumOpen, windowMs, ...options }: ParentOptions,
    restore: Snapshot | undefined,
    keeper: object,
  ) {
    const keys = new OpenKeys({ threshold, minimumOpen, windowMs });
    super(settingsOf({ ...options, trip: keys }), restore);
    this.keys = keys;
    this.keeper = keeper;
  }

  override get label(): string {
    return `${this.name}/parent`;
  }

  override get kept(): 'parent' {
    return 'parent';
  }

  /** Whether a call may be refused: else it need not be asked. */
  get asks(): boolean {
    return !this.straight;
  }

  /** It inside the breaker of a key: what it refuses was admitted by that, which ignores it and has the fallback. */
  around(next?: Stage): Stage {
    return { run: (work, scope) => this.run(work, scope, next) };
  }

  override update(changes: CircuitBreakerOptions): void {
    read('update', changes, ofParent());
    super.update(changes);
  }

  moved(key: Key, { to, evidence: { rule, lastError } }: Entered): void {
    if (to === 'closed') this.keys.mark(key, 0);
    // Of those that are no longer kept it minds none.
    if (to !== 'open' || key.period === -Infinity) return;
    const now = this.now();
    this.keys.mark(key, this.keys.era);
    this.trouble ??= new TroubleLog();
    this.trouble.add(true, false, lastError ?? { name: rule }, 0);
    if (this.keys.tooMany(now)) this.trip(0, now);
    this.announce();
  }
}
