/** A counting semaphore without a queue. */
export class Places {
  taken = 0;
  limit: number;

  constructor(limit: number) {
    this.limit = limit;
  }

  take(): boolean {
    if (this.taken >= this.limit) return false;
    this.taken++;
    return true;
  }

  release(): void {
    this.taken--;
  }
}
