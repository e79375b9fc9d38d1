/** Lowest and highest value; `true` for whole numbers only. */
export type Bounds = readonly [lowest: number, highest: number, whole?: boolean];

/** Says a received value so that it can be told apart from its neighbours: `'5'`, `NaN`, `an array`. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Collects the faults of one set of options, so that all are told at once, each with option, range and received value.
 * `undefined` is absent everywhere: the default applies.
 */
export class Check {
  readonly #of: string;
  #faults = '';
  #wrongType: boolean;

  /** @param wrongType whether any fault at all is a `TypeError` */
  constructor(of: string, wrongType = false) {
    this.#of = of;
    this.#wrongType = wrongType;
  }

  /** Hands out the record (an empty one if it is none) after telling its unknown keys. */
  record(path: string, value: unknown, known?: readonly string[]): Record<string, unknown> {
    if (value === undefined) return {};
    if (!isRecord(value)) {
      this.fault(path || 'options', 'an object', value);
      return {};
    }
    for (const key in value) {
      if (known?.includes(key) === false && value[key] !== undefined) {
        this.fault(`unknown option ${path && `${path}.`}${key}`, `one of ${known.join(', ')}`, key);
      }
    }
    return value;
  }

  /** Without a default the option is required. */
  number(path: string, value: unknown, [lowest, highest, whole]: Bounds, fallback?: number): number {
    if (value === undefined && fallback !== undefined) return fallback;
    const isNumber = typeof value === 'number';
    if (isNumber && value >= lowest && value <= highest && !(whole && value % 1)) return value;
    this.fault(path, `${whole ? 'an integer' : 'a number'} from ${lowest} to ${highest}`, value, !isNumber);
    return lowest;
  }

  oneOf<T>(path: string, value: unknown, words: readonly T[]): T {
    const [fallback] = words;
    if (value === undefined || words.includes(value as T)) return (value ?? fallback) as T;
    this.fault(path, `one of '${words.join("', '")}'`, value, typeof value !== 'string');
    return fallback as T;
  }

  /** A value of one of JavaScript's own types. */
  typed<T>(path: string, value: unknown, type: 'string' | 'boolean' | 'function', fallback: T): T {
    if (typeof value === type) return value as T;
    if (value !== undefined) this.fault(path, `a ${type}`, value);
    return fallback;
  }

  fault(path: string, allowed: string, value: unknown, wrongType = true): void {
    this.#wrongType ||= wrongType;
    this.#faults += `${this.#faults && '; '}${path} must be ${allowed}, got ${show(value)}`;
  }

  /** Throws what was found: `TypeError` if a value was of the wrong type or an option is unknown, else `RangeError`. */
  done(): void {
    if (this.#faults) throw new (this.#wrongType ? TypeError : RangeError)(`${this.#of}: ${this.#faults}`);
  }
}
