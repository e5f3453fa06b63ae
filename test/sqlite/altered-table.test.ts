/** ALTER TABLE of tables that the log of changes has triggers on. */

import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { Statement } from "../../src/sqlite/values.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";
import { failureOf, sql, temporaryPath } from "./support.ts";

let store: SqliteStore;

beforeEach(async () => {
  store = await openSqliteStore({ url: `sqlite:///${temporaryPath()}` });
  onTestFinished(() => store.close());
  await store.write([
    sql("CREATE TABLE t (id INTEGER PRIMARY KEY, label TEXT UNIQUE, extra INTEGER)"),
    sql("CREATE TABLE other (id INTEGER PRIMARY KEY)"),
    sql("INSERT INTO t VALUES (1, 'a', 5)"),
  ]);
  await store.prepareLog();
  await store.write([sql("DELETE FROM springhouse_log WHERE seq < 99 AND nonce IS NULL")]);
});

async function rows(text: string): Promise<unknown> {
  return (await store.read(sql(text))).rows;
}

/** What the log says of tables, in order; ticks left out. */
function logged(): Promise<unknown> {
  return rows(`SELECT s.table_name, l.kind FROM springhouse_log l
    JOIN springhouse_log_shapes s ON s.id = l.shape ORDER BY l.seq`);
}

function triggers(table: string): Promise<unknown> {
  return rows(`SELECT count(*) FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = '${table}'
    AND name LIKE 'springhouse\\_log\\_%' ESCAPE '\\'`);
}

const DROP = sql("ALTER TABLE t DROP COLUMN extra");
const INSERT = sql("INSERT INTO t (label) VALUES ('b')");

describe("a table that is altered", () => {
  it.each<[string, (unit: readonly Statement[]) => Promise<unknown>]>([
    ["in a unit of its own", (unit) => store.write(unit)],
    [
      "beside other units",
      (unit) =>
        Promise.all([store.write([sql("INSERT INTO other VALUES (1)")]), store.write(unit)]),
    ],
    ["in a transaction", (unit) => store.transaction((tx) => tx.write(unit))],
  ])("is logged by row from then on, %s", async (_, write) => {
    await write([DROP, INSERT]);

    expect(await rows("SELECT * FROM t")).toEqual([
      [1, "a"],
      [2, "b"],
    ]);
    expect(await triggers("t")).toEqual([[5]]);
    const told = (await logged()) as unknown[][];
    expect(told.filter(([table]) => table === "t")).toEqual([
      ["t", 0],
      ["t", 0],
      ["t", 1],
    ]);
  });

  it.each([
    "alter table main.T drop column extra",
    '/* why */ ALTER TABLE "t" DROP extra',
    "ALTER TABLE [t] RENAME COLUMN extra TO more",
    "ALTER TABLE t ADD COLUMN more",
  ])("may be named in any way: %s", async (text) => {
    await store.write([sql(text)]);

    expect(await triggers("t")).toEqual([[5]]);
    expect(await rows("SELECT id, label FROM t")).toEqual([[1, "a"]]);
  });

  it("has its triggers under its new name", async () => {
    await store.write([sql("ALTER TABLE t RENAME TO tasks")]);

    expect([await triggers("t"), await triggers("tasks")]).toEqual([[[0]], [[5]]]);
    expect(await logged()).toEqual([
      ["t", 0],
      ["tasks", 0],
    ]);
  });

  it("keeps its triggers when the statement fails", async () => {
    const before = await rows("SELECT name, sql FROM sqlite_schema ORDER BY rowid");

    const failed = store.write([INSERT, sql("ALTER TABLE t DROP COLUMN label")]);
    const inTransaction = store.transaction(async (tx) => {
      const error = await failureOf(tx.write([sql("ALTER TABLE t DROP COLUMN nowhere")]));
      await tx.write([INSERT]);
      return error.message;
    });

    await expect(failed).rejects.toThrow(/cannot drop UNIQUE column/);
    expect(await inTransaction).toMatch(/no such column: "nowhere"/);
    expect(await rows("SELECT name, sql FROM sqlite_schema ORDER BY rowid")).toEqual(before);
    expect(await logged()).toEqual([["t", 1]]);
  });

  it("gets no triggers when it had none", async () => {
    const { dropped } = await store.transaction(async (tx) => {
      const names = `SELECT 'DROP TRIGGER "' || name || '"' FROM sqlite_schema
        WHERE type = 'trigger' AND tbl_name = 't'`;
      const drops = (await tx.read(sql(names))).rows.map(([text]) => sql(String(text)));
      await tx.write(drops);
      return { dropped: drops.length };
    });

    await store.write([DROP]);

    expect(dropped).toBe(5);
    expect(await triggers("t")).toEqual([[0]]);
  });
});
