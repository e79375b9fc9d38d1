/** A link of a ring. One stands for the ring itself, between its newest and its oldest. */
export interface Link {
  older: Link;
  newer: Link;
}

/** A ring with nothing else in it. */
export function ring(): Link {
  const link = {} as Link;
  link.older = link.newer = link;
  return link;
}

export function leave(link: Link): void {
  link.older.newer = link.newer;
  link.newer.older = link.older;
  link.older = link.newer = link;
}

/** Makes it the newest of a ring, whatever ring it was in. */
export function join(link: Link, ring: Link): void {
  leave(link);
  link.newer = ring;
  link.older = ring.older;
  link.older.newer = ring.older = link;
}
