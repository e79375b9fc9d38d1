import { said } from '../../incident/markdown.ts';
import type { Detail } from '../../protocol/detail.ts';
import { StateMark } from '../list/state-mark.tsx';
import { hashOf } from '../state/route.ts';
import { route } from '../state/store.ts';
import { clock } from './clock.ts';

/** All that happened, the newest first; each with an address of its own. */
export function Timeline({ detail: { entries, id, instance } }: { readonly detail: Detail }) {
  return (
    <section aria-label="What happened">
      <h3>What happened</h3>
      {entries.length === 0 ? (
        <p class="nothing">Nothing in the last six hours.</p>
      ) : (
        <ol class="timeline">
          {entries.toReversed().map((entry, i) => (
            <li key={`${entry.at}-${i}`} class={route.value.at === entry.at ? 'meant' : ''}>
              <a href={hashOf({ id, instance, at: entry.at })}>
                <time dateTime={new Date(entry.at).toISOString()}>{clock(entry.at)}</time>
              </a>
              <StateMark state={entry.to} />
              <span>{said(entry)}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
