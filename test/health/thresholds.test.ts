import { describe, expect, it } from "vitest";
import { createHealth } from "../../src/health/health.ts";
import type { CreateHealthOptions } from "../../src/health/options.ts";
import { worstOf } from "../../src/health/report.ts";
import { formatLimit, resolveThresholds, statusOf } from "../../src/health/thresholds.ts";

const MB = 1_024 ** 2;

describe("thresholds", () => {
  it("are those of the table, one by one replaced by those that are given", () => {
    const given = resolveThresholds({ logSize: { warning: "128MB" }, slowQueries: { warning: 3 } });

    expect(given.logSize).toEqual({ warning: 128 * MB, unhealthy: 1_024 * MB });
    expect(given.slowQueries).toEqual({ warning: 3, unhealthy: 0 });
    expect(given.diskFree).toEqual({ warning: 1_024 * MB, unhealthy: 100 * MB });
  });

  it("are met from above, from below, and by as many as they say", () => {
    const limits = resolveThresholds({ cacheHitRate: { warning: 80, unhealthy: 50 } });

    expect(statusOf(limits, "readerAge", 30_000)).toBe("healthy");
    expect(statusOf(limits, "readerAge", 30_001)).toBe("warning");
    expect(statusOf(limits, "cacheHitRate", 80)).toBe("healthy");
    expect(statusOf(limits, "cacheHitRate", 79)).toBe("warning");
    expect(statusOf(limits, "cacheHitRate", 49)).toBe("unhealthy");
    expect(statusOf(limits, "busyErrors", 1)).toBe("warning");
  });

  it("are switched off by 0", () => {
    const limits = resolveThresholds({ logSize: { warning: 0 }, diskFree: { unhealthy: 0 } });

    expect(statusOf(limits, "logSize", 900 * MB)).toBe("healthy");
    expect(statusOf(limits, "logSize", 1_025 * MB)).toBe("unhealthy");
    expect(statusOf(limits, "diskFree", 0)).toBe("warning");
  });

  it("give way when the other one is moved past them", () => {
    const limits = resolveThresholds({
      logSize: { warning: "2GB" },
      diskFree: { unhealthy: "5GB" },
    });

    expect(limits.logSize).toEqual({ warning: 2_048 * MB, unhealthy: 2_048 * MB });
    expect(limits.diskFree).toEqual({ warning: 5_120 * MB, unhealthy: 5_120 * MB });
  });

  it.each([
    [{ logSize: { warning: "2GB", unhealthy: "1GB" } }, /logSize: unhealthy "1GB" is met before/],
    [{ diskFree: { warning: "1GB", unhealthy: "2GB" } }, /Exchange them/],
    [{ logsize: {} }, /Did you mean "logSize"/],
    [{ logSize: { critical: 1 } }, /unknown option "critical"/],
    [{ readerAge: { warning: "soon" } }, /thresholds.readerAge.warning: "soon" is not a duration/],
    [{ cacheHitRate: { warning: 101 } }, /It is a number from 0 to 100/],
    [{ slowQueries: { warning: "3" } }, /It is a number from 0/],
  ])("refuse %j", (options, message) => {
    expect(() => resolveThresholds(options as never)).toThrow(message);
  });

  it("are written as people write them", () => {
    expect(formatLimit("logSize", 64 * MB)).toBe("64.0 MB");
    expect(formatLimit("backupAge", 93_600_000)).toBe("26 h");
    expect(formatLimit("cacheHitRate", 80)).toBe("80 %");
    expect(formatLimit("busyErrors", 3)).toBe("3");
  });
});

describe("the worst of several", () => {
  it("is never hidden by one that is better", () => {
    expect(worstOf([])).toBe("healthy");
    expect(worstOf(["healthy", "unhealthy", "warning"])).toBe("unhealthy");
    expect(worstOf(["warning", "healthy"])).toBe("warning");
  });
});

describe("options of health", () => {
  it.each([
    [{ intervall: "5s" }, /unknown option "intervall"/],
    [{ enabled: "yes" }, /health enabled must be true or false/],
    [{ healthCheckInterval: 0 }, /health healthCheckInterval: 0 is refused/],
    [{ checkTimeout: "never" }, /health checkTimeout: "never" is not a duration/],
    [{ database: {} }, /health database must be an open database.*no method vitals/],
    [{ caches: { pages: {} } }, /health caches.pages must be a cache/],
    [{ guards: [{ statistics: () => 0 }] }, /health guards.0.name must be a text/],
    [{ probes: { redis: true } }, /health probes.redis must be a function/],
    [{ backups: 5 }, /health backups must be a folder, or a source of backups/],
  ])("refuse %j", (options, message) => {
    expect(() => createHealth(options as unknown as CreateHealthOptions)).toThrow(message);
  });
});
