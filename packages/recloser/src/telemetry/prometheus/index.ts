import { having, optionsOf, read } from '../../core/check.ts';
import type { Teller } from '../channels.ts';
import { answer, answered, type HttpRequest, type HttpResponse, onlyRead, type Reply } from '../http.ts';
import { type InstrumentKey, instruments, prometheusName } from '../instruments.ts';
import { type Family, Meter, type MeterOptions, meterOptions, policiesOf } from '../meter/meter.ts';
import { exposition, prometheusType, type Sample, samplesOf } from './exposition.ts';

export type { Sample } from './exposition.ts';
export type { HttpRequest, HttpResponse, MeterOptions };

/** A metric in the form that prom-client's registry takes. */
export interface RegisteredMetric {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly aggregator: string;
  /** Its samples at this moment. */
  get(): Promise<Omit<RegisteredMetric, 'get' | 'reset'> & { readonly values: readonly Sample[] }>;
  /** Does nothing. */
  reset(): void;
}

/** What is used of prom-client's `Registry`. Tested with 15.1. */
export interface PrometheusRegistry {
  /** Adds a metric. */
  registerMetric(metric: never): void;
  /** Removes a metric. */
  removeSingleMetric(name: string): void;
}

/** Options of `prometheus`. */
export interface PrometheusOptions extends MeterOptions {
  /** A registry of prom-client, to expose these metrics together with others. Without it there are `text` and `handler`. */
  readonly registry?: PrometheusRegistry | undefined;
}

/** Metrics for Prometheus. */
export interface PrometheusSink {
  /** The content type of what `text` returns: the text format 0.0.4. */
  readonly contentType: string;
  /** All metrics at this moment. Reading them changes nothing. */
  text(): string;
  /** Answers a scrape; for `node:http`, Express and the like. */
  readonly handler: (request: HttpRequest, response: HttpResponse) => void;
  /** The same for the Fetch standard: Hono, Deno, Bun, route handlers. */
  readonly fetch: (request: HttpRequest) => Response;
  /** Adds policies that were made before the sink. @throws TypeError */
  watch(...policies: readonly object[]): void;
  /** Stops listening, and removes its metrics from the registry. */
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
 * Metrics of all policies for Prometheus, as listed in the documentation. Make it first: it learns of a policy made before it only when that
 * has something to tell, unless it is among `policies`.
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
  // A registry asks for one metric after the other within one turn: policies are read once for all of them.
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

/** How a cluster combines the samples of its workers. For gauges, the worst counts: the highest value, or the earliest opening. */
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
    // What breakers have counted is not thrown away because a registry is reset, as tests do.
    reset: () => {},
  };
  return metric;
}
