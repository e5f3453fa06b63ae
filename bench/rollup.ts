/**
 * What rollups cost and give: reading statistics of a million rows beside counting them, and
 * writes to a table with a rollup beside the same writes to a table whose changes are captured.
 */

import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { withRollups } from "../src/capture/rollup.ts";
import { createCatalog } from "../src/schema/catalog.ts";
import { t } from "../src/schema/column.ts";
import { createStatements, physicalSchema } from "../src/schema/ddl.ts";
import { entity } from "../src/schema/entity.ts";
import { avg, count, sum } from "../src/schema/measure.ts";
import { rollup } from "../src/schema/rollup.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { median, timeMs, withFolder } from "./support.ts";

const Week = entity("weeks", { id: t.int().primaryKey() });
const Task = entity("tasks", {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  projectName: t.text().default(""),
  durationSeconds: t.int({ min: 0 }).default(0),
  score: t.int().default(0),
});
const WeekStatistics = rollup("week_statistics", Task, {
  by: { weekId: Task.weekId },
  measures: {
    totalTasks: count(),
    totalDurationSeconds: sum(Task.durationSeconds),
    avgScore: avg(Task.score),
  },
});
const rolledUp = createCatalog([Week, Task], [WeekStatistics]);
const COLUMNS = ["id", "week_id", "project_name", "duration_seconds", "score"];

const WEEKS = 50;
const BATCH = 1_000;
const READ = "SELECT * FROM week_statistics WHERE week_id = 7";
const RECOMPUTE = `SELECT week_id, count(*), sum(duration_seconds), avg(score) FROM tasks
  WHERE week_id = 7 GROUP BY week_id`;
const FILL = `INSERT INTO tasks (week_id, project_name, duration_seconds, score)
  WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ?)
  SELECT ?, 'project ' || (i % 20), i % 5000, i % 10 FROM n`;

/** Runs the bench. */
export function run(options: BenchOptions): Promise<BenchResult> {
  return withFolder((folder) => measure(folder, options));
}

async function measure(folder: string, { quick }: BenchOptions): Promise<BenchResult> {
  const rows = quick ? 200_000 : 1_000_000;
  const read = await measureRead(join(folder, "read.db"), rows);
  const taxes = await measureWrites(folder, quick ? 15 : 60);
  return {
    bench: "rollup",
    figures: {
      recompute_over_read: Math.round(read.recomputeMs / read.readMs),
      insert_tax: taxes.insert,
      update_tax: taxes.update,
      delete_tax: taxes.delete,
      rows,
      read_us: Number((read.readMs * 1_000).toFixed(2)),
      recompute_ms: Number(read.recomputeMs.toFixed(1)),
    },
    targets: {
      // Counting a fifth of the rows takes a fifth of the time, reading does not.
      recompute_over_read: { atLeast: quick ? 2_000 : 10_000 },
      insert_tax: { atMost: 1.5 },
      update_tax: { atMost: 2 },
      delete_tax: { atMost: 1.5 },
    },
    notes: [
      "recompute_over_read: count, sum and mean of one week with all rows, beside the rollup's row",
      `taxes: batches of ${BATCH} rows of ${WEEKS} weeks, beside a table that is only captured`,
    ],
  };
}

async function measureRead(
  path: string,
  rows: number,
): Promise<{ readonly readMs: number; readonly recomputeMs: number }> {
  using database = new DatabaseSync(path);
  create(database, true);
  database.prepare(FILL).run(rows, 7);
  const [read, recompute] = [database.prepare(READ), database.prepare(RECOMPUTE)];
  const times = 20_000;
  const readMs: number[] = [];
  const recomputeMs: number[] = [];
  for (let round = 0; round < 3; round++) {
    recomputeMs.push(await timeMs(() => recompute.get()));
    const all = await timeMs(() => {
      for (let index = 0; index < times; index++) read.get();
    });
    readMs.push(all / times);
  }
  return { readMs: median(readMs), recomputeMs: median(recomputeMs) };
}

/** Tables, with a captured source, and the rollup when it is wanted. */
function create(database: DatabaseSync, isRolledUp: boolean): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  const plain = physicalSchema(rolledUp, "sqlite");
  const schema = isRolledUp ? withRollups(plain, rolledUp) : plain;
  for (const sql of createStatements(schema)) database.exec(sql);
  captureChanges(database);
  database.exec(`INSERT INTO weeks
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${WEEKS})
    SELECT i FROM n`);
}

/**
 * Writes what each change was to a log: the rows in the way of a new one, the old and new values,
 * texts only when they are short. The log of the change capture does the same with more care.
 */
function captureChanges(database: DatabaseSync): void {
  const values = COLUMNS.flatMap((_, index) => [`v${index}`, `w${index}`]).join(", ");
  database.exec(`CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, nonce INTEGER NOT NULL DEFAULT (random()), kind INTEGER, ${values})`);
  const into = (sides: string): string =>
    [...sides].flatMap((side) => COLUMNS.map((_, index) => `${side}${index}`)).join(", ");
  const image = (row: string): string =>
    COLUMNS.map((column) => {
      const value = `${row}.${column}`;
      if (column !== "project_name") return value;
      return `CASE WHEN length(CAST(${value} AS BLOB)) > 1024 THEN x'00' ELSE ${value} END`;
    }).join(", ");
  database.exec(`
    CREATE TRIGGER captured_replace BEFORE INSERT ON tasks BEGIN
      INSERT INTO changes (kind, ${into("v")}) SELECT 4, ${image("tasks")} FROM tasks
        WHERE tasks.id = NEW.id; END;
    CREATE TRIGGER captured_insert AFTER INSERT ON tasks BEGIN
      INSERT INTO changes (kind, ${into("w")}) VALUES (1, ${image("NEW")}); END;
    CREATE TRIGGER captured_update AFTER UPDATE ON tasks BEGIN
      INSERT INTO changes (kind, ${into("vw")}) VALUES (2, ${image("OLD")}, ${image("NEW")}); END;
    CREATE TRIGGER captured_delete AFTER DELETE ON tasks BEGIN
      INSERT INTO changes (kind, ${into("v")}) VALUES (3, ${image("OLD")}); END;`);
}

interface Taxes {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
}

/** Both databases take the same batch in turn; the middle of the ratios counts. */
async function measureWrites(folder: string, rounds: number): Promise<Taxes> {
  using captured = new DatabaseSync(join(folder, "captured.db"));
  using kept = new DatabaseSync(join(folder, "kept.db"));
  create(captured, false);
  create(kept, true);
  const sides = [captured, kept].map((database) => new Side(database));
  const ratios: Record<keyof Taxes, number[]> = { insert: [], update: [], delete: [] };
  for (let round = 0; round < rounds; round++) {
    for (const work of ["insert", "update", "delete"] as const) {
      const [before = Number.NaN, after = Number.NaN] = await inTurn(sides, round, work);
      ratios[work].push(after / before);
    }
  }
  const middle = (name: keyof Taxes): number => Number(median(ratios[name]).toFixed(2));
  return { insert: middle("insert"), update: middle("update"), delete: middle("delete") };
}

/** The side that begins is another one each time. */
async function inTurn(
  sides: readonly Side[],
  round: number,
  work: keyof Taxes,
): Promise<readonly number[]> {
  const order = round % 2 === 0 ? sides : sides.toReversed();
  const times = new Map<Side, number>();
  for (const side of order) times.set(side, await timeMs(() => side[work](round)));
  return sides.map((side) => times.get(side) ?? Number.NaN);
}

/** One database and its statements. */
class Side {
  readonly #database: DatabaseSync;
  readonly #insert;
  readonly #update;
  readonly #delete;

  constructor(database: DatabaseSync) {
    this.#database = database;
    this.#insert = database.prepare("INSERT INTO tasks VALUES (?, ?, ?, ?, ?)");
    this.#update = database.prepare(
      "UPDATE tasks SET duration_seconds = duration_seconds + ?, score = ? WHERE id = ?",
    );
    this.#delete = database.prepare("DELETE FROM tasks WHERE id = ?");
  }

  insert(round: number): void {
    this.#batch((index) => {
      const week = 1 + (index % WEEKS);
      this.#insert.run(idOf(round, index), week, "project", index + round, index % 10);
    });
  }

  update(round: number): void {
    this.#batch((index) => this.#update.run(1, index % 10, idOf(round, index)));
  }

  delete(round: number): void {
    this.#batch((index) => this.#delete.run(idOf(round, index)));
  }

  #batch(work: (index: number) => unknown): void {
    this.#database.exec("BEGIN");
    for (let index = 0; index < BATCH; index++) work(index);
    this.#database.exec("COMMIT");
  }
}

function idOf(round: number, index: number): number {
  return round * BATCH + index + 1;
}
