import { bare } from './bare.mjs';
import { cockatiel } from './cockatiel.mjs';
import { mollitia } from './mollitia.mjs';
import { opossum } from './opossum.mjs';
import { ours, theirs } from './policies.mjs';
import { recloser, recloserFewSeen, recloserGivenTime } from './recloser.mjs';

const { SILENT_BUILD: silent } = process.env;
const silenced = silent && (await import(`./recloser.mjs?build=${encodeURIComponent(silent)}`)).recloser;

/** Every subject has a factory for each path it knows. */
export const subjects = {
  bare: {
    'channels-closed': bare.closed,
    'channels-guarded': bare.closed,
    ...Object.fromEntries(Object.keys(ours).map((path) => [path, bare.closed])),
    ...bare,
  },
  recloser: { ...recloser, ...ours },
  'recloser, time given': recloserGivenTime,
  'recloser, 10 k seen': recloserFewSeen,
  'recloser without channels': silenced
    ? { 'channels-closed': silenced.closed, 'channels-guarded': silenced.guarded }
    : {},
  // One breaker with timeout and capacity is all that opossum has to stack.
  opossum: { ...opossum, 'three-strategies': opossum.guarded, 'four-strategies': opossum.guarded },
  cockatiel: { ...cockatiel, ...theirs },
  mollitia,
};
