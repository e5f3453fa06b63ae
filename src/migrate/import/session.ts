/** What the thread of an import does for each request. */

import { existsSync } from "node:fs";
import { SpringhouseError } from "../../core/errors.ts";
import { quoteIdentifier } from "../../schema/quote.ts";
import { Connection } from "../../sqlite/connection.ts";
import { COMPANIONS } from "../../sqlite/files.ts";
import { finishedReport, landInto, moveInto, placeNew, rehearse, verifyStage } from "./land.ts";
import { copyOriginals, hashFile } from "./originals.ts";
import type { Landing, LoadPlan, LoadRequest, LoadState, Opened, TableShape } from "./plan.ts";
import { connectAlone, removeDatabase, Stage } from "./stage.ts";

/** One import, from the hashes of its files to its end. */
export class ImportSession {
  #stage: Stage | undefined;

  handle(request: LoadRequest): unknown {
    switch (request.kind) {
      case "hash":
        return request.paths.map(hashFile);
      case "columns":
        return columnsOf(request.target, request.table);
      case "open":
        return this.#open(request.plan, request.again);
      case "copy":
        return this.#copy(request);
      case "load":
        return this.#opened.load(request.batch);
      case "loaded":
        return this.#loaded();
      case "verify":
        return verifyStage(this.#opened);
      case "rehearse":
        return rehearse(this.#opened);
      case "restart":
        return this.#restart();
      case "land":
        return this.#land(request);
      case "discard":
        return this.#discard();
      case "close":
        return this.#close();
    }
  }

  #loaded(): LoadState {
    this.#opened.note({ isLoaded: true });
    return this.#opened.state;
  }

  get #opened(): Stage {
    if (this.#stage === undefined) throw new SpringhouseError("ASSERTION", "nothing is open");
    return this.#stage;
  }

  #open(plan: LoadPlan, again: boolean): Opened {
    if (plan.isNew) {
      const finished = finishPlacing(plan);
      if (finished !== undefined) return { done: finished };
      refuseStrayLogs(plan.target);
      this.#stage = Stage.open(plan, plan.statements);
      return { state: this.#stage.state };
    }
    using target = new Connection({ path: plan.target, readOnly: false, pragmas: READ_PRAGMAS });
    const report = finishedReport(target, plan.identity);
    if (report !== undefined && !again) {
      removeDatabase(plan.staging);
      return { done: report };
    }
    const shapes = new Map(plan.shapes.map((shape) => [shape.table, shape]));
    const ddl = [...shapes.values()].flatMap((shape) => ddlOf(target, shape));
    this.#stage = Stage.open(plan, ddl);
    return { state: this.#stage.state };
  }

  async #copy(request: Extract<LoadRequest, { kind: "copy" }>): Promise<string> {
    const folder = await copyOriginals(request.directory, request.files, request.nowMs);
    this.#opened.note({ backup: folder });
    return folder;
  }

  #land({ report, nowMs }: Extract<LoadRequest, { kind: "land" }>): Landing {
    const stage = this.#opened;
    const { identity, isNew, staging } = stage.plan;
    const entry = { identity, report, nowMs };
    if (isNew) {
      placeNew(stage, entry);
      this.#stage = undefined;
      return { landed: stage.state.sums.map(({ rows }) => ({ inserted: rows, updated: 0 })) };
    }
    const landing = landInto(stage, entry);
    if (landing.refused !== undefined) return landing;
    this.#close();
    removeDatabase(staging);
    return landing;
  }

  /** Forgets all rows, for the items are read once more; the copies stay. */
  #restart(): LoadState {
    const { plan, state } = this.#opened;
    const { backup } = state;
    this.#discard();
    this.#open(plan, true);
    this.#opened.note({ backup });
    return this.#opened.state;
  }

  #discard(): void {
    const staging = this.#stage?.plan.staging;
    this.#close();
    if (staging !== undefined) removeDatabase(staging);
  }

  #close(): void {
    this.#stage?.[Symbol.dispose]();
    this.#stage = undefined;
  }
}

/** Not opened read-only: such a connection leaves a log behind that it cannot take away. */
const READ_PRAGMAS = ["busy_timeout = 5000", "query_only = ON"];

/** A file that was finished and only lacks its name, since the process was killed before. */
function finishPlacing({ staging, target, identity }: LoadPlan): string | undefined {
  if (!existsSync(staging)) return undefined;
  const connection = connectAlone(staging);
  let report: string | undefined;
  try {
    report = finishedReport(connection, identity);
    if (report !== undefined) connection.ask("PRAGMA wal_checkpoint(TRUNCATE)");
  } finally {
    connection.close();
  }
  if (report !== undefined) moveInto(staging, target);
  return report;
}

/** SQLite would take the log of a database that is gone for that of the new one. */
function refuseStrayLogs(target: string): void {
  const stray = COMPANIONS.map((name) => target + name).find((path) => existsSync(path));
  if (stray === undefined) return;
  throw new SpringhouseError(
    "UNOPENABLE",
    `${stray} has been left by a database that is gone. Move it away, then run the import again.`,
    { fields: { path: stray } },
  );
}

/** Columns of a table with their declared types; undefined when there is no such table. */
function columnsOf(
  path: string,
  table: string,
): readonly { readonly name: string; readonly type: string; readonly key: number }[] | undefined {
  using target = new Connection({ path, readOnly: false, pragmas: READ_PRAGMAS });
  const rows = target.askAll("SELECT name, type, pk FROM pragma_table_info(?)", table);
  if (rows.length === 0) return undefined;
  return rows.map(([name, type, key]) => ({
    name: String(name),
    type: String(type),
    key: Number(key),
  }));
}

/** The text of a table of the target and of its unique indexes: they refuse what it would. */
function ddlOf(target: Connection, { table, columns, create }: TableShape): readonly string[] {
  const sql = `SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND
    ((type = 'table' AND name = ?1 COLLATE NOCASE) OR (type = 'index' AND
      tbl_name = ?1 COLLATE NOCASE AND name IN
        (SELECT name FROM pragma_index_list(?1) WHERE "unique" = 1))) ORDER BY rowid`;
  const texts = target.askAll(sql.replaceAll("?1", "?"), table, table, table).map(String);
  if (texts.length === 0 && create !== undefined) return [create];
  const there = target.askAll("SELECT name FROM pragma_table_info(?)", table).map(String);
  const missing = columns.filter((name) => !there.includes(name));
  if (missing.length === 0 && texts.length > 0) return texts;
  const what = texts.length === 0 ? "There is no such table" : `It lacks ${missing.join(", ")}`;
  throw new SpringhouseError(
    "SCHEMA_MISMATCH",
    `The target cannot take rows for ${quoteIdentifier(table)}: ${what.toLowerCase()}. Run the ` +
      "migrations first: npx springhouse migrate up.",
    { fields: { table, missing } },
  );
}
