import { bare } from './bare.mjs';
import { cockatiel } from './cockatiel.mjs';
import { mollitia } from './mollitia.mjs';
import { opossum } from './opossum.mjs';
import { recloser, recloserGivenTime } from './recloser.mjs';

/** Every subject has a factory for each path it knows. */
export const subjects = { bare, recloser, 'recloser, time given': recloserGivenTime, opossum, cockatiel, mollitia };
