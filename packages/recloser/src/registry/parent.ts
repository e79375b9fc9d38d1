import { Breaker } from '../breaker/breaker.ts';
import { TroubleLog } from '../breaker/evidence.ts';
import type { Entered } from '../breaker/machine.ts';
import { type CircuitBreakerOptions, settingsOf, unchangeable } from '../breaker/options.ts';
import type { Snapshot } from '../breaker/snapshot.ts';
import type { Stage } from '../core/call/scope.ts';
import { read } from '../core/check.ts';
import { type Key, OpenKeys } from './open-keys.ts';
import { ofParent, type ParentOptions } from './options.ts';

/** The breaker over all keys. Its samples are their openings; its probes are calls that the breakers of the keys have admitted. */
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

  /** Whether it may refuse a call; else it need not be asked. */
  get asks(): boolean {
    return !this.straight;
  }

  /** Stands inside the breaker of a key, which ignores what the parent refuses, and has the fallback for it. */
  around(next?: Stage): Stage {
    return { run: (work, scope) => this.run(work, scope, next) };
  }

  override update(changes: CircuitBreakerOptions): void {
    read('update', changes, ofParent(unchangeable()));
    super.update(changes);
  }

  moved(key: Key, { to, evidence: { rule, lastError } }: Entered): void {
    if (to === 'closed') this.keys.mark(key, 0);
    // One that is no longer kept does not matter.
    if (to !== 'open' || key.period === -Infinity) return;
    const now = this.now();
    this.keys.mark(key, this.keys.era);
    this.trouble ??= new TroubleLog();
    this.trouble.add(true, false, lastError ?? { name: rule }, 0);
    if (this.keys.tooMany(now)) this.trip(0, now);
    this.announce();
  }
}
