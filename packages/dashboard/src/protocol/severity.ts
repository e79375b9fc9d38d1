import type { CircuitState } from 'recloser';

const order: Readonly<Record<CircuitState, number>> = {
  open: 6,
  'forced-open': 5,
  'half-open': 4,
  'forced-closed': 3,
  disabled: 2,
  'observe-only': 1,
  closed: 0,
};

/** How much a state matters to whoever is on call: 0 for closed, 6 for open; whatever else there may be is between. */
export const severityOf = (state: CircuitState): number => order[state] ?? 1;
