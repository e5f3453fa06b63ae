/**
 * `metrics_snapshots.json`: metrics by week. The files have an object by week, "2025-44" or
 * "2025-W44"; the list with `snapshot_date` and `metric_type` that the plan assumed is read too.
 */

import { storable } from "../exact-json.ts";
import { type Complain, isObject, JsonReader, type Path } from "../json-reader.ts";
import { type JsonObject, METRIC_TYPES, type MetricPoint, type MetricType } from "../model.ts";
import { parseDay } from "../moments.ts";
import { partSecrets } from "../secrets.ts";
import { parseWeek, weekOf } from "../weeks.ts";

/** Metrics of DORA; all others are of flow. Their names may begin with "dora_". */
const DORA = [
  "deployment_frequency",
  "lead_time_for_changes",
  "change_failure_rate",
  "mean_time_to_recovery",
];

/** The kind of a metric, from its name. */
export function metricTypeOf(name: string): MetricType {
  return name.startsWith("dora_") || DORA.includes(name) ? "dora" : "flow";
}

/** Reads all points. A week that stands there in two forms is one; the later point counts. */
export function readSnapshots(given: unknown, madeAt: string, complain: Complain): MetricPoint[] {
  const value = storable(partSecrets(given).rest, [], complain);
  const found = Array.isArray(value)
    ? value.flatMap((item, index) => readListed(item, madeAt, complain, [index]))
    : Object.entries(objectOf(value, complain)).flatMap(([week, metrics]) =>
        readWeek(week, metrics, madeAt, complain),
      );
  const points = new Map<string, MetricPoint>();
  for (const point of found) {
    const key = `${point.week} ${point.type} ${point.name}`;
    const before = points.get(key);
    if (before === undefined || before.createdAt <= point.createdAt) points.set(key, point);
  }
  return [...points.values()].sort(byPlace);
}

function objectOf(value: unknown, complain: Complain): JsonObject {
  if (isObject(value)) return value;
  complain([], "is neither an object by week nor a list of snapshots");
  return {};
}

function readWeek(
  key: string,
  metrics: unknown,
  madeAt: string,
  complain: Complain,
): MetricPoint[] {
  const week = parseWeek(key);
  if (week === undefined) complain([key], "is not a week such as 2025-W44");
  if (!isObject(metrics)) complain([key], "is not an object of metrics");
  if (week === undefined || !isObject(metrics)) return [];
  return Object.entries(metrics).map(([name, metric]) => {
    if (!isObject(metric))
      return { week, type: metricTypeOf(name), name, value: metric, createdAt: madeAt };
    const reader = new JsonReader(metric, [key, name], complain);
    const createdAt = reader.moment("timestamp", madeAt);
    return { week, type: metricTypeOf(name), name, value: reader.extras(), createdAt };
  });
}

function readListed(value: unknown, madeAt: string, complain: Complain, path: Path): MetricPoint[] {
  const reader = new JsonReader(value, path, complain);
  const date = reader.text("snapshot_date", "");
  const day = parseDay(date);
  const week = parseWeek(date) ?? (day === undefined ? undefined : weekOf(day));
  if (week === undefined) reader.problem("snapshot_date", "is not a week such as 2025-W44");
  const createdAt = reader.moment("created_at", madeAt);
  const given = reader.text("metric_type", "flow");
  const type = METRIC_TYPES.find((each) => each === given) ?? "flow";
  if (type !== given) reader.problem("metric_type", `is "${given}", neither dora nor flow`);
  if (week === undefined) return [];
  return [...valuesIn(reader)].map(([name, value]) => ({ week, type, name, value, createdAt }));
}

/**
 * The values of a listed snapshot: a metric has its forecast in it. A forecast of nothing, and
 * members that nobody knows, are kept by their names, as in an object by week.
 */
function valuesIn(reader: JsonReader): Map<string, unknown> {
  const metrics = reader.object("metrics");
  const values = new Map(Object.entries(metrics));
  for (const [name, forecast] of Object.entries(reader.object("forecast"))) {
    const metric = Object.hasOwn(metrics, name) ? objectFrom(metrics[name]) : {};
    values.set(name, { ...metric, forecast });
  }
  for (const [name, value] of Object.entries(reader.extras())) {
    if (values.has(name)) reader.problem(name, "is the name of a metric as well");
    else values.set(name, value);
  }
  return values;
}

function objectFrom(metric: unknown): JsonObject {
  return isObject(metric) ? metric : { value: metric };
}

/** The order of points wherever they come from: by week, kind and name. */
export function byPlace(a: MetricPoint, b: MetricPoint): number {
  if (a.week !== b.week) return a.week < b.week ? -1 : 1;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  return a.name < b.name ? -1 : 1;
}

/**
 * The points as the file has them: an object by week, or the list, which alone can say that the
 * kind of a metric is not what its name tells, and that a value has a timestamp of its own.
 */
export function writeSnapshots(points: readonly MetricPoint[]): unknown {
  return points.every(isToldByWeek) ? writeByWeek(points) : writeListed(points);
}

function isToldByWeek({ type, name, value }: MetricPoint): boolean {
  return type === metricTypeOf(name) && !(isObject(value) && Object.hasOwn(value, "timestamp"));
}

function writeByWeek(points: readonly MetricPoint[]): JsonObject {
  const weeks: Record<string, Record<string, unknown>> = {};
  for (const { week, name, value, createdAt } of points) {
    const metrics = weeks[week] ?? {};
    weeks[week] = metrics;
    metrics[name] = isObject(value) ? { ...value, timestamp: createdAt } : value;
  }
  return weeks;
}

function writeListed(points: readonly MetricPoint[]): JsonObject[] {
  const snapshots = Map.groupBy(
    points,
    ({ week, type, createdAt }) => `${week} ${type} ${createdAt}`,
  );
  return [...snapshots.values()].flatMap((group) => {
    const [first] = group;
    if (first === undefined) return [];
    const metrics = Object.fromEntries(group.map(({ name, value }) => [name, value]));
    const { week, type, createdAt } = first;
    return [{ snapshot_date: week, metric_type: type, metrics, created_at: createdAt }];
  });
}
