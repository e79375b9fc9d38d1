import { useState } from 'preact/hooks';
import type { Detail } from '../../protocol/detail.ts';
import { hashOf } from '../state/route.ts';
import { groups } from '../state/store.ts';
import { StatesTable } from './states-table.tsx';

/** The keys of a registry: how many, which are in trouble, and a way to any other. */
export function Keys({ detail: { id, keys } }: { readonly detail: Detail }) {
  const [key, setKey] = useState('');
  if (keys === undefined) return null;
  const { size, maxEntries, evicted, overflowed } = keys;
  const rows = groups.value.filter(({ row }) => row.of === id);
  const look = (event: Event): void => {
    event.preventDefault();
    if (key !== '') location.hash = hashOf({ id: `${id}/${key}` });
  };
  const count = (n: number): string => n.toLocaleString('en');
  return (
    <section aria-label="Keys">
      <h3>
        Keys <small>{`${count(size)} of at most ${count(maxEntries)}, ${count(evicted)} evicted`}</small>
        {overflowed > 0 && (
          <small class="loud">{`${count(overflowed)} calls shared _overflow: there is no room`}</small>
        )}
      </h3>
      {rows.length > 0 && (
        <StatesTable
          of="key"
          rows={rows.slice(0, 50).map(({ id: own, row: { state }, refused, failed }) => ({
            id: own,
            title: <a href={hashOf({ id: own })}>{own.slice(id.length + 1)}</a>,
            state,
            refused,
            failed,
          }))}
        />
      )}
      <form class="look" onSubmit={look}>
        <label>
          Any other key
          <input value={key} onInput={(event) => setKey(event.currentTarget.value)} autoComplete="off" />
        </label>
        <button type="submit">Look at it</button>
      </form>
    </section>
  );
}
