import { describe, expect, it, onTestFinished } from "vitest";
import type { Reading } from "../../src/change/footprint.ts";
import type { Coherence } from "../../src/coherence/coherence.ts";
import { ReadNotes } from "../../src/coherence/read-notes.ts";
import { useCoherence } from "../../src/coherence/shared.ts";
import type { Statement } from "../../src/core/statement.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { withReading } from "../../src/store/reading.ts";
import { openSqliteStore, type SqliteStore } from "../../src/store/sqlite/store.ts";
import { sql } from "../sqlite/statements.ts";

interface Bench {
  readonly store: SqliteStore;
  readonly coherence: Coherence;
  notes(): ReadNotes;
  add(week: number): Promise<unknown>;
  /** Writes by what a unit has read; whether it was let through. */
  commit(notes: ReadNotes): Promise<boolean>;
}

async function openBench(): Promise<Bench> {
  const store = await openSqliteStore({ url: "sqlite::memory:" });
  onTestFinished(() => store.close());
  await store.write([
    sql("CREATE TABLE tasks (id INTEGER PRIMARY KEY, week INTEGER)"),
    sql("CREATE TABLE results (n INTEGER)"),
  ]);
  const { coherence } = useCoherence(store, createCatalog([]));
  return {
    store,
    coherence,
    notes: () => new ReadNotes(store, () => coherence),
    add: (week) => store.write([sql("INSERT INTO tasks (week) VALUES (?)", week)]),
    commit: async (notes) => {
      const expects = notes.expectations();
      try {
        await store.write([sql("INSERT INTO results VALUES (1)")], { expects });
        return true;
      } catch (error) {
        expect(error).toMatchObject({ code: "CONFLICT" });
        return false;
      }
    },
  };
}

/** A list of one week, told as exactly as repositories tell it. */
function listOf(week: number): Statement {
  const reading: Reading = {
    cacheable: true,
    footprint: {
      atoms: [
        {
          table: "tasks",
          columns: "all",
          predicate: { kind: "compare", column: "week", operator: "=", value: BigInt(week) },
        },
      ],
    },
  };
  return withReading(sql("SELECT * FROM tasks WHERE week = ?", week), () => reading);
}

describe("what a unit has read", () => {
  it("is broken by a row that matches, and by no other", async () => {
    const bench = await openBench();
    const [one, two] = [bench.notes(), bench.notes()];
    await one.session.read(listOf(1));
    await two.session.read(listOf(2));
    await bench.add(2);

    expect(await bench.commit(one)).toBe(true);
    expect(await bench.commit(two)).toBe(false);
  });

  it("is the table when only its text tells", async () => {
    const bench = await openBench();
    const notes = bench.notes();
    await notes.session.read(sql("SELECT * FROM tasks WHERE week = 1"));
    await bench.add(2);

    expect(await bench.commit(notes)).toBe(false);
  });

  it("is everything when nobody can tell", async () => {
    const bench = await openBench();
    const notes = bench.notes();
    await notes.session.read(sql("SELECT random() FROM results"));

    expect(notes.expectations()).toMatchObject([{ atoms: "all" }]);
    expect(await bench.commit(notes)).toBe(true);
    expect(await bench.commit(notes)).toBe(false);
  });

  it("is noted at few places, however long the unit goes on", async () => {
    const bench = await openBench();
    const notes = bench.notes();
    for (let count = 0; count < 200; count++) {
      await bench.add(1);
      await notes.session.read(listOf(2 + (count % 3)));
    }
    const places = notes.expectations().length;
    const before = await bench.commit(notes);
    await bench.add(4);

    expect(places).toBe(64);
    expect(before).toBe(true);
    expect(await bench.commit(notes)).toBe(false);
  });

  it("is noted as it was before the read, also when reads cross", async () => {
    const bench = await openBench();
    const notes = bench.notes();
    await Promise.all([
      notes.session.read(listOf(1)),
      bench.add(3),
      notes.session.read(listOf(2)),
      bench.add(4),
    ]);
    await bench.add(1);

    expect(await bench.commit(notes)).toBe(false);
  });

  it("prepares the log with the first read, and not before", async () => {
    const bench = await openBench();
    const log = sql("SELECT count(*) FROM sqlite_schema WHERE name = 'springhouse_log'");
    const notes = bench.notes();
    const before = await bench.store.read(log);
    expect(notes.expectations()).toEqual([]);
    await notes.session.read(listOf(1));

    expect(before.rows).toEqual([[0]]);
    expect((await bench.store.read(log)).rows).toEqual([[1]]);
  });
});
