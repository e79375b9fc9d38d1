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
  const read = (result: OtelResult): void => {
    for (const { key, series } of ours.collect() as Family<Series>[]) {
      if (isHistogram(key)) continue;
      const instrument = observed.get(key) as never;
      for (const { labels, value } of series) result.observe(instrument, value, attributesOf(key, labels));
    }
  };
  const all = [...observed.values()];
  meter.addBatchObservableCallback(read, all);
  ours.onStop = () => meter.removeBatchObservableCallback(read, all);
  return ours;
}
