import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

const periodMs = 12 * 3_600_000;

/**
 * Tokens that only the page can know: another origin can't read the answer that has one. A token belongs to a user and is
 * good for this period and the next; nothing is kept, so nothing grows.
 */
export class Tokens {
  readonly #secret: Buffer = randomBytes(32);
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  issue(user: string | undefined): string {
    return this.#tokenOf(user, Math.floor(this.#now() / periodMs));
  }

  isGood(token: string | undefined, user: string | undefined): boolean {
    const [digits = ''] = token?.split('.', 1) ?? [];
    const period = Math.floor(this.#now() / periodMs);
    const claimed = Number(digits);
    if (token === undefined || (claimed !== period && claimed !== period - 1)) return false;
    const [given, good] = [Buffer.from(token), Buffer.from(this.#tokenOf(user, claimed))];
    return given.length === good.length && timingSafeEqual(given, good);
  }

  #tokenOf(user: string | undefined, period: number): string {
    const mac = createHmac('sha256', this.#secret)
      .update(`${period}\n${user ?? ''}`)
      .digest('base64url');
    return `${period}.${mac}`;
  }
}
