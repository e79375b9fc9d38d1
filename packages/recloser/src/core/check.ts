type Bounds = readonly [lowest: number, highest: number];

/** Says a received value so that it can be told apart from its neighbours: `'5'`, `NaN`, `[object Date]`. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.length > 40 ? `${value.slice(0, 40)}…` : value}'`;
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Collects the faults of one set of options, so that all are told at once, each with option, range and received value.
 * `undefined` is absent everywhere: the default applies. `done` throws: `TypeError` if a value was of the wrong type or an
 * option is unknown, else `RangeError`.
 */
export class Check {
  readonly #of: string;
  readonly #faults: string[] = [];
  #wrongType = false;

  constructor(of: string) {
    this.#of = of;
  }

  /** Hands out the record (an empty one if it is none) after telling its unknown keys. */
  record(path: string, value: unknown, known: readonly string[]): Record<string, unknown> {
    if (value === undefined) return {};
    if (!isRecord(value)) {
      this.fault(path || 'options', 'an object', value, true);
      return {};
    }
    for (const key of Object.keys(value)) {
      if (!known.includes(key) && value[key] !== undefined) {
        this.#wrongType = true;
        this.#faults.push(`${path ? `${path}.` : ''}${key} is not an option (known: ${known.join(', ')})`);
      }
    }
    return value;
  }

  /** Without a default the option is required. */
  number(path: string, value: unknown, [lowest, highest]: Bounds, fallback?: number): number {
    if (value === undefined && fallback !== undefined) return fallback;
    if (typeof value === 'number' && value >= lowest && value <= highest) return value;
    const allowed = `a number from ${lowest} to ${highest}`;
    return this.fault(path, allowed, value, typeof value !== 'number') ?? fallback ?? lowest;
  }

  integer(path: string, value: unknown, [lowest, highest]: Bounds, fallback?: number): number {
    if (value === undefined && fallback !== undefined) return fallback;
    if (Number.isInteger(value) && (value as number) >= lowest && (value as number) <= highest) return value as number;
    const allowed = `an integer from ${lowest} to ${highest}`;
    return this.fault(path, allowed, value, typeof value !== 'number') ?? fallback ?? lowest;
  }

  oneOf<T extends string>(path: string, value: unknown, words: readonly T[], fallback: T): T {
    if (value === undefined) return fallback;
    if (words.includes(value as T)) return value as T;
    const allowed = `one of ${words.map((word) => `'${word}'`).join(', ')}`;
    return this.fault(path, allowed, value, typeof value !== 'string') ?? fallback;
  }

  /** A value of one of JavaScript's own types. */
  typed<T>(path: string, value: unknown, type: 'string' | 'boolean' | 'function', fallback: T): T {
    if (value === undefined) return fallback;
    if (typeof value === type) return value as T;
    return this.fault(path, `a ${type}`, value, true) ?? fallback;
  }

  /** Adds a fault; answers `undefined`, so that the caller goes on with its default. */
  fault(path: string, allowed: string, value: unknown, wrongType: boolean): undefined {
    this.#wrongType ||= wrongType;
    this.#faults.push(`${path} must be ${allowed}, got ${show(value)}`);
  }

  done(): void {
    if (this.#faults.length === 0) return;
    const message = `${this.#of}: ${this.#faults.join('; ')}`;
    throw this.#wrongType ? new TypeError(message) : new RangeError(message);
  }
}
