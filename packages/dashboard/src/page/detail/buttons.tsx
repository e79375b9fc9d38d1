import { useLayoutEffect, useRef, useState } from 'preact/hooks';
import type { Deed } from '../../actions/order.ts';
import type { Detail } from '../../protocol/detail.ts';
import { incidentOf } from '../state/api.ts';
import { kindOf, ownState } from '../state/groups.ts';
import { session } from '../state/store.ts';
import { acting } from '../state/toggles.ts';

/** Without HTTPS there is no clipboard, and with it permission may be denied. */
async function copy(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

interface Shown {
  readonly what: string;
  readonly text: string;
}

/** The old way to the clipboard is by the selection. Where that is closed too, the text stays selected for whoever presses the keys. */
function ByHand({ shown, copied, hide }: { readonly shown: Shown; copied(): void; hide(): void }) {
  const area = useRef<HTMLTextAreaElement>(null);
  useLayoutEffect(() => {
    area.current?.select();
    if (document.execCommand('copy')) copied();
  }, [shown]);
  return (
    <textarea
      ref={area}
      class="by-hand"
      aria-label="To copy by hand"
      readOnly
      value={shown.text}
      onBlur={hide}
      rows={8}
    />
  );
}

export function Copies({ id }: { readonly id: string }) {
  const [said, setSaid] = useState('');
  const [shown, setShown] = useState<Shown>();
  const hide = (): void => setShown(undefined);
  const tell = (words: string): void => {
    hide();
    setSaid(words);
    setTimeout(() => setSaid((now) => (now === words ? '' : now)), 2_500);
  };
  const run = async (what: string, found: () => string | Promise<string>): Promise<void> => {
    try {
      const text = await found();
      if (await copy(text)) tell(`${what} copied`);
      else setShown({ what, text });
    } catch (fault) {
      tell((fault as Error).message);
    }
  };
  return (
    <span class="copies">
      <span class="said" role="status">
        {shown === undefined ? said : 'Press Ctrl+C or ⌘C to copy it'}
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
      {shown !== undefined && <ByHand shown={shown} copied={() => tell(`${shown.what} copied`)} hide={hide} />}
    </span>
  );
}

/** Those that make sense in its state. */
function deedsFor({ row }: Detail): [Deed, string][] {
  const state = ownState(row);
  return [
    ...(kindOf(state) === 'forced' ? ([['release', 'Release']] as [Deed, string][]) : []),
    ...(state === 'open' ? ([['probe', 'Probe now']] as [Deed, string][]) : []),
    ['force-open', 'Force open'],
    ['force-closed', 'Force closed'],
    ['observe-only', 'Observe only'],
    ['disable', 'Disable'],
    ['reset', 'Reset'],
  ];
}

export function Actions({ detail }: { readonly detail: Detail }) {
  const { keys, row } = detail;
  // A registry without a breaker over its keys is acted on key by key, and nothing calls back one that has ended.
  if (session.value?.role !== 'write' || keys?.parent === false || row.ending !== undefined) return null;
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
