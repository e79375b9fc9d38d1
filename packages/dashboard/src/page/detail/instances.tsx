import type { Detail } from '../../protocol/detail.ts';
import type { Row } from '../../protocol/row.ts';
import { hashOf } from '../state/route.ts';
import { drawn, instances } from '../state/store.ts';
import { StatesTable } from './states-table.tsx';

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
      <StatesTable
        of="instance"
        rows={all.map(({ name, own: { state, refused, failed } }) => ({
          id: name,
          title: name === instance ? <b>{name}</b> : <a href={hashOf({ id, instance: name })}>{name}</a>,
          state,
          refused,
          failed,
          class: state === row.state ? '' : 'other',
        }))}
      />
    </section>
  );
}
