import type { ComponentChildren } from 'preact';
import { rate } from '../../incident/words.ts';
import type { Row } from '../../protocol/row.ts';
import { StateMark } from '../list/state-mark.tsx';

/** One line of it. */
export interface StateOf {
  readonly id: string;
  readonly title: ComponentChildren;
  readonly state: Row['state'];
  readonly refused: number;
  readonly failed: number;
  readonly class?: string;
}

/** Breakers side by side: their states, and what calls come to. `of`: what they differ in. */
export function StatesTable({ of, rows }: { readonly of: string; readonly rows: readonly StateOf[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">{of}</th>
          <th scope="col">state</th>
          <th scope="col">refused</th>
          <th scope="col">failing</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ id, title, state, refused, failed, class: name = '' }) => (
          <tr key={id} class={name}>
            <td>{title}</td>
            <td>
              <StateMark state={state} />
            </td>
            <td>{rate(refused)}/s</td>
            <td>{rate(failed)}/s</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
