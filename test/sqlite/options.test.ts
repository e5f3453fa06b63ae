import { describe, expect, it } from "vitest";
import { type DatabaseOptions, resolveDatabaseOptions } from "../../src/sqlite/options.ts";

describe("the options of a file", () => {
  it("have defaults that keep every acknowledged write", () => {
    expect(resolveDatabaseOptions({})).toMatchObject({
      profile: "durable",
      readOnly: false,
      busyTimeoutMs: 30_000,
      snapshotMaxAgeMs: 60_000,
      slowQueryThresholdMs: 100,
      echo: undefined,
      pool: { minSize: 3, maxSize: 10 },
    });
  });

  it("echo to stderr when told to", () => {
    expect(resolveDatabaseOptions({ echo: true }).echo).toBeTypeOf("function");
    expect(resolveDatabaseOptions({ echo: false }).echo).toBeUndefined();
  });

  it.each([
    [{ journalMode: "MEMORY" }, "a killed process leaves a damaged file"],
    [{ journalMode: "delete" }, "write-ahead log"],
    [{ synchronous: "OFF" }, "a damaged file"],
    [{ synchronous: "normal" }, 'profile "fast"'],
    [{ profile: "fast", synchronous: "off" }, "a damaged file"],
    [{ profile: "quick" as never }, '"durable" or "fast"'],
    [{ readOnly: "yes" as never }, "true or false"],
    [{ echo: "stdout" as never }, "a function"],
    [{ busyTimeoutMs: -1 }, "busyTimeoutMs"],
    [{ snapshotMaxAgeMs: Number.NaN }, "snapshotMaxAgeMs"],
    [{ slowQueryThresholdMs: "1s" as never }, "slowQueryThresholdMs"],
    [{ cacheSizeBytes: -1 }, "cacheSizeBytes"],
    [{ pool: { minSize: 9, maxSize: 1 } }, "do not fit together"],
    [{ busyTimeout: 5 } as DatabaseOptions, 'Did you mean "busyTimeoutMs"?'],
  ] satisfies [DatabaseOptions, string][])("%j are refused with the reason", (options, reason) => {
    expect(() => resolveDatabaseOptions(options)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(reason),
      }),
    );
  });

  it("may name what the profile does anyway", () => {
    expect(() => resolveDatabaseOptions({ journalMode: "WAL", synchronous: "FULL" })).not.toThrow();
  });
});
