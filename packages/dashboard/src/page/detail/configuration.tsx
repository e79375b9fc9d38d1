import { setting } from '../../incident/words.ts';
import type { Detail, Setting } from '../../protocol/detail.ts';
import { clock } from './clock.ts';

const from = ({ source, at }: Setting): string =>
  source === 'default'
    ? 'default'
    : source === 'given'
      ? 'its options'
      : `update${at === undefined ? '' : ` at ${clock(at)}`}`;

/** The options in force, and where each value comes from. */
export function Configuration({ detail: { configuration } }: { readonly detail: Detail }) {
  if (configuration.length === 0) return null;
  return (
    <section aria-label="Configuration in force">
      <h3>Configuration in force</h3>
      <table class="configuration">
        <thead>
          <tr>
            <th scope="col">option</th>
            <th scope="col">value</th>
            <th scope="col">set by</th>
          </tr>
        </thead>
        <tbody>
          {configuration.map((line) => (
            <tr key={line.option} class={line.source}>
              <td>
                <code>{line.option}</code>
              </td>
              <td>{setting(line.option, line.value)}</td>
              <td>{from(line)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
