import { describe, expect, it, onTestFinished } from "vitest";
import { coverageOf } from "../../src/capture/coverage.ts";
import { SELECT_POSITION, toPosition } from "../../src/capture/log-rows.ts";
import {
  fileTables,
  STRUCTURE_QUERIES,
  type StructureRows,
} from "../../src/capture/table-structure.ts";
import { type Expectation, NO_VERSION, type Version } from "../../src/change/expectation.ts";
import { type Atom, wholeTable } from "../../src/change/footprint.ts";
import { isSpringhouseError, type SpringhouseError } from "../../src/core/errors.ts";
import { Connection } from "../../src/sqlite/connection.ts";
import { ExpectationCheck } from "../../src/sqlite/expectations.ts";
import { writerPragmas } from "../../src/sqlite/pragmas.ts";
import type { SqliteStore } from "../../src/store/sqlite/store.ts";
import { openSqliteStore } from "../../src/store/sqlite/store.ts";
import { sql, temporaryPath } from "./support.ts";

/** Tasks with a log. */
class Bench {
  readonly path: string = temporaryPath();
  readonly connection: Connection;
  readonly check: ExpectationCheck;

  constructor() {
    this.connection = new Connection({
      path: this.path,
      readOnly: false,
      pragmas: writerPragmas("fast"),
    });
    onTestFinished(() => this.connection.close());
    this.run("PRAGMA journal_mode = WAL");
    this.run("CREATE TABLE tasks (id INTEGER PRIMARY KEY, week INTEGER, label TEXT, note TEXT)");
    this.run("CREATE TABLE weeks (id INTEGER PRIMARY KEY, label TEXT)");
    const rows = Object.fromEntries(
      Object.entries(STRUCTURE_QUERIES).map(([name, text]) => [name, this.connection.askAll(text)]),
    ) as unknown as StructureRows;
    for (const text of coverageOf(fileTables(rows), []).statements) this.run(text);
    this.check = new ExpectationCheck(this.connection);
  }

  run(text: string, ...values: (number | string)[]): void {
    this.connection.run(sql(text, ...values));
  }

  get version(): Version {
    const schemaVersion = Number(this.connection.ask("PRAGMA schema_version")[0]);
    const [row] = this.connection.readExactly(sql(SELECT_POSITION));
    return { ...toPosition(row ?? []), schemaVersion };
  }

  /** The conflict of expectations; undefined when they hold. */
  conflict(...expectations: Expectation[]): SpringhouseError | undefined {
    try {
      this.check.assertHold(expectations);
      return undefined;
    } catch (error) {
      if (isSpringhouseError(error, "CONFLICT")) return error;
      throw error;
    }
  }
}

const ofWeek = (week: number, columns: Atom["columns"] = "all"): Atom => ({
  table: "tasks",
  columns,
  predicate: { kind: "compare", column: "week", operator: "=", value: BigInt(week) },
});

const insert = "INSERT INTO tasks (week, label) VALUES (?, 'a')";

describe("what a write expects", () => {
  it("holds when nothing was logged since", () => {
    const bench = new Bench();
    bench.run(insert, 1);
    const { version } = bench;

    expect(bench.conflict({ version, atoms: [wholeTable("tasks")] })).toBeUndefined();
    expect(bench.conflict({ version, atoms: "all" })).toBeUndefined();
  });

  it("is broken by a row that comes to what was read, and by no other", () => {
    const bench = new Bench();
    const { version } = bench;
    bench.run(insert, 1);
    bench.run("INSERT INTO weeks (label) VALUES ('w')");

    expect(bench.conflict({ version, atoms: [ofWeek(2)] })).toBeUndefined();
    expect(bench.conflict({ version, atoms: [ofWeek(2), ofWeek(1)] })?.fields).toEqual({
      table: "tasks",
      change: 'a row was inserted into tasks (id = 1, week = 1, label = "a", note = null)',
      reads: "tasks(*) where week = 1",
    });
  });

  it("is broken by a row that leaves, and not by columns that were not read", () => {
    const bench = new Bench();
    bench.run(insert, 1);
    const { version } = bench;
    bench.run("UPDATE tasks SET note = 'x'");
    const before = bench.conflict({ version, atoms: [ofWeek(1, new Set(["week", "label"]))] });
    bench.run("UPDATE tasks SET week = 2");

    expect(before).toBeUndefined();
    expect(bench.conflict({ version, atoms: [ofWeek(1, new Set(["week"]))] })).toBeDefined();
  });

  it("is judged from the place of each read", () => {
    const bench = new Bench();
    const first = bench.version;
    bench.run(insert, 1);
    const second = bench.version;
    bench.run(insert, 2);

    const expectations = [
      { version: first, atoms: [ofWeek(3)] },
      { version: second, atoms: [ofWeek(1)] },
    ];

    expect(bench.conflict(...expectations)).toBeUndefined();
    expect(bench.conflict({ version: first, atoms: [ofWeek(1)] })).toBeDefined();
    expect(bench.conflict({ version: second, atoms: "all" })).toBeDefined();
  });

  it("is not known at a place that the log does not have", () => {
    const bench = new Bench();
    bench.run(insert, 1);
    const { version } = bench;
    bench.run(insert, 2);
    const atoms = [ofWeek(7)];

    expect(bench.conflict({ version, atoms })).toBeUndefined();
    const places = [
      { ...version, mark: "1" },
      { ...version, sequence: version.sequence + 100 },
      { ...version, schemaVersion: version.schemaVersion - 1 },
      NO_VERSION,
    ];
    for (const place of places) expect(bench.conflict({ version: place, atoms })).toBeDefined();
    bench.run("DELETE FROM springhouse_log WHERE seq <= ?", version.sequence);
    expect(bench.conflict({ version, atoms })?.fields["change"]).toContain("reach back");
  });

  it("is compared by whole tables when very much was written", () => {
    const bench = new Bench();
    const { version } = bench;
    bench.run(
      "INSERT INTO tasks (week) WITH RECURSIVE n(i) AS " +
        "(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5001) SELECT 1 FROM n",
    );

    expect(bench.conflict({ version, atoms: [wholeTable("weeks")] })).toBeUndefined();
    expect(bench.conflict({ version, atoms: [ofWeek(7)] })?.fields["change"]).toBe(
      "something in tasks was written",
    );
  });

  it("costs a commit less than 20 microseconds when nothing was logged since", () => {
    const bench = new Bench();
    bench.run(insert, 1);
    const expectations = [{ version: bench.version, atoms: [ofWeek(1), wholeTable("weeks")] }];
    const times: number[] = [];

    for (let count = 0; count < 2_000; count++) {
      const startMs = performance.now();
      bench.check.assertHold(expectations);
      times.push(performance.now() - startMs);
    }

    const median = times.toSorted((a, b) => a - b)[times.length / 2] ?? Number.NaN;
    expect(median * 1_000).toBeLessThan(20);
  });
});

async function openBenchStore(): Promise<{ bench: Bench; store: SqliteStore }> {
  const bench = new Bench();
  const store = await openSqliteStore({ url: `sqlite:${bench.path}`, profile: "fast" });
  onTestFinished(() => store.close());
  return { bench, store };
}

describe("units of one group", () => {
  it("count for those behind them, and are not undone by them", async () => {
    const { bench, store } = await openBenchStore();
    const { version } = bench;
    const expects = [{ version, atoms: [ofWeek(1)] }];
    const write = (week: number): Promise<unknown> => store.write([sql(insert, week)], { expects });

    const outcomes = await Promise.allSettled([write(2), write(1), write(1), write(2)]);

    expect(outcomes.map(({ status }) => status)).toEqual([
      "fulfilled",
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    const { rows } = await store.read(sql("SELECT week FROM tasks ORDER BY id"));
    expect(rows.flat()).toEqual([2, 1]);
  });

  it("do not count when they have failed", async () => {
    const { bench, store } = await openBenchStore();
    const expects = [{ version: bench.version, atoms: [ofWeek(1)] }];
    const failing = store.write([sql(insert, 1), sql("INSERT INTO nowhere VALUES (1)")]);
    const writing = store.write([sql(insert, 1)], { expects });

    await expect(failing).rejects.toMatchObject({ code: "SQL" });
    await expect(writing).resolves.toHaveLength(1);
  });

  it("expect the same in pieces, in transactions and in savepoints", async () => {
    const { bench, store } = await openBenchStore();
    const expects = [{ version: bench.version, atoms: [ofWeek(1)] }];
    await store.write([sql(insert, 1)]);
    const many = Array.from({ length: 1_500 }, () => sql(insert, 2));

    const ways: Record<string, () => Promise<unknown>> = {
      pieces: () => store.write(many, { expects }),
      transaction: () => store.transaction((tx) => tx.write([sql(insert, 2)]), { expects }),
      unit: () => store.transaction((tx) => tx.write([sql(insert, 2)], { expects })),
      "unit in pieces": () => store.transaction((tx) => tx.write(many, { expects })),
      savepoint: () =>
        store.transaction((tx) =>
          tx.transaction((inner) => inner.write([sql(insert, 2)]), { expects }),
        ),
    };

    for (const [way, write] of Object.entries(ways)) {
      await expect(write(), way).rejects.toMatchObject({ code: "CONFLICT" });
    }
    const { rows } = await store.read(sql("SELECT count(*) FROM tasks"));
    expect(rows).toEqual([[1]]);
  });

  it("leaves the transaction usable after a conflict in a savepoint", async () => {
    const { bench, store } = await openBenchStore();
    const expects = [{ version: bench.version, atoms: [ofWeek(1)] }];
    await store.transaction(async (tx) => {
      await tx.write([sql(insert, 1)]);
      await expect(tx.transaction(async () => 1, { expects })).rejects.toThrow("was changed");
      await expect(tx.write([sql(insert, 3)], { expects })).rejects.toThrow("was changed");
      await tx.write([sql(insert, 4)]);
    });

    const { rows } = await store.read(sql("SELECT week FROM tasks ORDER BY id"));
    expect(rows.flat()).toEqual([1, 4]);
  });
});
