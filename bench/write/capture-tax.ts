/**
 * What the log of changes costs a writer: the same statements on two files that differ in the log's
 * triggers alone, in alternation.
 */

import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { coverageOf } from "../../src/capture/coverage.ts";
import {
  fileTables,
  STRUCTURE_QUERIES,
  type StructureQuery,
} from "../../src/capture/table-structure.ts";
import { median } from "../support.ts";

/** Times of a write with the log over those without. */
export interface CaptureTax {
  readonly insert: number;
  readonly update: number;
  readonly delete: number;
  /** A commit of one row, synchronous=FULL. */
  readonly single: number;
}

/** Checkpoints come between the batches, for both, and are part of none. */
const SETTINGS =
  "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0";
const BATCH_ROWS = 1_000;
/** Rows that stand there before, so that the indexes have some depth. */
const STANDING_ROWS = 20_000;
const TABLE = `CREATE TABLE tasks (id INTEGER PRIMARY KEY, week_id INTEGER NOT NULL,
  title VARCHAR(100), project VARCHAR(100), duration INTEGER, score REAL, done INTEGER,
  note VARCHAR(500))`;
/** As a program does from time to time; not part of a write. */
const TRIM = "DELETE FROM springhouse_log WHERE seq < (SELECT max(seq) FROM springhouse_log)";
const INDEXES = [
  "CREATE INDEX tasks_week ON tasks (week_id)",
  "CREATE INDEX tasks_project ON tasks (project, done)",
];

/** Measures in a folder. */
export function captureTax(folder: string, quick: boolean): CaptureTax {
  const rounds = quick ? 30 : 150;
  using plain = new Writer(join(folder, "without-log.db"), false);
  using logged = new Writer(join(folder, "with-log.db"), true);
  const batch = alternate(rounds, [plain, logged], (writer) => writer.batches());
  for (const writer of [plain, logged]) writer.wait();
  const single = alternate(rounds * 5, [plain, logged], (writer) => [writer.single()]);
  const [insert = 0, update = 0, remove = 0] = batch;
  return { insert, update, delete: remove, single: single[0] ?? 0 };
}

/** For each time of a round, the middle of the ratios of the second writer to the first. */
function alternate(
  rounds: number,
  [first, second]: readonly [Writer, Writer],
  run: (writer: Writer) => readonly number[],
): readonly number[] {
  const ratios: number[][] = [];
  for (let round = 0; round < rounds; round++) {
    // Who begins changes, so that neither always finds the machine as the other left it.
    const isSwapped = round % 2 === 1;
    const [a, b] = isSwapped ? [run(second), run(first)] : [run(first), run(second)];
    const [without, with_] = isSwapped ? [b, a] : [a, b];
    for (const [at, ms] of without.entries()) {
      ratios[at] = [...(ratios[at] ?? []), (with_[at] ?? Number.NaN) / ms];
    }
  }
  return ratios.map(median);
}

class Writer implements Disposable {
  readonly #database: DatabaseSync;
  readonly #insert: StatementSync;
  readonly #update: StatementSync;
  readonly #delete: StatementSync;
  readonly #hasLog: boolean;
  #next = 1;

  constructor(path: string, hasLog: boolean) {
    const database = new DatabaseSync(path);
    this.#database = database;
    this.#hasLog = hasLog;
    database.exec(SETTINGS);
    for (const sql of [TABLE, ...INDEXES]) database.exec(sql);
    if (hasLog) addLog(database);
    this.#insert = database.prepare("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
    this.#update = database.prepare("UPDATE tasks SET score = score + 1 WHERE id = ?");
    this.#delete = database.prepare("DELETE FROM tasks WHERE id = ?");
    this.#batch(STANDING_ROWS, () => this.#insertNext());
  }

  /** Milliseconds of a batch of inserts, of updates and of deletes. */
  batches(): readonly number[] {
    const first = this.#next;
    const insertMs = this.#batch(BATCH_ROWS, () => this.#insertNext());
    const updateMs = this.#batch(BATCH_ROWS, (at) => this.#update.run(first + at));
    const deleteMs = this.#batch(BATCH_ROWS, (at) => this.#delete.run(first + at));
    if (this.#hasLog) this.#database.exec(TRIM);
    this.#database.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    return [insertMs, updateMs, deleteMs];
  }

  /** From now on a commit waits for the disk. */
  wait(): void {
    this.#database.exec("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
  }

  /** Milliseconds of one insert, committed. */
  single(): number {
    const startMs = performance.now();
    this.#insertNext();
    return performance.now() - startMs;
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  #insertNext(): void {
    const id = this.#next++;
    const project = `project ${id % 50}`;
    this.#insert.run(id, id % 500, `task number ${id}`, project, id % 7_200, id / 3, id % 2, null);
  }

  #batch(rows: number, run: (at: number) => unknown): number {
    const startMs = performance.now();
    this.#database.exec("BEGIN IMMEDIATE");
    for (let at = 0; at < rows; at++) run(at);
    this.#database.exec("COMMIT");
    return performance.now() - startMs;
  }
}

function addLog(database: DatabaseSync): void {
  const read = (name: StructureQuery): readonly (readonly unknown[])[] => {
    const statement = database.prepare(STRUCTURE_QUERIES[name]);
    statement.setReturnArrays(true);
    return statement.all() as unknown as readonly (readonly unknown[])[];
  };
  const file = fileTables({
    objects: read("objects"),
    columns: read("columns"),
    indexes: read("indexes"),
    references: read("references"),
    encoding: read("encoding"),
  });
  for (const sql of coverageOf(file, []).statements) database.exec(sql);
}
