/** What would keep the writer for itself for ever. */

import { expect, it, onTestFinished } from "vitest";
import { openSqliteStore, type SqliteStore } from "../../../src/store/sqlite/store.ts";
import { failureOf, sql, temporaryPath } from "../../sqlite/support.ts";

async function open(path = temporaryPath()): Promise<SqliteStore> {
  const store = await openSqliteStore({ url: { kind: "file", path } });
  onTestFinished(() => store.close());
  await store.write([sql("CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY)")]);
  return store;
}

it("a promise among the rows of a bulk write is refused instead of awaited", async () => {
  const store = await open();
  const rows = [[1], new Promise(() => undefined)] as never;
  const insert = "INSERT INTO t VALUES (?)";

  const failures = [
    await failureOf(store.writeMany(insert, rows)),
    await failureOf(store.transaction((inner) => inner.writeMany(insert, rows))),
  ];

  expect(failures.map(({ code }) => code)).toEqual(["INVALID_ARGUMENT", "INVALID_ARGUMENT"]);
  await store.write([sql("INSERT INTO t VALUES (2)")]);
  expect((await store.read(sql("SELECT id FROM t"))).rows).toEqual([[2]]);
});

it("closing inside of a transaction is refused, unless another handle began it", async () => {
  const store = await open();
  const other = await open(store.path);

  const failure = await store.transaction(async (transaction) => {
    await transaction.write([sql("INSERT INTO t VALUES (1)")]);
    await other.close();
    return await failureOf(store.close());
  });

  expect(failure).toMatchObject({
    code: "TRANSACTION_REENTRY",
    message: expect.stringContaining("close()"),
  });
  expect((await store.read(sql("SELECT id FROM t"))).rows).toEqual([[1]]);
  await store.close();
});
