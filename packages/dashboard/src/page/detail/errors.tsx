import type { Detail } from '../../protocol/detail.ts';
import { clock } from './clock.ts';

export function Errors({ detail: { errors } }: { readonly detail: Detail }) {
  if (errors.length === 0) return null;
  return (
    <section aria-label="Last errors">
      <h3>Last errors</h3>
      <ol class="errors">
        {errors.toReversed().map(({ at, name, message }, i) => (
          <li key={`${at}-${i}`}>
            <time dateTime={new Date(at).toISOString()}>{clock(at)}</time>
            <code>{name}</code>
            <span class="message">{message === name ? '' : message}</span>
          </li>
        ))}
      </ol>
    </section>
  );
}
