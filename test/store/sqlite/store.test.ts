/** What the SQLite store does beyond the contract. */

import { AsyncLocalStorage } from "node:async_hooks";
import { join, relative } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import type { Environment } from "../../../src/sqlite/database-file.ts";
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from "../../../src/store/sqlite/store.ts";
import type { SqlValue } from "../../../src/store/store.ts";
import { FakeClock, failureOf, settle, sql, temporaryPath } from "../../sqlite/support.ts";

async function open(
  options: Partial<SqliteStoreOptions> = {},
  environment?: Environment,
): Promise<SqliteStore> {
  const url = `sqlite:///${temporaryPath()}`;
  const store = await openSqliteStore({ url, ...options }, environment);
  onTestFinished(() => store.close());
  await store.write([
    sql("CREATE TABLE parent (id INTEGER PRIMARY KEY)"),
    sql("CREATE TABLE child (id INTEGER PRIMARY KEY, parent_id INT REFERENCES parent)"),
  ]);
  return store;
}

const count = async (store: SqliteStore, table: string): Promise<SqlValue | undefined> =>
  (await store.read(sql(`SELECT count(*) FROM ${table}`))).rows[0]?.[0];

describe("opening a store", () => {
  it("takes a relative file, an absolute one, and a parsed location", async () => {
    const path = temporaryPath();
    const urls = [
      `sqlite:${relative(process.cwd(), path)}`,
      `sqlite:///${relative(process.cwd(), path)}`,
      `sqlite:///${path}`,
      { kind: "file", path },
    ] as const;

    for (const url of urls) {
      await using store = await openSqliteStore({ url });
      expect(store.path).toBe(path);
    }
  });

  it.each([
    [{ url: "postgres://localhost/app" }, "INVALID_URL"],
    [{} as never, "INVALID_URL"],
    [{ url: "sqlite::memory:", transactionDeadlineMs: -1 }, "INVALID_ARGUMENT"],
    [{ url: "sqlite::memory:", deadlineMs: 1 } as never, "INVALID_ARGUMENT"],
    [{ url: "sqlite::memory:", pool: { maxSize: 0 } }, "INVALID_ARGUMENT"],
    [{ url: "sqlite::memory:", journalMode: "memory" }, "INVALID_ARGUMENT"],
    [{ url: `sqlite:${join("no", "such", "folder", "app.db")}` }, "UNOPENABLE"],
  ] satisfies [SqliteStoreOptions, string][])("refuses %j with %s", async (options, code) => {
    expect(await failureOf(openSqliteStore(options))).toMatchObject({ code });
  });

  it("for reading refuses every way of writing", async () => {
    const writing = await open();
    const store = await openSqliteStore({ url: `sqlite:///${writing.path}`, readOnly: true });
    onTestFinished(() => store.close());
    const refused = { code: "READ_ONLY" };

    await expect(store.write([sql("DELETE FROM parent")])).rejects.toMatchObject(refused);
    await expect(store.writeMany("DELETE FROM parent", [])).rejects.toMatchObject(refused);
    await expect(store.transaction(async () => 1)).rejects.toMatchObject(refused);
    expect(await count(store, "parent")).toBe(0);
    expect((await store.describe()).readOnly).toBe(true);
  });
});

describe("two stores of one file", () => {
  it("know of each other's transactions, since they share the writer", async () => {
    const first = await open();
    const second = await openSqliteStore({ url: { kind: "file", path: first.path } });
    onTestFinished(() => second.close());

    await first.transaction(async (transaction) => {
      expect(second.current).toBe(transaction);
      await expect(second.write([sql("DELETE FROM parent")])).rejects.toMatchObject({
        code: "TRANSACTION_REENTRY",
      });
    });

    await second.write([sql("INSERT INTO parent VALUES (1)")]);
    expect(await count(first, "parent")).toBe(1);
  });
});

describe("code that runs when its turn comes", () => {
  it("runs in the context of its own caller", async () => {
    const store = await open();
    const request = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    function* source(): Generator<readonly SqlValue[]> {
      seen.push(request.getStore());
      yield [1];
    }

    await Promise.all([
      request.run("first", () => store.transaction(async () => seen.push(request.getStore()))),
      request.run("second", () => store.transaction(async () => seen.push(request.getStore()))),
      request.run("third", () => store.writeMany("INSERT INTO parent VALUES (?)", source())),
      store.transaction(async () => seen.push(request.getStore())),
    ]);

    expect(seen).toEqual(["first", "second", "third", undefined]);
  });
});

describe("foreign keys", () => {
  it("hold, and can be switched off around one transaction", async () => {
    const store = await open();
    const orphan = sql("INSERT INTO child VALUES (1, 99)");
    await expect(store.write([orphan])).rejects.toMatchObject({ code: "CONSTRAINT" });

    await store.transaction((transaction) => transaction.write([orphan]), { foreignKeys: "off" });

    expect(await count(store, "child")).toBe(1);
    await expect(store.write([sql("INSERT INTO child VALUES (2, 99)")])).rejects.toMatchObject({
      fields: { kind: "foreignKey" },
    });
  });

  it("hold again after a transaction without them has failed", async () => {
    const store = await open();

    const failing = store.transaction(() => Promise.reject(new Error("no")), {
      foreignKeys: "off",
    });
    await expect(failing).rejects.toThrow("no");

    await expect(store.write([sql("INSERT INTO child VALUES (2, 99)")])).rejects.toMatchObject({
      code: "CONSTRAINT",
    });
  });

  it("and the deadline belong to the outermost transaction", async () => {
    const store = await open();

    await store.transaction(async (outer) => {
      for (const options of [{ foreignKeys: "off" }, { deadlineMs: 5 }] as const) {
        await expect(outer.transaction(async () => 1, options)).rejects.toMatchObject({
          code: "INVALID_ARGUMENT",
        });
      }
    });
  });
});

describe("a transaction", () => {
  it("has a deadline of five seconds unless told otherwise", async () => {
    const clock = new FakeClock();
    const store = await open({}, { clock });
    const begun = Promise.withResolvers<void>();
    const late = failureOf(
      store.transaction(async (transaction) => {
        await transaction.write([sql("INSERT INTO parent VALUES (1)")]);
        begun.resolve();
        await new Promise<never>(() => undefined);
      }),
    );
    await begun.promise;

    clock.advance(4_999);
    await settle();
    expect(store.current).toBeUndefined();
    clock.advance(1);

    expect(await late).toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      message: expect.stringContaining("after 5000 ms"),
    });
    expect(await count(store, "parent")).toBe(0);
  });

  it("may have a deadline for its pauses alone", async () => {
    const clock = new FakeClock();
    const store = await open({ transactionDeadlineMs: 3_000 }, { clock });
    const put = (id: number) => [sql("INSERT INTO parent VALUES (?)", id)];
    const stalled = Promise.withResolvers<void>();

    const late = failureOf(
      store.transaction(
        async (transaction) => {
          for (let id = 0; id < 5; id++) {
            clock.advance(2_999);
            await transaction.write(put(id));
          }
          stalled.resolve();
          await new Promise<never>(() => undefined);
        },
        { deadlineFor: "pauses" },
      ),
    );
    await stalled.promise;
    clock.advance(3_000);

    expect(await late).toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      message: expect.stringContaining("wrote nothing for 3000 ms"),
    });
    await store.write(put(9));
    expect(await count(store, "parent")).toBe(1);
  });

  it("ends for the code that goes on after its deadline", async () => {
    const store = await open({ transactionDeadlineMs: 20 });
    const gate = Promise.withResolvers<void>();
    const later = Promise.withResolvers<unknown>();

    const late = store.transaction(async (transaction) => {
      await gate.promise;
      later.resolve(await failureOf(transaction.write([sql("INSERT INTO parent VALUES (1)")])));
    });
    await expect(late).rejects.toMatchObject({ code: "TRANSACTION_TIMEOUT" });
    gate.resolve();

    expect(await later.promise).toMatchObject({ code: "TRANSACTION_ENDED" });
    expect(await count(store, "parent")).toBe(0);
  });

  it("that was rolled back by a statement cannot be committed", async () => {
    const store = await open();

    const failing = store.transaction(async (transaction) => {
      await transaction.write([sql("INSERT INTO parent VALUES (1)")]);
      const fatal = transaction.write([sql("INSERT OR ROLLBACK INTO parent VALUES (1)")]);
      await expect(fatal).rejects.toMatchObject({ code: "CONSTRAINT" });
      // The function goes on as if nothing had happened.
    });

    await expect(failing).rejects.toMatchObject({ code: "TRANSACTION_ENDED" });
    expect(await count(store, "parent")).toBe(0);
  });

  it("writes a unit of thousands of statements as one part", async () => {
    const store = await open();
    const many = Array.from({ length: 2_500 }, (_, id) => sql("INSERT INTO parent VALUES (?)", id));

    await store.transaction(async (transaction) => {
      const failing = transaction.write([...many, sql("INSERT INTO parent VALUES (1)")]);
      await expect(failing).rejects.toMatchObject({ code: "CONSTRAINT" });
      expect((await transaction.write(many)).length).toBe(2_500);
    });

    expect(await count(store, "parent")).toBe(2_500);
  });

  it("gives large results whole", async () => {
    const store = await open();
    const rows = Array.from({ length: 3_000 }, (_, id) => [id]);

    await store.transaction(async (transaction) => {
      await transaction.writeMany("INSERT INTO parent VALUES (?)", rows);
      const read = await transaction.read(sql("SELECT id FROM parent ORDER BY id"));
      const [deleted] = await transaction.write([sql("DELETE FROM parent RETURNING id")]);

      expect(read.rows).toEqual(rows);
      expect(deleted?.rows.length).toBe(3_000);
    });
  });

  it("refuses reads that write and writes that are unfit", async () => {
    const store = await open();

    await store.transaction(async (transaction) => {
      const refused = { code: "STATEMENT_REFUSED" };
      await expect(transaction.read(sql("DELETE FROM parent"))).rejects.toMatchObject(refused);
      await expect(transaction.write([sql("COMMIT")])).rejects.toMatchObject(refused);
      await expect(transaction.writeMany("BEGIN", [[]])).rejects.toMatchObject(refused);
      expect(transaction.isWrite("DELETE FROM parent")).toBe(true);
      expect(transaction.isWrite("SELECT 1")).toBe(false);
    });
  });
});

describe("a bulk write", () => {
  it("is rolled back when its source lets the writer wait", async () => {
    const clock = new FakeClock();
    const store = await open({ transactionDeadlineMs: 3_000 }, { clock });
    let released = false;
    const waiting = Promise.withResolvers<void>();
    async function* source(): AsyncGenerator<readonly SqlValue[]> {
      try {
        for (let id = 0; id < 600; id++) yield [id];
        waiting.resolve();
        await new Promise<never>(() => undefined);
      } finally {
        released = true;
      }
    }

    const stalled = failureOf(store.writeMany("INSERT INTO parent VALUES (?)", source()));
    await waiting.promise;
    clock.advance(3_000);

    expect(await stalled).toMatchObject({
      code: "TRANSACTION_TIMEOUT",
      message: expect.stringContaining("its source gave no row"),
    });
    expect(released).toBe(false);
    await store.write([sql("INSERT INTO parent VALUES (1)")]);
    expect(await count(store, "parent")).toBe(1);
  });

  it("can be aborted while its source waits", async () => {
    const store = await open();
    const controller = new AbortController();
    async function* source(): AsyncGenerator<readonly SqlValue[]> {
      yield [1];
      controller.abort();
      await new Promise<never>(() => undefined);
    }

    const aborted = store.writeMany("INSERT INTO parent VALUES (?)", source(), {
      signal: controller.signal,
    });

    await expect(aborted).rejects.toMatchObject({ code: "ABORTED" });
    expect(await count(store, "parent")).toBe(0);
  });

  it("refuses what is no source of rows, no unit and no function", async () => {
    const store = await open();
    const careless = [
      store.writeMany("INSERT INTO parent VALUES (?)", null as never),
      store.write(null as never),
      store.transaction(5 as never),
    ];

    for (const call of careless) await expect(call).rejects.toThrow(/must be a (?:list|function)/);
  });

  it("refuses a row that is no list of values", async () => {
    const store = await open();

    const wrong = store.writeMany("INSERT INTO parent VALUES (?)", [[1], { id: 2 } as never]);

    await expect(wrong).rejects.toMatchObject({ code: "INVALID_ARGUMENT" });
    expect(await count(store, "parent")).toBe(0);
  });

  it("holds a few chunks in memory, however many rows its source has", async () => {
    const store = await open();
    let taken = 0;
    let written = 0;
    let ahead = 0;
    function* source(): Generator<readonly SqlValue[]> {
      for (; taken < 20_000; taken++) {
        ahead = Math.max(ahead, taken - written);
        yield [taken];
      }
    }

    await store.writeMany("INSERT INTO parent VALUES (?)", source(), {
      onProgress: (rows) => {
        written = rows;
      },
    });

    expect(written).toBe(20_000);
    expect(ahead).toBeLessThanOrEqual(1_500);
  });
});

describe("what a store reports", () => {
  it("covers the threads, the statements and the file", async () => {
    const store = await open();
    await count(store, "parent");

    expect(store.statistics()).toMatchObject({ size: 1, acquired: 1, timeouts: 0 });
    expect(store.queryStatistics().total).toBe(3);
    expect(await store.describe()).toMatchObject({ path: store.path, tables: ["child", "parent"] });
    expect(store.isWrite("INSERT INTO parent VALUES (1)")).toBe(true);
    expect(await store.snapshot((at) => at.read(sql("SELECT 1")))).toMatchObject({ rows: [[1]] });
  });
});
