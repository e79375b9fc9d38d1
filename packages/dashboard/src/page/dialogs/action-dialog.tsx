import { useState } from 'preact/hooks';
import { type Deed, defaultExpiryMs, isSetting, needsName } from '../../actions/order.ts';
import { rate } from '../../incident/words.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { act } from '../state/api.ts';
import type { Group } from '../state/groups.ts';
import { groups, session } from '../state/store.ts';
import { acting } from '../state/toggles.ts';
import { Modal } from './modal.tsx';

const words: Readonly<Record<Deed, string>> = {
  'force-open': 'Force open',
  'force-closed': 'Force closed',
  disable: 'Disable',
  'observe-only': 'Observe only',
  release: 'Release',
  reset: 'Reset',
  probe: 'Probe now',
};

/** What it will do, in the figures of this moment. */
function effectOf(deed: Deed, { ok, failed, refused, count }: Group): string {
  const where = count > 1 ? ` on ${count} instances` : '';
  const calls = `about ${rate(ok + failed + refused)} calls a second${where}`;
  const effects: Readonly<Record<Deed, string>> = {
    'force-open': `Refuses ${calls}.`,
    'force-closed': `Lets ${calls} through, whatever they meet; it can't open.`,
    disable: `Lets ${calls} through and counts nothing.`,
    'observe-only': `Lets ${calls} through, and counts what it would have refused.`,
    release: `Takes the forced state off${where}; the computed one is shown again.`,
    reset: `Closes it${where} and forgets its window.`,
    probe: `The next call${where} is a probe.`,
  };
  return effects[deed];
}

const expiries: readonly (readonly [string, number])[] = [
  ['5 minutes', 5 * 60_000],
  ['30 minutes', defaultExpiryMs],
  ['2 hours', 2 * 3_600_000],
  ['8 hours', 8 * 3_600_000],
];

export function ActionDialog() {
  const asked = acting.value;
  const group = groups.value.find(({ id }) => id === asked?.id);
  if (asked === undefined || group === undefined) return null;
  return <Form key={asked.id} group={group} first={asked.deed} />;
}

function Form({ group, first }: { readonly group: Group; readonly first: Deed }) {
  const [deed, setDeed] = useState(first);
  const [reason, setReason] = useState('');
  const [by, setBy] = useState('');
  const [confirm, setConfirm] = useState('');
  const [expiresInMs, setExpires] = useState(defaultExpiryMs);
  const [trouble, setTrouble] = useState('');
  const [outcomes, setOutcomes] = useState<readonly Outcome[]>();
  const close = () => void (acting.value = undefined);
  const { id } = group;
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    setTrouble('');
    try {
      const wish = { id, action: deed, reason, by: by || undefined, confirm: confirm || undefined };
      setOutcomes(await act({ ...wish, expiresInMs: isSetting(deed) ? expiresInMs : undefined }));
    } catch (fault) {
      setTrouble((fault as Error).message);
    }
  };
  if (outcomes !== undefined) return <Outcomes id={id} outcomes={outcomes} onClose={close} />;
  return (
    <Modal title={id} onClose={close}>
      <form class="act" onSubmit={submit}>
        <fieldset>
          <legend>What to do</legend>
          {(Object.keys(words) as Deed[]).map((each) => (
            <label key={each} class="choice">
              <input type="radio" name="deed" checked={each === deed} onChange={() => setDeed(each)} />
              {words[each]}
            </label>
          ))}
        </fieldset>
        <p class="effect" aria-live="polite">
          {effectOf(deed, group)}
        </p>
        <label>
          Reason
          <input
            required
            maxLength={300}
            value={reason}
            onInput={(event) => setReason(event.currentTarget.value)}
            placeholder="vendor incident 4711"
          />
        </label>
        {session.value?.user === undefined && (
          <label>
            Your name
            <input
              maxLength={60}
              value={by}
              onInput={(event) => setBy(event.currentTarget.value)}
              autoComplete="name"
            />
          </label>
        )}
        {isSetting(deed) && (
          <label>
            Ends by itself after
            <select value={expiresInMs} onChange={(event) => setExpires(Number(event.currentTarget.value))}>
              {expiries.map(([text, ms]) => (
                <option key={ms} value={ms}>
                  {text}
                </option>
              ))}
            </select>
          </label>
        )}
        {needsName(deed) && (
          <label>
            This takes the protection away. Type <b>{id}</b> to go on
            <input
              required
              ref={(field) => field?.setCustomValidity(confirm === id ? '' : `Type ${id}`)}
              value={confirm}
              onInput={(event) => setConfirm(event.currentTarget.value)}
              autoComplete="off"
            />
          </label>
        )}
        {trouble && (
          <p class="trouble" role="alert">
            {trouble}
          </p>
        )}
        <footer>
          <button type="button" class="quiet" onClick={close}>
            Cancel
          </button>
          <button type="submit" class="do">
            {words[deed]}
          </button>
        </footer>
      </form>
    </Modal>
  );
}

function Outcomes({
  id,
  outcomes,
  onClose,
}: {
  readonly id: string;
  readonly outcomes: readonly Outcome[];
  readonly onClose: () => void;
}) {
  const failed = outcomes.filter(({ done }) => !done).length;
  return (
    <Modal title={id} onClose={onClose}>
      <p role="status">{failed === 0 ? 'Done.' : `${failed} of ${outcomes.length} instances did not do it.`}</p>
      <ul class="outcomes">
        {outcomes.map(({ instance, done, from, to, trouble }) => (
          <li key={instance}>
            <b>{instance}</b> {done ? `${from} → ${to}` : trouble}
          </li>
        ))}
      </ul>
      <footer>
        <button type="button" class="do" onClick={onClose}>
          Close
        </button>
      </footer>
    </Modal>
  );
}
