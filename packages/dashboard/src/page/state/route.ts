/** Where the page is, as it stands in the address: a link to it shows the same. */
export interface Route {
  /** The breaker whose details are shown. */
  readonly id: string | undefined;
  readonly instance: string | undefined;
  /** A moment to look at, epoch ms. */
  readonly at: number | undefined;
}

export function routeOf(hash: string): Route {
  const [, encoded, query = ''] = /^#\/b\/([^?]+)(?:\?(.*))?$/.exec(hash) ?? [];
  const nowhere = { id: undefined, instance: undefined, at: undefined };
  if (encoded === undefined) return nowhere;
  try {
    const asked = new URLSearchParams(query);
    const at = Number(asked.get('t'));
    return {
      id: decodeURIComponent(encoded),
      instance: asked.get('on') ?? undefined,
      at: Number.isSafeInteger(at) && at > 0 && at < 8.64e15 ? at : undefined,
    };
  } catch {
    return nowhere;
  }
}

export function hashOf({ id, instance, at }: Partial<Route>): string {
  if (id === undefined) return '#/';
  const asked = new URLSearchParams();
  if (instance !== undefined) asked.set('on', instance);
  if (at !== undefined) asked.set('t', String(at));
  const query = asked.toString();
  return `#/b/${encodeURIComponent(id)}${query && `?${query}`}`;
}
