/**
 * What rollups cost and give: reading statistics of a million rows beside counting them, and
 * writes to a table with a rollup beside the same writes to a table whose changes are captured.
 *
 * The table is the one of tasks of the auditor, with its indexes. A narrow table without indexes
 * stands beside it, for which a rollup costs the most.
 */

import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { withRollups } from "../src/capture/rollup.ts";
import { type Catalog, createCatalog } from "../src/schema/catalog.ts";
import { t } from "../src/schema/column.ts";
import { createStatements, physicalSchema } from "../src/schema/ddl.ts";
import { entity } from "../src/schema/entity.ts";
import { avg, count, sum } from "../src/schema/measure.ts";
import { rollup } from "../src/schema/rollup.ts";
import type { BenchOptions, BenchResult } from "./bench.ts";
import { median, timeMs, withFolder } from "./support.ts";

const Week = entity("weeks", { id: t.int().primaryKey() });
const narrow = {
  id: t.int().primaryKey(),
  weekId: t.int().references("weeks.id", { onDelete: "cascade" }).index(),
  durationSeconds: t.int({ min: 0 }).default(0),
  score: t.int().default(0),
  projectName: t.text().default(""),
};
const Narrow = entity("tasks", narrow);
const Task = entity("tasks", {
  ...narrow,
  durationSeconds: t.int({ min: 0 }).default(0).index(),
  attemptId: t.text().default("attempt"),
  projectId: t.text().default("project").index(),
  operationId: t.text().default("operation"),
  durationDisplay: t.text().default("00:00:00"),
  timeLimitSeconds: t.int().default(3_600),
  timeLimitDisplay: t.text().default("01:00:00"),
  dateAudited: t.date().default("2025-12-31").index(),
  feedback: t.text().default("Well done, apart from the last page."),
  locale: t.text().default("en-GB"),
  bonusPaid: t.boolean().default(false),
  timeBegin: t.timestamp().nullable(),
  timeEnd: t.timestamp().nullable(),
  createdAt: t.timestamp().defaultNow().index(),
  updatedAt: t.timestamp().defaultNow(),
});

const catalogOf = (source: typeof Task | typeof Narrow): Catalog =>
  createCatalog(
    [Week, source],
    [
      rollup("week_statistics", source, {
        by: { weekId: source.weekId },
        measures: {
          totalTasks: count(),
          totalDurationSeconds: sum(source.durationSeconds),
          avgScore: avg(source.score),
        },
      }),
    ],
  );

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
  const rounds = quick ? 15 : 60;
  const read = await measureRead(join(folder, "read.db"), rows);
  const taxes = await measureWrites(join(folder, "auditor"), catalogOf(Task), rounds);
  const most = await measureWrites(join(folder, "narrow"), catalogOf(Narrow), rounds);
  return {
    bench: "rollup",
    figures: {
      recompute_over_read: Math.round(read.recomputeMs / read.readMs),
      insert_tax: taxes.insert,
      update_tax: taxes.update,
      delete_tax: taxes.delete,
      narrow_insert_tax: most.insert,
      narrow_update_tax: most.update,
      narrow_delete_tax: most.delete,
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
      `taxes: batches of ${BATCH} rows of ${WEEKS} weeks beside a table that is only captured`,
      "insert_tax and so on: the auditor's tasks; narrow: five columns and one index",
    ],
  };
}

interface ReadTimes {
  readonly readMs: number;
  readonly recomputeMs: number;
}

async function measureRead(path: string, rows: number): Promise<ReadTimes> {
  using database = new DatabaseSync(path);
  create(database, catalogOf(Narrow), true);
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
function create(database: DatabaseSync, catalog: Catalog, isRolledUp: boolean): void {
  database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL");
  const plain = physicalSchema(catalog, "sqlite");
  const schema = isRolledUp ? withRollups(plain, catalog) : plain;
  for (const sql of createStatements(schema)) database.exec(sql);
  captureChanges(database, catalog);
  database.exec(`INSERT INTO weeks
    WITH RECURSIVE n (i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < ${WEEKS})
    SELECT i FROM n`);
}

/**
 * Writes what each change was to a log: the rows in the way of a new one, the old and new values,
 * texts only when they are short. The log of the change capture does the same with more care.
 */
function captureChanges(database: DatabaseSync, { byTable }: Catalog): void {
  const columns = byTable.get("tasks")?.columns ?? [];
  const values = columns.flatMap((_, index) => [`v${index}`, `w${index}`]).join(", ");
  database.exec(`CREATE TABLE changes (
    seq INTEGER PRIMARY KEY, nonce INTEGER NOT NULL DEFAULT (random()), kind INTEGER, ${values})`);
  const into = (sides: string): string =>
    [...sides].flatMap((side) => columns.map((_, index) => `${side}${index}`)).join(", ");
  const image = (row: string): string =>
    columns
      .map(({ name, kind }) => {
        const value = `${row}.${name}`;
        if (kind !== "text" && kind !== "date") return value;
        return `CASE WHEN length(CAST(${value} AS BLOB)) > 1024 THEN x'00' ELSE ${value} END`;
      })
      .join(", ");
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

/** Both databases take the same batch in turn; the shortest time of each side counts. */
async function measureWrites(path: string, catalog: Catalog, rounds: number): Promise<Taxes> {
  using captured = new DatabaseSync(`${path}-captured.db`);
  using kept = new DatabaseSync(`${path}-kept.db`);
  create(captured, catalog, false);
  create(kept, catalog, true);
  const sides = [new Side(captured), new Side(kept)];
  for (let round = 0; round < rounds; round++) {
    for (const work of ["insert", "update", "delete"] as const) {
      const order = round % 2 === 0 ? sides : sides.toReversed();
      for (const side of order) await side.time(work, round);
    }
  }
  const tax = (work: keyof Taxes): number => {
    const [before = Number.NaN, after = Number.NaN] = sides.map((side) => side.shortestMs(work));
    return Number((after / before).toFixed(2));
  };
  return { insert: tax("insert"), update: tax("update"), delete: tax("delete") };
}

/** One database, its statements and the times that they took. */
class Side {
  readonly #database: DatabaseSync;
  readonly #works: Readonly<Record<keyof Taxes, (index: number, id: number) => unknown>>;
  readonly #timesMs: Record<keyof Taxes, number[]> = { insert: [], update: [], delete: [] };

  constructor(database: DatabaseSync) {
    this.#database = database;
    const prepare = (sql: string): StatementSync => database.prepare(sql);
    const insert = prepare(
      "INSERT INTO tasks (id, week_id, duration_seconds, score, project_name) " +
        "VALUES (?, ?, ?, ?, ?)",
    );
    const update = prepare(
      "UPDATE tasks SET duration_seconds = duration_seconds + ?, score = ? WHERE id = ?",
    );
    const remove = prepare("DELETE FROM tasks WHERE id = ?");
    this.#works = {
      insert: (index, id) => insert.run(id, 1 + (index % WEEKS), index, index % 10, "Atlas"),
      update: (index, id) => update.run(1, (index + 1) % 10, id),
      delete: (_, id) => remove.run(id),
    };
  }

  async time(work: keyof Taxes, round: number): Promise<void> {
    const run = this.#works[work];
    const ms = await timeMs(() => {
      this.#database.exec("BEGIN");
      for (let index = 0; index < BATCH; index++) run(index, round * BATCH + index + 1);
      this.#database.exec("COMMIT");
    });
    this.#timesMs[work].push(ms);
  }

  shortestMs(work: keyof Taxes): number {
    return Math.min(...this.#timesMs[work]);
  }
}
