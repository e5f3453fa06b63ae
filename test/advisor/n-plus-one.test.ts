import { describe, expect, it, onTestFinished } from "vitest";
import {
  assertNoNPlusOne,
  findNPlusOne,
  type NPlusOne,
  nPlusOneChannel,
} from "../../src/advisor/n-plus-one.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";

async function made(): Promise<SqliteStore> {
  const store = await openSqliteStore({ url: "sqlite::memory:" });
  onTestFinished(() => store.close());
  const schema = "CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER, title TEXT)";
  await store.write([{ sql: schema, parameters: [] }]);
  return store;
}

const read = (store: Pick<SqliteStore, "read">, week: number) =>
  store.read({ sql: "SELECT * FROM tasks WHERE week_id = ? LIMIT 1", parameters: [week] });

describe("one request", () => {
  it("that asks once for each row is found, with its place and the statement to use", async () => {
    const store = await made();
    let findings: readonly NPlusOne[] = [];
    const onEvent = (event: unknown): void => {
      ({ findings } = event as { findings: readonly NPlusOne[] });
    };
    nPlusOneChannel.subscribe(onEvent);
    onTestFinished(() => void nPlusOneChannel.unsubscribe(onEvent));

    const found = await findNPlusOne(async () => {
      for (let week = 1; week <= 7; week++) await read(store, week);
      return "done";
    });

    expect(found.result).toBe("done");
    expect(found.findings).toEqual([
      {
        sql: "SELECT * FROM tasks WHERE week_id = ? LIMIT ?",
        count: 7,
        distinct: 7,
        callSite: expect.stringMatching(/n-plus-one\.test\.ts:\d+$/),
        suggestion: expect.stringContaining(
          ": SELECT * FROM tasks WHERE week_id IN (SELECT value FROM json_each(?))",
        ),
      },
    ]);
    expect(findings).toEqual(found.findings);
  });

  it.each([
    ["fewer than the threshold", [1, 2, 3, 4]],
    ["the same values again and again, which is a case for a cache", [1, 1, 1, 1, 1, 1, 1, 1]],
  ])("with %s has none", async (_, weeks) => {
    const store = await made();

    const { findings } = await findNPlusOne(async () => {
      for (const week of weeks) await read(store, week);
    });

    expect(findings).toEqual([]);
  });

  it("is not blamed for what another one asks at the same time", async () => {
    const store = await made();
    const request = (weeks: readonly number[]) =>
      findNPlusOne(async () => {
        for (const week of weeks) await read(store, week);
      });

    const found = await Promise.all([request([1, 2, 3]), request([4, 5, 6]), request([7, 8])]);

    expect(found.flatMap(({ findings }) => findings)).toEqual([]);
  });

  it("counts parallel calls, calls in transactions, and writes one by one", async () => {
    const store = await made();
    const insert = (id: number) =>
      store.write([{ sql: "INSERT INTO tasks (id) VALUES (?)", parameters: [id] }]);
    const weeks = [1, 2, 3, 4, 5];

    const parallel = await findNPlusOne(() => Promise.all(weeks.map((week) => read(store, week))));
    const transaction = await findNPlusOne(() =>
      store.transaction(async (tx) => {
        for (const week of weeks) await tx.read({ sql: "SELECT ?", parameters: [week] });
      }),
    );
    const writes = await findNPlusOne(() => Promise.all(weeks.map(insert)));

    expect(parallel.findings).toMatchObject([{ count: 5 }]);
    expect(transaction.findings).toMatchObject([{ sql: "SELECT ?", count: 5 }]);
    expect(writes.findings).toMatchObject([{ suggestion: expect.stringContaining("createMany") }]);
  });

  it("that writes many rows at once has none", async () => {
    const store = await made();
    const statement = (id: number) => ({
      sql: "INSERT INTO tasks (id) VALUES (?)",
      parameters: [id],
    });

    const { findings } = await findNPlusOne(async () => {
      await store.write([1, 2, 3, 4, 5, 6].map(statement));
      await store.writeMany("INSERT INTO tasks (id) VALUES (?)", [[7], [8], [9], [10], [11]]);
    });

    expect(findings).toEqual([]);
  });
});

describe("assertNoNPlusOne", () => {
  it("gives what the request gives, or fails with the statement", async () => {
    const store = await made();
    const ask = (count: number) =>
      assertNoNPlusOne(
        async () => {
          for (let week = 0; week < count; week++) await read(store, week);
          return count;
        },
        { n1Threshold: 3 },
      );

    expect(await ask(2)).toBe(2);
    await expect(ask(3)).rejects.toMatchObject({
      code: "N_PLUS_ONE",
      message: expect.stringMatching(/3 times at .*n-plus-one\.test\.ts:\d+: SELECT \* FROM tasks/),
      fields: { findings: [{ count: 3 }] },
    });
  });

  it("refuses a misspelt option, and lets an error of the request pass", async () => {
    const failing = () => Promise.reject(new Error("of the request"));

    await expect(assertNoNPlusOne(failing)).rejects.toThrow("of the request");
    await expect(assertNoNPlusOne(failing, { threshold: 3 } as object)).rejects.toThrow(
      'unknown option "threshold"',
    );
  });
});
