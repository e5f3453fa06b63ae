import { describe, expect, it } from "vitest";
import type { ConfigInput } from "../../src/config/config.ts";
import { loadConfig } from "../../src/config/load.ts";
import { checkOpenOptions, sqliteStoreOptions } from "../../src/open/options.ts";
import { resolveDatabaseOptions } from "../../src/sqlite/options.ts";
import {
  type ResolvedSqliteStoreOptions,
  resolveSqliteStoreOptions,
} from "../../src/store/sqlite/options.ts";

async function resolved(database: ConfigInput["database"]) {
  const config = await loadConfig({ cwd: "/nowhere", env: {}, overrides: { database } });
  const options = resolveSqliteStoreOptions(sqliteStoreOptions(config.database));
  return { ...options, database: resolveDatabaseOptions(options.database) };
}

function defaults(): ResolvedSqliteStoreOptions {
  return resolveSqliteStoreOptions({ url: "sqlite:/nowhere/app.db" });
}

describe("the section database", () => {
  it("has only keys that open knows, so that it can be passed on as it is", async () => {
    const { database, migrations } = await loadConfig({ cwd: "/nowhere", env: {} });

    expect(() => checkOpenOptions({ ...database, migrations: migrations.directory })).not.toThrow();
  });

  it("gives a store the defaults that it has without a configuration", async () => {
    const { database, ...rest } = defaults();

    expect(await resolved({})).toEqual({ ...rest, database: resolveDatabaseOptions(database) });
  });

  it.each<[NonNullable<ConfigInput["database"]>, object]>([
    [{ url: "sqlite:/a.db" }, { location: { kind: "file", path: "/a.db" } }],
    [{ readOnly: true }, { database: { readOnly: true } }],
    [{ profile: "fast" }, { database: { profile: "fast" } }],
    [{ busyTimeout: "1s" }, { database: { busyTimeoutMs: 1_000 } }],
    [{ transactionDeadline: "2s" }, { transactionDeadlineMs: 2_000 }],
    [{ snapshotMaxAge: "3s" }, { database: { snapshotMaxAgeMs: 3_000 } }],
    [{ slowQueryThreshold: "4ms" }, { database: { slowQueryThresholdMs: 4 } }],
    [{ echo: true }, { database: { echo: expect.any(Function) } }],
    [{ pool: { minSize: 1 } }, { database: { pool: { minSize: 1 } } }],
    [{ pool: { maxSize: 5 } }, { database: { pool: { maxSize: 5 } } }],
    [{ pool: { connectionTimeout: 6 } }, { database: { pool: { connectionTimeoutMs: 6 } } }],
    [{ pool: { idleTimeout: 7 } }, { database: { pool: { idleTimeoutMs: 7 } } }],
    [{ pool: { maxLifetime: 8 } }, { database: { pool: { maxLifetimeMs: 8 } } }],
    [
      { pool: { leakDetectionThreshold: 9 } },
      { database: { pool: { leakDetectionThresholdMs: 9 } } },
    ],
  ])("passes on %j", async (database, expected) => {
    expect(await resolved(database)).toMatchObject(expected);
  });
});
