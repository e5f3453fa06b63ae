/** A strict reader of Prometheus's text format 0.0.4: it throws at whatever the format forbids. */

/** One line with a figure. */
export interface ParsedSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** The lines of one metric. */
export interface ParsedMetric {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly ParsedSample[];
}

const NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(,?)/;
const NUMBER = /^(?:[+-]?Inf|NaN|[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)$/;

/** Reads a whole text. */
export function parsePrometheus(text: string): ReadonlyMap<string, ParsedMetric> {
  if (!text.endsWith("\n")) throw new Error("The last line has no end.");
  const metrics = new Map<string, { type: string; help: string; samples: ParsedSample[] }>();
  let current = "";
  let help: string | undefined;
  for (const line of text.slice(0, -1).split("\n")) {
    const comment = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (comment?.[1] === "HELP") {
      current = take(NAME, comment[2] ?? "", true);
      if (metrics.has(current)) throw new Error(`${current} comes twice.`);
      help = comment[3] ?? "";
    } else if (comment?.[1] === "TYPE") {
      if (comment[2] !== current || help === undefined) throw new Error(`No HELP before: ${line}`);
      const type = comment[3] ?? "";
      if (!["counter", "gauge", "histogram"].includes(type)) throw new Error(`No type: ${line}`);
      metrics.set(current, { type, help, samples: [] });
      help = undefined;
    } else {
      const sample = parseSample(line);
      const base = sample.name.replace(/_(?:bucket|sum|count)$/, "");
      const metric = metrics.get(current);
      const isOwn = metric?.type === "histogram" ? base === current : sample.name === current;
      if (metric === undefined || !isOwn) throw new Error(`Out of its place: ${line}`);
      metric.samples.push(sample);
    }
  }
  for (const [name, metric] of metrics) checkMetric(name, metric);
  return metrics;
}

function parseSample(line: string): ParsedSample {
  const name = take(NAME, line);
  let rest = line.slice(name.length);
  const labels: Record<string, string> = {};
  if (rest.startsWith("{")) {
    rest = rest.slice(1);
    while (!rest.startsWith("}")) {
      const match = LABEL.exec(rest);
      const [whole = "", key = "", value = ""] = match ?? [];
      if (match === null || key in labels) throw new Error(`A label is wrong: ${line}`);
      labels[key] = value.replace(/\\(.)/g, (_, letter) => (letter === "n" ? "\n" : letter));
      rest = rest.slice(whole.length);
    }
    rest = rest.slice(1);
  }
  const number = rest.slice(1);
  if (!rest.startsWith(" ") || !NUMBER.test(number)) throw new Error(`No number: ${line}`);
  return { name, labels, value: Number(number.replace("Inf", "Infinity")) };
}

function take(form: RegExp, text: string, isWhole = false): string {
  const [found = ""] = form.exec(text) ?? [];
  if (found === "" || (isWhole && found !== text)) throw new Error(`No name: ${text}`);
  return found;
}

function checkMetric(name: string, { type, samples }: ParsedMetric): void {
  if (samples.length === 0) throw new Error(`${name} has no figure.`);
  const series = samples.map((sample) => `${sample.name}${JSON.stringify(sample.labels)}`);
  if (new Set(series).size < series.length) throw new Error(`${name} has a figure twice.`);
  if (type === "counter" && !name.endsWith("_total")) throw new Error(`${name} is no counter.`);
  if (type !== "histogram") return;
  const buckets = samples.filter((sample) => sample.name === `${name}_bucket`);
  const bounds = buckets.map(({ labels }) => Number(labels["le"]?.replace("Inf", "Infinity")));
  const isRising = (numbers: readonly number[]): boolean =>
    numbers.every((number, index) => index === 0 || number >= (numbers[index - 1] ?? 0));
  const count = samples.find((sample) => sample.name === `${name}_count`)?.value;
  const last = buckets.at(-1);
  if (!isRising(bounds) || !isRising(buckets.map(({ value }) => value))) {
    throw new Error(`The buckets of ${name} do not rise.`);
  }
  if (last?.labels["le"] !== "+Inf" || last.value !== count) {
    throw new Error(`${name} has another count than its last bucket.`);
  }
  if (!samples.some((sample) => sample.name === `${name}_sum`)) throw new Error(`${name}: no sum.`);
}
