import { effect } from '@preact/signals';
import { tally } from './groups.ts';
import { groups, incident, link, session } from './store.ts';
import { titleOf } from './title.ts';

export function keepTitle(): void {
  effect(() => {
    const title = incident.value?.title ?? session.value?.title ?? 'circuit breakers';
    const said = titleOf(
      title,
      link.value.state === 'lost',
      link.value.state === 'live' ? tally(groups.value).open : 0,
    );
    if (document.title !== said) document.title = said;
  });
}
