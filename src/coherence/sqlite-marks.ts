/** Places of the log of a SQLite file that can be told from those of any other history. */

import { toPosition } from "../capture/log-rows.ts";
import {
  ADD_IDENTITY,
  ADD_TICK,
  HAS_LOG,
  SELECT_IDENTITY,
  SELECT_LAST_TICK,
} from "../capture/log-tables.ts";
import type { Position } from "../change/position.ts";
import type { SqliteStore } from "../store/sqlite/store.ts";
import type { Marks } from "./marks.ts";
import type { SqliteLog } from "./sqlite-log.ts";

/** Rows that are looked through for a mark: those between two commits of our own. */
const ROWS_BACK_MAX = 1_000;

const SELECT_SCHEMA = "SELECT type, name, tbl_name, sql FROM sqlite_schema ORDER BY type, name";

/** See above. */
export class SqliteMarks implements Marks {
  readonly #log: SqliteLog;
  readonly #open: () => SqliteStore;

  /** @param open one of those who have the file open. */
  constructor(log: SqliteLog, open: () => SqliteStore) {
    this.#log = log;
    this.#open = open;
  }

  get identity(): string | undefined {
    if (this.#log.rows(HAS_LOG).length === 0) return undefined;
    const [identity] = this.#log.rows(SELECT_IDENTITY)[0] ?? [];
    return typeof identity === "string" ? identity : undefined;
  }

  last(after: number, upTo: number): Position | undefined {
    const from = Math.max(after, upTo - ROWS_BACK_MAX);
    const row = this.#log.rows(SELECT_LAST_TICK, [from, upTo])[0];
    return row === undefined ? undefined : toPosition(row);
  }

  schemaText(version: number): string | undefined {
    return this.#log.inSnapshot(() => {
      if (this.#log.schemaVersion() !== version) return undefined;
      return JSON.stringify(this.#log.rows(SELECT_SCHEMA));
    });
  }

  async add(): Promise<boolean> {
    const store = this.#open();
    if (store.readOnly) return false;
    await store.write([ADD_IDENTITY, ADD_TICK].map((sql) => ({ sql, parameters: [] })));
    return true;
  }
}
