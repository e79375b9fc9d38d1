import { StateMark } from '../list/state-mark.tsx';
import { keep, keysOn } from '../state/theme.ts';
import { help } from '../state/toggles.ts';
import { Modal } from './modal.tsx';

const keys: readonly (readonly [string, string])[] = [
  ['j k ↓ ↑', 'next and previous breaker'],
  ['Enter', 'its details'],
  ['Esc', 'back'],
  ['/', 'filter'],
  ['o h f c', 'only open, half-open, forced, closed'],
  ['p', 'pause and resume'],
  ['.', 'act on it, where actions are on'],
  ['?', 'this'],
];

const states = [
  ['open', 'refuses every call until its sleep is over'],
  ['half-open', 'lets a few probes through; they decide'],
  ['closed', 'lets calls through and counts them'],
  ['forced-open', 'somebody made it refuse'],
  ['forced-closed', 'somebody made it let everything through'],
  ['disabled', 'lets everything through, counts nothing'],
  ['observe-only', 'lets everything through, counts what it would have refused'],
] as const;

export function HelpDialog() {
  if (!help.value) return null;
  return (
    <Modal title="Keys and signs" onClose={() => void (help.value = false)}>
      <dl class="keys">
        {keys.map(([key, meaning]) => (
          <div key={key}>
            <dt>
              {key.split(' ').map((one) => (
                <kbd key={one}>{one}</kbd>
              ))}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <label class="choice">
        <input
          type="checkbox"
          checked={keysOn.value}
          onChange={({ currentTarget: { checked } }) => {
            keysOn.value = checked;
            keep('recloser-keys', checked ? 'on' : 'off');
          }}
        />
        single keys do something
      </label>
      <dl class="signs">
        {states.map(([state, meaning]) => (
          <div key={state}>
            <dt>
              <StateMark state={state} />
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
      <p class="order">Worst first: by state, then by calls refused a second, then by how near the threshold is.</p>
      <p class="order">
        All last minutes are drawn by one scale, the square root of calls a second; what failed or was refused is
        filled. The bar below p95 begins at the median, on a scale from 1 ms to 100 s; the tick is the timeout. A dashed
        bar fills up with the calls that a rule needs to decide.
      </p>
    </Modal>
  );
}
