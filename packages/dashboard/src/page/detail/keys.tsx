import { useState } from 'preact/hooks';
import { rate } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import { StateMark } from '../list/state-mark.tsx';
import { hashOf } from '../state/route.ts';
import { groups } from '../state/store.ts';

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
        <table>
          <thead>
            <tr>
              <th scope="col">key</th>
              <th scope="col">state</th>
              <th scope="col">refused</th>
              <th scope="col">failing</th>
            </tr>
          </thead>
          <tbody>
            {rows.slice(0, 50).map(({ id: own, row, refused, failed }) => (
              <tr key={own}>
                <td>
                  <a href={hashOf({ id: own })}>{own.slice(id.length + 1)}</a>
                </td>
                <td>
                  <StateMark state={row.state} />
                </td>
                <td>{rate(refused)}/s</td>
                <td>{rate(failed)}/s</td>
              </tr>
            ))}
          </tbody>
        </table>
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
