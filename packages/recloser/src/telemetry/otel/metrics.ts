import { type InstrumentKey, instruments } from '../instruments.ts';
import type { Series } from '../meter/book.ts';
import { type Family, Meter, type MeterOptions } from '../meter/meter.ts';
import type { Attributes, InstrumentOptions, OtelHistogram, OtelMeter, OtelResult } from './client.ts';

const keys = Object.keys(instruments) as InstrumentKey[];
const isHistogram = (key: InstrumentKey): boolean => instruments[key].kind === 'histogram';

const optionsOf = (key: InstrumentKey): InstrumentOptions => {
  const { description, unit, buckets } = instruments[key];
  return { description, unit, ...(buckets && { advice: { explicitBucketBoundaries: [...buckets] } }) };
};

const creators = {
  counter: 'createObservableCounter',
  updowncounter: 'createObservableUpDownCounter',
  gauge: 'createObservableGauge',
} as const;

const attributesOf = (key: InstrumentKey, labels: readonly string[]): Attributes => {
  const names = ['name', ...instruments[key].labels];
  return Object.fromEntries(labels.map((value, i) => [names[i], value]));
};

/** How many collections are told that a series is gone: there may be several readers. */
const farewells = 10;

/**
 * Series that were there and no longer are. A cumulative reader of OpenTelemetry's SDK goes on reporting the last value of what is no longer
 * observed: a circuit that is gone would be open for ever.
 */
class Gone {
  readonly #seen = new Map<InstrumentKey, Map<string, { readonly labels: readonly string[]; left: number }>>();

  since(key: InstrumentKey, series: readonly Series[]): (readonly string[])[] {
    const seen = this.#seen.get(key) ?? new Map();
    this.#seen.set(key, seen);
    for (const one of seen.values()) one.left--;
    for (const { labels } of series) seen.set(labels.join('\n'), { labels, left: farewells });
    const all = [...seen].filter(([, { left }]) => left < farewells);
    for (const [place, { left }] of all) if (left === 0) seen.delete(place);
    return all.map(([, { labels }]) => labels);
  }
}

/** All instruments, made by the user's meter: histograms hear of each observation, the rest is read when it is collected. */
export function metricsOf(meter: OtelMeter, options: MeterOptions): Meter {
  const histograms = new Map<InstrumentKey, OtelHistogram>();
  const observed = new Map<InstrumentKey, never>();
  for (const key of keys) {
    const { name, kind } = instruments[key];
    if (kind === 'histogram') histograms.set(key, meter.createHistogram(name, optionsOf(key)));
    else observed.set(key, meter[creators[kind]](name, optionsOf(key)) as never);
  }
  const ours = new Meter(options, (key, name, labels, value) => {
    histograms.get(key)?.record(value, attributesOf(key, [name, ...labels]));
  });
  const gone = new Gone();
  const read = (result: OtelResult): void => {
    for (const { key, series } of ours.collect() as Family<Series>[]) {
      if (isHistogram(key)) continue;
      const instrument = observed.get(key) as never;
      const say = (labels: readonly string[], value: number): void =>
        result.observe(instrument, value, attributesOf(key, labels));
      for (const { labels, value } of series) say(labels, value);
      if (instruments[key].kind !== 'counter') for (const labels of gone.since(key, series)) say(labels, 0);
    }
  };
  const all = [...observed.values()];
  meter.addBatchObservableCallback(read, all);
  ours.onStop = () => meter.removeBatchObservableCallback(read, all);
  return ours;
}
