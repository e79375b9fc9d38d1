import { own } from '../measure/own.mjs';

const kept = 10_000;

/** Names as hosts have them, each a string of its own. */
export const keys = Array.from({ length: kept }, (_, i) => `host-${i}.example`);

/**
 * One key in ten after the other, so that it is the lookup that is measured and not how much memory is near. `body` is the call.
 */
export const inTurn = (body, target, fn) =>
  own(
    ['target', 'fn', 'keys'],
    `let i = 0; return () => { const key = keys[i = (i + 10) % keys.length]; return ${body}; }`,
    target,
    fn,
    keys,
  );

/** What people do by hand: a Map that never forgets. */
export const inMap = (make) => new Map(keys.map((key) => [key, make(key)]));
