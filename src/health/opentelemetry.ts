/** Metrics by the API of OpenTelemetry, an optional package; the exporter is the application's. */

import type { Observable, ObservableResult } from "@opentelemetry/api";
import { assertMethods, assertText } from "../core/arguments.ts";
import { importOptional } from "../core/lazy.ts";
import { refuseUnknownKeys } from "../core/options.ts";
import type { Health } from "./health.ts";
import { factsOf, METRICS, type MetricName } from "./metrics.ts";

/** How the figures are published. */
export interface PublishMetricsOptions {
  /** The name of the meter. Default: "springhouse". */
  readonly meter?: string;
}

type Api = typeof import("@opentelemetry/api");

/** Imports the API, or says that it is missing. For tests. */
export type LoadApi = () => Promise<Api>;

const loadApi: LoadApi = () =>
  importOptional("@opentelemetry/api", "to publish metrics", () => import("@opentelemetry/api"));

/**
 * Publishes the metrics whenever the exporter of the application collects; disposing of the result
 * ends it. `springhouse_writer_waiting` becomes `springhouse.writer_waiting`. The API has no
 * histogram that is observed, so that of the waits comes as its sum and its count.
 *
 * @throws `MISSING_DEPENDENCY` when `@opentelemetry/api` is not installed.
 * @example using published = await publishMetrics(health);
 */
export async function publishMetrics(
  health: Health,
  options: PublishMetricsOptions = {},
  load: LoadApi = loadApi,
): Promise<Disposable> {
  assertMethods("publishMetrics: health", "made by createHealth", health, ["metrics"]);
  refuseUnknownKeys(options, ["meter"], "publishMetrics");
  const { meter: name = "springhouse" } = options;
  assertText("publishMetrics: meter", name);
  const { metrics } = await load();
  const meter = metrics.getMeter(name);
  const observables = new Map<string, Observable>();
  for (const metric of Object.keys(METRICS) as MetricName[]) {
    const { type, help } = factsOf(metric);
    const make = (suffix: string, isCounter: boolean): void => {
      const called = metric.replace("_", ".") + suffix;
      const observable = isCounter
        ? meter.createObservableCounter(called, { description: help })
        : meter.createObservableGauge(called, { description: help });
      observables.set(metric + suffix, observable);
    };
    if (type === "histogram") for (const suffix of ["_sum", "_count"]) make(suffix, true);
    else make("", type === "counter");
  }
  const observe = async (result: Pick<ObservableResult, never> & BatchResult): Promise<void> => {
    for (const { name: metric, samples } of await health.metrics()) {
      for (const { suffix = "", labels, value } of samples) {
        const observable = observables.get(metric + suffix);
        if (observable !== undefined) result.observe(observable, value, labels);
      }
    }
  };
  const all = [...observables.values()];
  meter.addBatchObservableCallback(observe, all);
  return { [Symbol.dispose]: () => meter.removeBatchObservableCallback(observe, all) };
}

interface BatchResult {
  observe(observable: Observable, value: number, attributes?: Record<string, string>): void;
}
