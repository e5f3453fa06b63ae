/** Metrics by the API of OpenTelemetry. */

import {
  metrics as api,
  type BatchObservableCallback,
  type MeterProvider,
} from "@opentelemetry/api";
import { describe, expect, it, onTestFinished } from "vitest";
import { SpringhouseError } from "../../src/core/errors.ts";
import { publishMetrics } from "../../src/health/opentelemetry.ts";
import { lookAfter, SaidDatabase } from "./support.ts";

interface Observed {
  readonly name: string;
  readonly value: number;
  readonly attributes: unknown;
}

/** An exporter that keeps what it collects. */
function register(): {
  readonly collect: () => Promise<readonly Observed[]>;
  readonly callbacks: Set<unknown>;
} {
  const callbacks = new Set<BatchObservableCallback>();
  const make = (kind: string) => (name: string) => ({ kind, name });
  const meter = {
    createObservableCounter: make("counter"),
    createObservableGauge: make("gauge"),
    addBatchObservableCallback: (callback: BatchObservableCallback) => callbacks.add(callback),
    removeBatchObservableCallback: (callback: BatchObservableCallback) =>
      callbacks.delete(callback),
  };
  api.setGlobalMeterProvider({ getMeter: () => meter } as unknown as MeterProvider);
  onTestFinished(() => api.disable());
  const collect = async (): Promise<readonly Observed[]> => {
    const observed: Observed[] = [];
    const observe = (instrument: unknown, value: number, attributes: unknown): void => {
      observed.push({ name: (instrument as { name: string }).name, value, attributes });
    };
    for (const callback of callbacks) await callback({ observe } as never);
    return observed;
  };
  return { collect, callbacks };
}

describe("metrics by OpenTelemetry", () => {
  it("are given to whatever exporter the application has registered, until it ends", async () => {
    const { collect, callbacks } = register();
    const published = await publishMetrics(lookAfter({ database: new SaidDatabase() }));

    const observed = await collect();
    published[Symbol.dispose]();

    expect(observed).toContainEqual({ name: "springhouse.ready", value: 1, attributes: {} });
    expect(observed).toContainEqual({
      name: "springhouse.readers",
      value: 2,
      attributes: { state: "idle" },
    });
    const waits = observed.filter(({ name }) => name.startsWith("springhouse.writer_wait_"));
    expect(waits.map(({ name, value }) => [name, value])).toEqual([
      ["springhouse.writer_wait_seconds_sum", 2],
      ["springhouse.writer_wait_seconds_count", 4],
    ]);
    expect(callbacks.size).toBe(0);
  });

  it("need their package, and say which one", async () => {
    const missing = new SpringhouseError("MISSING_DEPENDENCY", "npm install @opentelemetry/api");

    const publishing = publishMetrics(lookAfter({}), {}, () => Promise.reject(missing));

    await expect(publishing).rejects.toBe(missing);
    await expect(publishMetrics(lookAfter({}), { name: "x" } as never)).rejects.toThrow(/meter/);
  });
});
