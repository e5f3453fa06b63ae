/** A guard around a real database. */

import { rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, it, onTestFinished } from "vitest";
import { ERROR_CODES, SpringhouseError } from "../../src/core/errors.ts";
import { classifyDatabaseError, databaseGuard } from "../../src/resilience/database-guard.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";
import { failureOf, sql, temporaryPath } from "../sqlite/support.ts";

const quick = { attempts: 2, delay: 0 } as const;

async function opened(options: { readonly busyTimeoutMs?: number } = {}): Promise<SqliteStore> {
  const store = await openSqliteStore({ url: `sqlite:${temporaryPath()}`, ...options });
  onTestFinished(() => store.close());
  await store.write([sql("CREATE TABLE t (id INTEGER PRIMARY KEY)")]);
  return store;
}

const put = (store: SqliteStore, id: number) => store.write([sql("INSERT INTO t VALUES (?)", id)]);

describe("a guard around a database", () => {
  it("neither repeats nor counts rows that break a rule, and statements that are wrong", async () => {
    const store = await opened();
    const safe = databaseGuard({ retry: quick, circuitBreaker: { failures: 1 } });
    await safe.execute(() => put(store, 1));

    const twice = await failureOf(safe.execute(() => put(store, 1)));
    const wrong = await failureOf(safe.execute(() => store.read(sql("SELECT nothing FROM t"))));
    const own = await failureOf(safe.execute(() => Promise.reject(new TypeError("own mistake"))));

    expect([twice.code, wrong.code, own.name]).toEqual(["CONSTRAINT", "SQL", "TypeError"]);
    expect(safe.statistics()).toMatchObject({ state: "closed", retries: 0, failures: 3 });
  });

  it("repeats a write that found the database locked, and never opens because of it", async () => {
    const store = await opened({ busyTimeoutMs: 1 });
    const other = new DatabaseSync(store.path);
    onTestFinished(() => other.close());
    const safe = databaseGuard({ retry: quick, circuitBreaker: { failures: 1 } });
    other.exec("BEGIN IMMEDIATE");

    const locked = await failureOf(safe.execute(() => put(store, 1)));
    let attempts = 0;
    await safe.execute(
      async ({ attempt }) => {
        attempts = attempt;
        if (attempt === 2) other.exec("COMMIT");
        await put(store, 2);
      },
      { isRepeatable: false },
    );

    expect(locked.code).toBe("BUSY");
    expect(attempts).toBe(2);
    expect(safe.statistics()).toMatchObject({ state: "closed", retries: 2, successes: 1 });
  });

  it("opens when the database is gone, without trying again", async () => {
    const store = await openSqliteStore({ url: `sqlite:${temporaryPath()}` });
    onTestFinished(() => store.close());
    rmSync(store.path);
    const safe = databaseGuard({ retry: quick, circuitBreaker: { failures: 1 } });

    const lost = await failureOf(safe.execute(() => put(store, 1)));
    const refused = await failureOf(safe.execute(() => put(store, 1)));

    expect([lost.code, refused.code]).toEqual(["UNOPENABLE", "CIRCUIT_OPEN"]);
    expect(safe.statistics()).toMatchObject({ state: "open", retries: 0 });
  });

  it("has retry and a circuit unless they are given, and knows itself what an error means", () => {
    expect(databaseGuard().name).toBe("database");
    expect(() => databaseGuard({ isFailure: () => true } as never)).toThrow(/unknown option/);
  });

  it("takes every other error for an answer", () => {
    const kinds = Object.groupBy(ERROR_CODES, (code) =>
      classifyDatabaseError(new SpringhouseError(code, "")),
    );

    expect(kinds.busy).toEqual(["BUSY", "POOL_TIMEOUT"]);
    expect(kinds.broken).toEqual([
      "CORRUPT",
      "DISK_FULL",
      "IO",
      "NOT_A_DATABASE",
      "UNOPENABLE",
      "WORKER_DIED",
    ]);
    expect(kinds.failure).toBeUndefined();
  });
});
