import { useState } from 'preact/hooks';
import type { Deed } from '../../actions/order.ts';
import type { Detail } from '../../protocol/detail.ts';
import { incidentOf } from '../state/api.ts';
import { announcement, session } from '../state/store.ts';
import { acting } from '../state/toggles.ts';

/** Where copying is not allowed (no HTTPS, no permission) it is shown to be copied by hand. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

export function Copies({ id }: { readonly id: string }) {
  const [said, setSaid] = useState('');
  const [shown, setShown] = useState<string>();
  const run = async (what: string, text: () => string | Promise<string>): Promise<void> => {
    try {
      const found = await text();
      if (await copy(found)) setSaid(`${what} copied`);
      else setShown(found);
    } catch (fault) {
      setSaid((fault as Error).message);
    }
    announcement.value = `${what} copied`;
    setTimeout(() => setSaid(''), 2_500);
  };
  return (
    <span class="copies">
      <span class="said" role="status">
        {said}
      </span>
      <button type="button" class="quiet" onClick={() => run('Link', () => location.href)}>
        Copy link
      </button>
      <button type="button" class="quiet" onClick={() => run('Incident', () => incidentOf(id, 'md'))}>
        Copy incident
      </button>
      <button type="button" class="quiet" onClick={() => run('JSON', () => incidentOf(id, 'json'))}>
        as JSON
      </button>
      {shown !== undefined && (
        <textarea
          class="by-hand"
          aria-label="To copy by hand"
          readOnly
          value={shown}
          onBlur={() => setShown(undefined)}
          rows={8}
        />
      )}
    </span>
  );
}

/** Those that make sense in its state. */
function deedsFor({ row }: Detail): [Deed, string][] {
  const isSet = row.state !== 'open' && row.state !== 'half-open' && row.state !== 'closed';
  return [
    ...(isSet ? ([['release', 'Release']] as [Deed, string][]) : []),
    ...(row.state === 'open' ? ([['probe', 'Probe now']] as [Deed, string][]) : []),
    ['force-open', 'Force open'],
    ['force-closed', 'Force closed'],
    ['observe-only', 'Observe only'],
    ['disable', 'Disable'],
    ['reset', 'Reset'],
  ];
}

export function Actions({ detail }: { readonly detail: Detail }) {
  // A registry without a breaker over its keys is acted on key by key.
  if (session.value?.role !== 'write' || detail.keys?.parent === false) return null;
  return (
    <fieldset class="actions" aria-label="Actions">
      {deedsFor(detail).map(([deed, word]) => (
        <button key={deed} type="button" onClick={() => void (acting.value = { id: detail.id, deed })}>
          {word} …
        </button>
      ))}
    </fieldset>
  );
}
