import { noFacts } from '../../breaker/evidence.ts';
import { initialMachine, type Machine, type MachineEvent, type MachineSettings, step } from '../../breaker/machine.ts';
import { type Clock, longestTimerMs, wallTime } from '../../core/time/clock.ts';
import type { State } from './options.ts';
import { ownTimer } from './own-timer.ts';

/** As which call the circuit let it pass. */
export interface Ticket {
  readonly generation: number;
  readonly probe: number;
}

/** What the circuit asks of its breaker, and tells it after the fact. */
export interface CircuitOwner {
  readonly options: { readonly clock: Clock; readonly resetTimeout: number; readonly timeout: number | false };
  opened(): void;
  halfOpened(): void;
  closed(): void;
}

/** What `recloser` measures and gives as evidence, opossum has no place for. */
const measured = { rule: 'errorThresholdPercentage', value: 0, threshold: 0, calls: 0 };
const tripped: MachineEvent = { type: 'tripped', measured, facts: noFacts, retryAfterMs: 0 };

/**
 * The states of opossum over the machine of `recloser`. The machine turns half-open on the first call after its sleep; opossum says
 * so by a timer, before any call. So here an open machine whose sleep is over, and was told to be, shows as half-open.
 */
export class Circuit {
  /** When it opened last, in epoch milliseconds. */
  openedAt: number | undefined = undefined;
  readonly #owner: CircuitOwner;
  readonly #settings: MachineSettings;
  #machine: Machine = initialMachine;
  /** What is left of the sleep that another process began. */
  #leftMs: number | undefined = undefined;
  #sleepOver = false;
  #callOffWaking: (() => void) | undefined = undefined;
  #shut = false;

  constructor(owner: CircuitOwner) {
    this.#owner = owner;
    const { options } = owner;
    this.#settings = {
      successThreshold: 1,
      maxProbes: 1,
      // A probe with a timeout always ends. One without would keep the circuit half-open for ever: it is freed after the sleep.
      get probeTimeoutMs() {
        return Number(options.timeout);
      },
      sample: undefined,
      recovery: undefined,
      sleepMs: () => this.#sleepMs,
    };
  }

  get isClosed(): boolean {
    return this.#machine.state === 'closed';
  }

  get isOpen(): boolean {
    return this.#machine.state === 'open' && !this.#sleepOver;
  }

  get isHalfOpen(): boolean {
    return this.#sleepOver || this.#machine.state === 'half-open';
  }

  /** Whether the next call is a probe. */
  get awaitsProbe(): boolean {
    return this.isHalfOpen && this.#step({ type: 'call' }).answer?.type === 'admit';
  }

  /** Lets a call pass, or not. */
  admit(): Ticket | undefined {
    if (this.#shut) return undefined; // By a listener of `fire`.
    if (this.isOpen && this.#now() >= this.#wakesAt) this.#sleptEnough(); // The process slept, and its timers are late.
    const { machine, answer } = this.#step({ type: 'call' });
    if (answer?.type !== 'admit') return undefined;
    this.#machine = machine;
    this.#sleepOver = false;
    return answer;
  }

  succeeded(ticket: Ticket): void {
    this.#apply({ type: 'succeeded', generation: ticket.generation, probe: ticket.probe });
  }

  /** It never reached the action. */
  ignored(ticket: Ticket): void {
    this.#apply({ type: 'ignored', generation: ticket.generation, probe: ticket.probe });
  }

  /** @param trips whether the figures want a closed circuit open */
  failed({ generation, probe }: Ticket, trips: () => boolean): void {
    if (!this.isClosed) this.#apply({ type: 'failed', generation, probe, facts: noFacts, retryAfterMs: 0 });
    else if (generation === this.#machine.generation && trips()) this.open();
  }

  open(): void {
    if (this.isOpen) return;
    if (!this.isClosed) this.#machine = this.#step({ type: 'reset' }).machine;
    this.#apply(tripped);
  }

  close(): void {
    if (!this.isClosed) this.#apply({ type: 'reset' });
  }

  /** Goes on where another breaker stopped. */
  restore({ closed, halfOpen, lastTimerAt }: Partial<State>): void {
    if (closed !== false) return;
    const { resetTimeout } = this.#owner.options;
    const known = typeof lastTimerAt === 'number';
    const leftMs = known ? Math.min(resetTimeout, lastTimerAt + resetTimeout - wallTime()) : resetTimeout;
    this.#leftMs = leftMs;
    if (halfOpen || leftMs < 0) {
      this.#machine = this.#step(tripped).machine;
      this.#sleptEnough();
    } else this.open();
    this.#leftMs = undefined;
    this.openedAt = known ? lastTimerAt : wallTime();
  }

  /** From now on it moves without a timer, if it moves at all. */
  shut(): void {
    this.#shut = true;
    this.#callOffWaking?.();
    if (!this.isClosed) this.#machine = this.#step({ type: 'reset' }).machine;
    this.#sleepOver = false;
  }

  #sleptEnough(): void {
    this.#callOffWaking?.();
    this.#sleepOver = true;
    this.#owner.halfOpened();
  }

  get #sleepMs(): number {
    return Math.min(Math.max(0, this.#leftMs ?? this.#owner.options.resetTimeout), longestTimerMs);
  }

  get #wakesAt(): number {
    return this.#machine.state === 'open' ? this.#machine.openedAt + this.#machine.sleepMs : 0;
  }

  /** Never before the end of a sleep that was told to be over: other people's fake timers leave the clock behind. */
  #now(): number {
    const now = this.#owner.options.clock.now();
    return this.#sleepOver ? Math.max(now, this.#wakesAt) : now;
  }

  #step(event: MachineEvent): ReturnType<typeof step> {
    // While it is closed only its opening depends on the time.
    const now = this.isClosed && event !== tripped ? 0 : this.#now();
    return step(this.#machine, event, now, this.#settings);
  }

  #apply(event: MachineEvent): void {
    const { machine, entered } = this.#step(event);
    this.#machine = machine;
    if (entered === undefined) return;
    this.#callOffWaking?.();
    this.#sleepOver = false;
    if (entered.to === 'open') this.#entered();
    else this.#owner.closed();
  }

  #entered(): void {
    this.openedAt = wallTime();
    if (!this.#shut) {
      this.#callOffWaking = ownTimer(this.#owner.options.clock, this.#sleepMs, () => this.#sleptEnough(), false);
    }
    this.#owner.opened();
  }
}
