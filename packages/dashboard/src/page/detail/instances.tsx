import { rate } from '../../incident/words.ts';
import type { Detail } from '../../protocol/detail.ts';
import type { Row } from '../../protocol/row.ts';
import { StateMark } from '../list/state-mark.tsx';
import { hashOf } from '../state/route.ts';
import { drawn, instances } from '../state/store.ts';

/** The same breaker elsewhere; those that disagree with this one are marked. */
export function Instances({ detail: { id, instance, row } }: { readonly detail: Detail }) {
  drawn.value;
  const all = [...instances.values()].flatMap(({ name, rows }): { name: string; own: Row }[] => {
    const own = rows.get(id);
    return own === undefined ? [] : [{ name, own }];
  });
  if (all.length < 2) return null;
  const others = all.filter(({ own }) => own.state !== row.state).length;
  return (
    <section aria-label="Instances">
      <h3>
        Instances{' '}
        <small>{others === 0 ? `all ${all.length} agree` : `${others} of ${all.length} disagree with this one`}</small>
      </h3>
      <table>
        <thead>
          <tr>
            <th scope="col">instance</th>
            <th scope="col">state</th>
            <th scope="col">refused</th>
            <th scope="col">failing</th>
          </tr>
        </thead>
        <tbody>
          {all.map(({ name, own }) => (
            <tr key={name} class={own.state === row.state ? '' : 'other'}>
              <td>{name === instance ? <b>{name}</b> : <a href={hashOf({ id, instance: name })}>{name}</a>}</td>
              <td>
                <StateMark state={own.state} />
              </td>
              <td>{rate(own.refused)}/s</td>
              <td>{rate(own.failed)}/s</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
