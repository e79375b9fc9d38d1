import type { ComponentChildren, JSX } from 'preact';
import type { CircuitState } from 'recloser';

/** Shape, word and colour: nobody needs all three. */
const shapes: Readonly<Record<CircuitState, JSX.Element>> = {
  open: <rect x="2.5" y="2.5" width="11" height="11" rx="1.5" fill="currentColor" />,
  'half-open': (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="M8 2.5a5.5 5.5 0 0 0 0 11z" fill="currentColor" />
    </>
  ),
  closed: <circle cx="8" cy="8" r="5" />,
  'forced-open': <path d="M8 1.5 14.5 8 8 14.5 1.5 8z" fill="currentColor" />,
  'forced-closed': <path d="M8 2 14 8 8 14 2 8z" />,
  disabled: (
    <>
      <circle cx="8" cy="8" r="5.5" />
      <path d="m4.2 11.8 7.6-7.6" />
    </>
  ),
  'observe-only': (
    <>
      <path d="M1.5 8S4 4 8 4s6.5 4 6.5 4S12 12 8 12 1.5 8 1.5 8z" />
      <circle cx="8" cy="8" r="1.5" fill="currentColor" />
    </>
  ),
};

export const StateShape = ({ state }: { readonly state: CircuitState }) => (
  <svg
    class="shape"
    viewBox="0 0 16 16"
    width="16"
    height="16"
    fill="none"
    stroke="currentColor"
    stroke-width="1.8"
    aria-hidden="true"
  >
    {shapes[state] ?? shapes.closed}
  </svg>
);

interface Props {
  readonly state: CircuitState;
  /** Beside the word. */
  readonly children?: ComponentChildren;
}

export const StateMark = ({ state, children }: Props) => (
  <span class={`mark state-${state}`}>
    <StateShape state={state} />
    <span class="word">
      {state}
      {children}
    </span>
  </span>
);
