import { Breaker } from '../breaker/breaker.ts';
import { rampLeftMs } from '../breaker/machine.ts';
import type { Settings } from '../breaker/options.ts';
import { standing } from '../breaker/override.ts';
import type { Snapshot } from '../breaker/snapshot.ts';
import type { Key } from './open-keys.ts';
import type { Parent } from './parent.ts';
import type { Link } from './ring.ts';

/** What breakers need to know of their registry. */
export interface Keeper {
  readonly parent: Parent | undefined;
}

/** A breaker of a registry, with its place in the order of use. */
export class Member extends Breaker implements Link, Key {
  older: Link = this;
  newer: Link = this;
  period: number = -Infinity;
  /** Restored open it counts in the first era. */
  era: number = this.machine.state === 'closed' ? 0 : 1;
  readonly #name: string;
  /** The registry: whoever hears of this one, and not of that, finds it. */
  readonly keeper: Keeper;

  constructor(name: string, settings: Settings, restore: Snapshot | undefined, keeper: Keeper) {
    super(settings, restore);
    this.#name = name;
    this.keeper = keeper;
  }

  override get name(): string {
    return this.#name;
  }

  override get label(): string {
    return this.settings.name;
  }

  override get kept(): 'member' {
    return 'member';
  }

  /** Closed, with no call at work and nothing set by hand: a new one would do as well. */
  get idle(): boolean {
    const { machine, places, settings } = this;
    if (machine.state !== 'closed' || this.inFlight + this.uncounted > 0 || places?.taken) return false;
    if (machine.ramp && rampLeftMs(machine, this.now(), settings) > 0) return false;
    const { state = 'closed', by, reason, expiresAt } = standing(this.override, this.now()) ?? {};
    return state === (settings.given.start ?? 'closed') && !(by ?? reason) && (expiresAt ?? Infinity) === Infinity;
  }

  protected override announce(): void {
    const { untold } = this;
    super.announce();
    for (const entered of untold ?? []) this.keeper.parent?.moved(this, entered);
  }
}
