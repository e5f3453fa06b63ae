/** Coherence on SQLite: the log on the main thread's connection, snapshots on reader threads. */

import type { Coverage } from "../capture/coverage.ts";
import { SELECT_POSITION, toPosition } from "../capture/log-rows.ts";
import { ADD_TICK, HAS_LOG, LOG_EVERY_TABLE } from "../capture/log-tables.ts";
import { SELECT_EXTENT, trimLog } from "../capture/log-trim.ts";
import { tableStructure } from "../capture/table-structure.ts";
import type { Reading } from "../change/footprint.ts";
import type { Position } from "../change/position.ts";
import type { SchemaStructure, TableStructure } from "../change/structure.ts";
import { readingOfSql } from "../footprint/explain.ts";
import type { Connection } from "../sqlite/connection.ts";
import type { DatabaseFile } from "../sqlite/database-file.ts";
import { coverageOn } from "../sqlite/log-preparation.ts";
import { SqliteProbe } from "../sqlite/statement-probe.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { CoherentDatabase, Preparation } from "./coherent-database.ts";
import type { RollupAtoms } from "./rollup-atoms.ts";
import type { RollupKeeper } from "./rollup-keeper.ts";
import { SqliteLog } from "./sqlite-log.ts";
import type { SnapshotReads } from "./tracking.ts";

/** Triggers that another program keeps changing are not ours to fight for. */
const PREPARATIONS_MAX = 3;
/** Nor is a schema that changes all the time one to wait for. */
const SNAPSHOTS_MAX = 10;
/** Rows of the log that stay: whoever has not looked for longer drops what it has. */
const LOG_ROWS_MAX = 50_000;
/** Rows that go in one transaction, which holds up no writer for long. */
const TRIMMED_AT_ONCE = 5_000;
/** The texts of one program, and room for some that are built as strings. */
const READINGS_MAX = 2_000;

/** What belongs to those who have the file open. */
export interface SqliteParts {
  readonly rollups: RollupAtoms;
  readonly keepers: ReadonlySet<RollupKeeper>;
  /** One of the stores; each of them may close. */
  readonly open: () => SqliteStore;
}

/** One file. */
export class SqliteCoherentDatabase implements CoherentDatabase {
  readonly log: SqliteLog;
  readonly #connection: Connection;
  readonly #open: () => SqliteStore;
  readonly #keepers: ReadonlySet<RollupKeeper>;
  readonly #probe: SqliteProbe;
  #schema: SchemaStructure | undefined;
  readonly #readings = new Map<string, Reading>();

  constructor(file: DatabaseFile, { rollups, keepers, open }: SqliteParts) {
    const { inline, writer } = file;
    this.#connection = inline.connection;
    this.#keepers = keepers;
    this.#open = open;
    this.log = new SqliteLog(this.#connection, writer.commits);
    this.#probe = new SqliteProbe(this.#connection, (table) => {
      const logged = rollups.sourceOf(table) ?? table;
      return this.#schema?.table(logged) === undefined ? undefined : logged;
    });
  }

  get isInTransaction(): boolean {
    return this.#store.current !== undefined;
  }

  async prepare(isLossy: boolean): Promise<Preparation> {
    this.#readings.clear();
    const isMended = isLossy && !this.#store.readOnly && this.#hasLog;
    if (isMended) await this.#store.write([{ sql: LOG_EVERY_TABLE, parameters: [] }]);
    const isWhole = !isLossy || isMended;
    for (let left = PREPARATIONS_MAX; ; left--) {
      const { schemaVersion, coverage } = this.#look();
      if (coverage.statements.length === 0) {
        this.#schema = schemaOf(coverage);
        return { ready: true, schemaVersion, schema: this.#schema, isWhole };
      }
      if (this.#store.readOnly) return { ready: false, reason: READ_ONLY };
      if (left === 0) return { ready: false, reason: CONTESTED };
      await this.#store.prepareLog();
    }
  }

  async snapshot<T>(
    run: (reads: SnapshotReads, position: Position | undefined) => Promise<T>,
  ): Promise<T> {
    for (let left = SNAPSHOTS_MAX; ; left--) {
      await Promise.all([...this.#keepers].map((keeper) => keeper.keep()));
      const taken = await this.#store.snapshot(async (snapshot) => {
        const sql = this.#hasLog ? SELECT_POSITION : NO_ROW;
        const { rows } = await snapshot.read({ sql, parameters: [] });
        // What the schema is now it was when the snapshot was taken, or rollups may be wrong in it.
        if (left > 0 && ![...this.#keepers].every((keeper) => keeper.isCurrent())) return undefined;
        const [row] = rows;
        const position = row === undefined ? undefined : toPosition(row);
        return { value: await run(this.#guarded(snapshot), position) };
      });
      if (taken !== undefined) return taken.value;
    }
  }

  readingOfText(sql: string): Reading {
    const known = this.#readings.get(sql);
    if (known !== undefined) return known;
    if (this.#readings.size >= READINGS_MAX) this.#readings.clear();
    const reading = readingOfSql(sql, this.#probe);
    this.#readings.set(sql, reading);
    return reading;
  }

  async mark(): Promise<void> {
    await this.#store.write([{ sql: ADD_TICK, parameters: [] }]);
  }

  async trim({ sequence }: Position): Promise<void> {
    if (this.#store.readOnly || this.isInTransaction) return;
    const upTo = sequence - LOG_ROWS_MAX;
    for (;;) {
      const [first] = this.log.rows(SELECT_EXTENT)[0] ?? [];
      if (first === undefined || Number(first) > upTo) return;
      await this.#store.write(trimLog(upTo, TRIMMED_AT_ONCE));
    }
  }

  #guarded(snapshot: SnapshotReads): SnapshotReads {
    return {
      read: async (statement) => {
        for (const keeper of this.#keepers) keeper.assertRight(statement.sql);
        return await snapshot.read(statement);
      },
    };
  }

  get #store(): SqliteStore {
    return this.#open();
  }

  get #hasLog(): boolean {
    return this.log.rows(HAS_LOG).length > 0;
  }

  #look(): { readonly schemaVersion: number; readonly coverage: Coverage } {
    return this.log.inSnapshot(() => {
      const coverage = coverageOn(this.#connection);
      // Numbers of shapes may be those of a log that is there no longer.
      if (this.#hasLog) this.log.readShapes();
      return { schemaVersion: this.log.schemaVersion(), coverage };
    });
  }
}

const NO_ROW = "SELECT 1 WHERE 0";
const READ_ONLY =
  "The file is open for reading only, and has no log that would tell what is changed in it.";
const CONTESTED = "Another program keeps changing the triggers that write the log of changes.";

function schemaOf({ tables }: Coverage): SchemaStructure {
  const structures = new Map<string, TableStructure>();
  for (const { table, capture } of tables) {
    const structure = tableStructure(table, capture.level);
    structures.set(structure.name, structure);
  }
  return { table: (name) => structures.get(name) };
}
