import { describe, expect, it } from "vitest";
import { type PoolOptions, resolvePoolOptions } from "../../src/sqlite/pool-options.ts";

describe("the settings of a pool", () => {
  it("have the defaults that people know", () => {
    expect(resolvePoolOptions()).toEqual({
      minSize: 3,
      maxSize: 10,
      connectionTimeoutMs: 5_000,
      idleTimeoutMs: 300_000,
      maxLifetimeMs: 3_600_000,
      leakDetectionThresholdMs: 60_000,
    });
  });

  it("follow each other when one is given alone", () => {
    expect(resolvePoolOptions({ maxSize: 2 })).toMatchObject({ minSize: 2, maxSize: 2 });
    expect(resolvePoolOptions({ minSize: 20 })).toMatchObject({ minSize: 20, maxSize: 20 });
  });

  it.each([
    [{ minSize: 5, maxSize: 2 }, "do not fit together"],
    [{ maxSize: 0 }, "do not fit together"],
    [{ maxSize: 5_000 }, "do not fit together"],
    [{ minSize: -1 }, "pool.minSize"],
    [{ minSize: 1.5 }, "pool.minSize"],
    [{ connectionTimeoutMs: -1 }, "pool.connectionTimeoutMs"],
    [{ idleTimeoutMs: Number.NaN }, "pool.idleTimeoutMs"],
    [{ idleTimeoutMs: 2 ** 31 }, "pool.idleTimeoutMs"],
    [{ maxLifetimeMs: Number.POSITIVE_INFINITY }, "pool.maxLifetimeMs"],
    [{ idleTimeoutMs: "5s" as never }, "pool.idleTimeoutMs"],
    [{ maxsize: 3 } as PoolOptions, 'Did you mean "maxSize"?'],
  ])("%j are refused", (options, reason) => {
    expect(() => resolvePoolOptions(options)).toThrow(
      expect.objectContaining({
        code: "INVALID_ARGUMENT",
        message: expect.stringContaining(reason),
      }),
    );
  });
});
