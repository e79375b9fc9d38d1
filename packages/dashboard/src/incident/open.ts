import type { Detail, Incident } from '../protocol/detail.ts';
import type { Instance, Snapshot } from '../protocol/messages.ts';

/** The snapshot that a recorded incident amounts to. */
export function snapshotOf({ title, recordedAt, breakers }: Incident): Snapshot {
  const names = [...new Set(breakers.map(({ instance }) => instance))];
  const instances = names.map((name): Instance => {
    const own = breakers.filter(({ instance }) => instance === name);
    const last = (list: readonly (number | null)[]): number[] => list.slice(-60).map((n) => n ?? 0);
    return {
      name,
      live: true,
      rows: own.map(({ row }) => row),
      recent: Object.fromEntries(
        own.map(({ id, series }) => [
          id,
          { ok: last(series.ok), failed: last(series.failed), refused: last(series.refused) },
        ]),
      ),
    };
  });
  const entries = breakers.flatMap((detail) =>
    detail.entries.map((entry) => ({ ...entry, instance: detail.instance })),
  );
  return {
    version: 1,
    title,
    life: '',
    self: names[0] ?? '',
    at: recordedAt,
    instances,
    entries: entries.sort((a, b) => a.at - b.at).slice(-300),
  };
}

export const detailIn = ({ breakers }: Incident, id: string, instance: string | undefined): Detail | undefined =>
  breakers.find((detail) => detail.id === id && (instance === undefined || detail.instance === instance));
