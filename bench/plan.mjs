// What is measured, and what it is held against: the table of DESIGN.md, "Speed and memory". A bar fails the run, an aim does
// not. `against` names a subject of the same process; without it the limit is one of the figure itself. `apart`: the subjects
// that each get a process of their own. `silent`: beside a build without channels, in so many times as many processes: between two
// builds of the same code one process strays by more than the bar.

const node = Number.parseInt(process.versions.node, 10);
const libraries = ['recloser', 'opossum', 'cockatiel', 'mollitia'];

/** Each policy alone, doing nothing but its duty: no retry, no refusal, no hit; then policies one inside the other. */
const policies = [
  ['retry', 'retry, the first attempt succeeds', [{ against: 'bare', most: 2.2 }]],
  ['timeout', 'timeout', [{ against: 'bare', most: 3.2 }]],
  ['bulkhead', 'bulkhead, places free'],
  ['rate-limit', 'rateLimit, tokens left'],
  ['hedge', 'hedge, answered before the delay'],
  ['fallback', 'fallback, not needed'],
  ['cache', 'cache, a hit'],
  ['coalesce', 'coalesce, nobody to share with'],
  ['chaos', 'chaos, switched off'],
  ['adaptive-concurrency', 'adaptiveConcurrency, places free'],
  ['adaptive-throttle', 'adaptiveThrottle, all accepted'],
  ['three-strategies', 'pipeline(breaker, timeout, bulkhead)', [{ against: 'opossum', most: 0.4 }]],
  ['four-strategies', 'pipeline(retry, breaker, timeout, bulkhead)', [{ against: 'opossum', most: 1 }]],
  [
    'five-strategies',
    'pipeline(bulkhead, timeout, retry, timeout, breaker), the five of Polly’s benchmark',
    [
      { against: 'bare', most: 8 },
      { against: 'cockatiel', most: 0.066 },
    ],
  ],
].map(([id, title, bars = []]) => ({ id, title, unit: 'ns', scale: 'a call', bars, aims: [] }));

/** @typedef {{ against?: string, most: number }} Limit */
/** @type {{ id: string, title: string, unit: string, scale: string, bars: Limit[], aims: Limit[], apart?: string[], silent?: number }[]} */
export const plan = [
  {
    id: 'closed',
    title: 'closed, consecutive failures',
    unit: 'ns',
    scale: 'a call',
    bars: [{ against: 'cockatiel', most: 0.65 }],
    aims: [{ against: 'bare', most: 1.4 }],
  },
  {
    id: 'closed-heard',
    title: 'closed, with a listener of openings',
    unit: 'ns',
    scale: 'a call',
    bars: [{ against: 'cockatiel', most: 0.65 }],
    aims: [],
  },
  {
    id: 'closed-window',
    title: 'closed, failure rate in a time window, latency on',
    unit: 'ns',
    scale: 'a call',
    bars: [{ against: 'cockatiel', most: 0.9 }],
    aims: [{ against: 'bare', most: 2.5 }],
  },
  {
    id: 'closed-failing',
    title: 'closed, failure rate in a time window, one call in ten fails',
    unit: 'ns',
    scale: 'a call',
    bars: [{ against: 'opossum', most: 1 }],
    aims: [{ against: 'cockatiel', most: 1 }],
  },
  {
    id: 'guarded',
    title: 'breaker + timeout + bulkhead, signal unread',
    unit: 'ns',
    scale: 'a call',
    bars: [
      { against: 'opossum', most: 0.4 },
      { against: 'cockatiel', most: 0.05 },
    ],
    aims: [{ against: 'bare', most: 3.0 }],
  },
  {
    id: 'guarded-signal',
    title: 'breaker + timeout + bulkhead, signal read',
    unit: 'ns',
    scale: 'a call',
    // An AbortController takes 2.2 µs on Node 20: there the figure says more about Node than about anyone here.
    bars: node >= 24 ? [{ against: 'opossum', most: 0.5 }] : [],
    aims: node >= 24 ? [{ against: 'bare', most: 3.4 }] : [],
  },
  {
    id: 'refused',
    title: 'refused while open (bare: a preallocated error thrown)',
    unit: 'ns',
    scale: 'a refusal',
    bars: [{ against: 'bare', most: 1.7 }],
    aims: [{ against: 'bare', most: 1.3 }],
  },
  ...[
    ['closed', 'closed', 3],
    ['guarded', 'breaker + timeout + bulkhead', 12],
  ].map(([id, title, silent]) => ({
    id: `channels-${id}`,
    title: `${title}, nobody subscribed to a channel`,
    unit: 'ns',
    scale: 'a call',
    bars: [{ against: 'recloser without channels', most: 1.02 }],
    aims: [],
    silent,
  })),
  { id: 'probe', title: 'half-open, one probe after another', unit: 'ns', scale: 'a probe', bars: [], aims: [] },
  { id: 'cycle', title: 'one failure opens, one probe closes', unit: 'ns', scale: 'a round', bars: [], aims: [] },
  { id: 'record', title: 'record into a full 10-bucket window', unit: 'ns', scale: 'a record', bars: [], aims: [] },
  {
    id: 'concurrent',
    title: '1,000 calls in flight, timeout + bulkhead',
    unit: 'ns',
    scale: 'a call',
    bars: [],
    aims: [],
  },
  {
    id: 'one-signal',
    title: "100,000 calls on one caller's signal, timeout + bulkhead",
    unit: 'ns',
    scale: 'a call',
    bars: [],
    aims: [],
  },
  ...policies,
  {
    id: 'keyed',
    title: 'by key, 10,000 kept and 1,000,000 seen before (others: in a Map that never forgets)',
    unit: 'ns',
    scale: 'a call',
    // Flat: as many keys seen before as there are kept, and a hundred times as many.
    bars: [{ against: 'recloser, 10 k seen', most: 1.2 }],
    aims: [{ against: 'recloser, 10 k seen', most: 1.05 }],
  },
  {
    id: 'keyed-new',
    title: 'a new key with each call, 10,000 kept: one is made, one evicted',
    unit: 'ns',
    scale: 'a call',
    bars: [],
    aims: [],
  },
  {
    id: 'heap',
    title: 'heap of an idle breaker, consecutive failures',
    unit: 'bytes',
    scale: 'a breaker',
    bars: [{ most: 1200 }],
    aims: [{ most: 1000 }],
    apart: libraries,
  },
  {
    id: 'heap-window',
    title: 'heap of an idle breaker, 10-bucket window, latency off',
    unit: 'bytes',
    scale: 'a breaker',
    bars: [{ most: 1500 }],
    aims: [{ most: 1200 }],
    apart: libraries,
  },
  {
    id: 'heap-latency',
    title: 'heap of an idle breaker, 10-bucket window, latency on',
    unit: 'bytes',
    scale: 'a breaker',
    bars: [{ most: 2500 }],
    aims: [{ most: 2200 }],
    apart: ['recloser', 'opossum'],
  },
  {
    id: 'idle',
    title: 'CPU of 10,000 idle breakers, beyond that of a process without any',
    unit: '% of a core',
    scale: '',
    bars: [{ most: 0.2 }], // The least that a few seconds of process.cpuUsage() can tell from nothing.
    aims: [{ most: 0.2 }],
    apart: ['bare', ...libraries],
  },
  {
    id: 'page',
    title: 'CPU of 500 breakers at 50,000 calls a second with an open dashboard, beyond that without',
    unit: '% of a core',
    scale: '',
    bars: [{ most: 3 }],
    aims: [],
    apart: ['recloser'],
  },
];
