import { having, optionsOf, read } from '../../core/check.ts';
import type { Teller } from '../channels.ts';
import { answer, answered, type HttpRequest, type HttpResponse, onlyRead, type Reply } from '../http.ts';
import { type InstrumentKey, instruments, prometheusName } from '../instruments.ts';
import { type Family, Meter, type MeterOptions, meterOptions, policiesOf } from '../meter/meter.ts';
import { exposition, prometheusType, type Sample, samplesOf } from './exposition.ts';

export type { Sample } from './exposition.ts';
export type { HttpRequest, HttpResponse, MeterOptions };

/** A metric as prom-client's registry takes it. */
export interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** Its samples of this moment. */
  get(): Promise<Omit<RegisteredMetric, 'get' | 'reset'> & { readonly values: readonly Sample[] }>;
  /** Does nothing. */
  reset(): void;
}

/** What is used of prom-client's `Registry`. Tested with 15.1. */
export interface PrometheusRegistry {
  /** Takes up a metric. */
  registerMetric(metric: never): void;
  /** Takes one out. */
  removeSingleMetric(name: string): void;
}

/** Options of `prometheus`. */
export interface PrometheusOptions extends MeterOptions {
  /** A registry of prom-client, which exposes our metrics with the others; without it `text` and `handler` do. */
  readonly registry?: PrometheusRegistry | undefined;
}

/** Metrics for Prometheus. */
export interface PrometheusSink {
  /** Of what `text` answers: the text format 0.0.4. */
  readonly contentType: string;
  /** All metrics of this moment. Reading them changes nothing. */
  text(): string;
  /** Answers a scrape; for `node:http`, Express and what takes the same. */
  readonly handler: (request: HttpRequest, response: HttpResponse) => void;
  /** The same of the Fetch standard. */
  readonly fetch: (request: HttpRequest) => Response;
  /** Takes up policies that were made before the sink. @throws TypeError */
  watch(...policies: readonly object[]): void;
  /** Hears no more, and takes its metrics out of the registry. */
  close(): void;
}

const known = optionsOf<object, PrometheusOptions>(
  {},
  {
    ...meterOptions,
    registry: having('a registry of prom-client', { registerMetric: 'function', removeSingleMetric: 'function' }),
  },
);

/**
 * Metrics of all policies for Prometheus, by the table of the documents. Make it first: policies that were made before are heard of
 * once they have something to tell, or at once as `policies`.
 *
 * @throws TypeError, RangeError with all faults of the options together
 * @example
 * const metrics = prometheus();
 * createServer(metrics.handler).listen(9464, '127.0.0.1');
 */
export function prometheus(options: PrometheusOptions = {}): PrometheusSink {
  const { registry, ...given } = read('prometheus', options, known);
  const meter = new Meter(given);
  const contentType = 'text/plain; version=0.0.4; charset=utf-8';
  const text = (): string => exposition(meter.collect());
  const reply = (request: HttpRequest): Reply =>
    onlyRead(request) ?? { status: 200, headers: { 'content-type': contentType }, body: text() };
  // A registry asks for one metric after the other within one turn: what policies are is read once for all.
  let collected: readonly Family[] | undefined;
  const familyOf = (key: InstrumentKey): Family => {
    if (collected === undefined) {
      collected = meter.collect();
      Promise.resolve().then(() => {
        collected = undefined;
      });
    }
    return collected.find((family) => family.key === key) as Family;
  };
  const metrics =
    registry === undefined ? [] : (Object.keys(instruments) as InstrumentKey[]).map((key) => metricOf(key, familyOf));
  // A registry may rename what it takes up.
  const names: string[] = [];
  const close = (): void => {
    meter.stop();
    for (const name of names) registry?.removeSingleMetric(name);
  };
  try {
    for (const metric of metrics) {
      const { name } = metric;
      registry?.registerMetric(metric as never);
      names.push(name);
    }
  } catch (fault) {
    close();
    throw fault;
  }
  return {
    contentType,
    text,
    handler: (request, response) => answer(reply(request), request, response),
    fetch: (request) => answered(reply(request), request),
    watch: (...policies) => meter.watch(read('watch', policies, policiesOf) as Iterable<Teller>),
    close,
  };
}

/** What a cluster makes of the samples of its workers. Of what is no count it is the worse: the highest, and what opened first. */
const aggregatorOf = (key: InstrumentKey): string =>
  instruments[key].kind !== 'gauge' ? 'sum' : key === 'opened' ? 'min' : 'max';

function metricOf(key: InstrumentKey, familyOf: (key: InstrumentKey) => Family): RegisteredMetric {
  const instrument = instruments[key];
  const about = {
    name: prometheusName(instrument),
    help: instrument.description,
    type: prometheusType(instrument),
    aggregator: aggregatorOf(key),
  };
  const metric: RegisteredMetric = {
    ...about,
    // A registry of OpenMetrics has taken the suffix off the name, and puts it on again.
    get: async () => ({ ...about, name: metric.name, values: samplesOf(familyOf(key)) }),
    // Of the registry's own tests: what a breaker has counted is not thrown away with it.
    reset: () => {},
  };
  return metric;
}
