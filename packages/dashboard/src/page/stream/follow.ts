/** What became of the stream. `lost`: the browser tries again by itself; `ended`: it does not. */
export type Told =
  | readonly [event: 'snapshot' | 'change' | 'instance', data: string]
  | readonly [event: 'lost' | 'ended', data?: undefined];

export type Tell = (told: Told) => void;

/** A window and the worker hear of each other so often. */
export const beatMs = 5_000;

export function follow(url: string, tell: Tell): EventSource {
  const source = new EventSource(url);
  for (const event of ['snapshot', 'change', 'instance'] as const) {
    source.addEventListener(event, ({ data }: MessageEvent<string>) => tell([event, data]));
  }
  source.onerror = () => tell([source.readyState === EventSource.CLOSED ? 'ended' : 'lost']);
  return source;
}
