import { describe, expect, test } from "vitest";
import { open } from "../../src/open.ts";
import { UnitOfWork } from "../../src/repository/unit-of-work.ts";
import { type entities, openFixture, Task, Week } from "./support.ts";

const MISSPELT = { sgnal: 1 } as object;
const REFUSED = { code: "INVALID_ARGUMENT" };
const HINT = /unknown option "sgnal"\. Did you mean "signal"\?/;

const NULL_SIGNAL = { signal: null };

/** A database without its types. */
interface Careless {
  execute(...given: unknown[]): Promise<unknown>;
  executeMany(...given: unknown[]): Promise<unknown>;
  stream(...given: unknown[]): AsyncIterable<unknown>;
  transaction(...given: unknown[]): Promise<unknown>;
}

describe("what JavaScript can pass although the types forbid it", () => {
  test("deleteMany without conditions is refused, and {} means all rows", async () => {
    await using fixture = await openFixture();
    const weeks = fixture.of(Week);
    await weeks.createMany([{ label: "a" }, { label: "b" }]);
    const careless = weeks as unknown as { deleteMany(where?: unknown): Promise<number> };

    await expect(careless.deleteMany()).rejects.toMatchObject(REFUSED);
    await expect(careless.deleteMany(undefined)).rejects.toThrow("give `{}` to delete all rows");
    await expect(careless.deleteMany(null)).rejects.toMatchObject(REFUSED);
    expect(await weeks.count()).toBe(2);
    expect(await weeks.deleteMany({})).toBe(2);
  });

  test("misspelt options of writes and counts are refused, and nothing is written", async () => {
    await using fixture = await openFixture();
    const weeks = fixture.of(Week);
    const { id } = await weeks.create({ label: "a" });

    await expect(weeks.create({ label: "b" }, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.createMany([{ label: "b" }], MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.update(id, { label: "b" }, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.patch(id, { label: "b" }, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.upsert({ label: "b" }, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.delete(id, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.deleteMany({}, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.count({}, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.exists(id, MISSPELT)).rejects.toThrow(HINT);
    await expect(weeks.create({ label: "b" }, null as never)).rejects.toMatchObject(REFUSED);
    expect(await weeks.list()).toEqual([{ id, label: "a" }]);
  });

  const INSERT = "INSERT INTO weeks (week_label) VALUES (?)";
  const drain = async (rows: AsyncIterable<unknown>): Promise<void> => {
    for await (const _ of rows);
  };

  test.each<[string, (db: Careless) => Promise<unknown>]>([
    ["sql must be a text, not undefined", (db) => db.execute()],
    ["sql must be a text, not null", (db) => db.execute(null)],
    ["execute: parameters must be a list, not null", (db) => db.execute("SELECT 1", null)],
    ["execute: parameters must be a list, not string", (db) => db.execute("SELECT 1", "x")],
    ["signal must be an AbortSignal, not number", (db) => db.execute(INSERT, ["x"], { signal: 5 })],
    ["signal must be an AbortSignal, not null", (db) => db.execute("VALUES(1)", [], NULL_SIGNAL)],
    ["executeMany: rows must be a list or another iterable", (db) => db.executeMany(INSERT, null)],
    ["rows must be a list or another iterable, not string", (db) => db.executeMany(INSERT, "ab")],
    ["executeMany: a row must be a list, not number", (db) => db.executeMany(INSERT, [5])],
    ["onProgress must be a", (db) => db.executeMany(INSERT, [["x"]], { onProgress: 5 })],
    ["sql must be a text, not number", (db) => drain(db.stream(5))],
    ["stream: parameters must be a list, not number", (db) => drain(db.stream("SELECT 1", 5))],
    ["transaction: run must be a function, not undefined", (db) => db.transaction()],
  ])("what is wrong is named: %s", async (message, call) => {
    const db = await open({ url: "sqlite::memory:", entities: [Week] });

    await expect((async () => call(db as unknown as Careless))()).rejects.toMatchObject({
      ...REFUSED,
      message: expect.stringContaining(message),
    });
    expect(await db.repository(Week).count()).toBe(0);
    // It would wait for a call that never ends, if one had been left behind.
    await db.close();
  });

  test("misspelt options of raw SQL and of units are refused", async () => {
    await using db = await open({ url: "sqlite::memory:", entities: [Week] });
    const insert = "INSERT INTO weeks (week_label) VALUES (?)";
    const unit = db.unitOfWork();

    await expect(db.execute("SELECT 1", [], MISSPELT)).rejects.toThrow(HINT);
    await expect(db.executeMany(insert, [["a"]], MISSPELT)).rejects.toThrow(HINT);
    await expect(db.stream("SELECT 1", [], MISSPELT).next()).rejects.toThrow(HINT);
    await expect(unit.repository(Week).list({ limt: 1 } as object)).rejects.toThrow('"limit"');
    await expect(unit.commit(MISSPELT)).rejects.toThrow(HINT);
    unit.rollback();
  });

  test("getMany takes a list of keys, createMany rows, repository and open entities", async () => {
    await using fixture = await openFixture();
    const weeks = fixture.of(Week);
    const url = "sqlite::memory:";

    await expect(weeks.getMany(5 as never)).rejects.toThrow("takes a list of keys");
    await expect(weeks.createMany(5 as never)).rejects.toThrow("takes rows");
    expect(() => fixture.of({} as never)).toThrow("is not made by entity()");
    expect(() => fixture.of(undefined as never)).toThrow(expect.objectContaining(REFUSED));
    await expect(open({ url, entities: Task as never })).rejects.toThrow("given as a list");
    await expect(open({ url, entities: [5] as never })).rejects.toMatchObject(REFUSED);
    await expect(open(undefined as never)).rejects.toThrow("open takes an object of options");
    await expect(open({ url, pool: 5 as never })).rejects.toMatchObject(REFUSED);
  });

  test("upsert takes names of properties, and the audit log an object of options", async () => {
    await using db = await open({ url: "sqlite::memory:", entities: [Week, Task] });
    const weeks = db.repository(Week);

    for (const on of [[null], [5], "label", null]) {
      await expect(weeks.upsert({ label: "a" }, { on: on as never })).rejects.toMatchObject(
        REFUSED,
      );
    }
    for (const options of [null, 5, "x", { entty: Week }, { key: 1 }]) {
      expect(() => db.audit.list(options as never)).toThrow(expect.objectContaining(REFUSED));
    }
  });

  test("as() takes the name of a user", async () => {
    await using db = await open({ url: "sqlite::memory:", entities: [Week] });

    for (const actor of [undefined, null, "", 5]) {
      expect(() => db.as(actor as never)).toThrow(expect.objectContaining(REFUSED));
    }
    expect(await db.as("ada").repository(Week).count()).toBe(0);
  });

  test("a property that the entity does not have is refused by the commit of a unit", async () => {
    await using fixture = await openFixture();
    await fixture.of(Week).create({ label: "a" });
    const unit = new UnitOfWork<typeof entities>(fixture.scope);
    const row = (await unit.repository(Week).get(1)) as unknown as Record<string, unknown>;
    row["labl"] = "b";

    expect(unit.isDirty).toBe(true);
    await expect(unit.commit()).rejects.toMatchObject({
      code: "VALIDATION",
      issues: [{ path: ["labl"], message: expect.stringContaining('did you mean "label"?') }],
    });

    delete row["labl"];
    expect(unit.isDirty).toBe(false);
    await unit.commit();
  });
});
