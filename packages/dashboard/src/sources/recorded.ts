import { detailIn, snapshotOf } from '../incident/open.ts';
import type { Detail, Incident } from '../protocol/detail.ts';
import type { Snapshot } from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';
import type { Source } from './source.ts';

/** An incident that is over: it can be looked at, and nothing else. */
export class RecordedSource implements Source {
  readonly recorded = true;
  readonly #incident: Incident;

  constructor(incident: Incident) {
    this.#incident = incident;
  }

  snapshot(): Snapshot {
    return snapshotOf(this.#incident);
  }

  async detail(id: string, instance: string | undefined): Promise<Detail | undefined> {
    return detailIn(this.#incident, id, instance);
  }

  async incident(id: string | undefined): Promise<Incident> {
    const { breakers } = this.#incident;
    return { ...this.#incident, breakers: id === undefined ? breakers : breakers.filter((detail) => detail.id === id) };
  }

  async perform(): Promise<Outcome[]> {
    return [];
  }

  close(): void {}
}
