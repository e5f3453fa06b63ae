/** The health of a database and what is around it: `springhouse/health`. */

export { createHealth, type Health, type HealthCallOptions, healthChannel } from "./health.ts";
export { type HealthHandlerOptions, healthFetch, healthListener } from "./http.ts";
export type { Metric, MetricFacts, MetricSample } from "./metrics.ts";
export { type PublishMetricsOptions, publishMetrics } from "./opentelemetry.ts";
export type { CreateHealthOptions, HealthOptions } from "./options.ts";
export { formatPrometheus } from "./prometheus.ts";
export type { QuickCheck } from "./quick-check.ts";
export type {
  HealthCheck,
  HealthCounters,
  HealthFinding,
  HealthReport,
  HealthStatus,
} from "./report.ts";
export type {
  HealthBackup,
  HealthBackups,
  HealthCache,
  HealthDatabase,
  HealthGuard,
  HealthProbe,
} from "./sources.ts";
export type { ThresholdLevels, ThresholdName, ThresholdOptions } from "./thresholds.ts";
