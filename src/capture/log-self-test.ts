/**
 * Proves on the SQLite that runs what the log relies on and no documentation promises: our
 * triggers, being the newest, fire before another one that ends the statement, and the rows that
 * REPLACE deletes are logged. It works on a table of its own, in a savepoint that is rolled back.
 */

import { KIND } from "./log-tables.ts";
import { logTriggers } from "./log-triggers.ts";
import type { FileColumn, FileTable } from "./table-structure.ts";

/** To be run in a savepoint of a file that has a log; whatever comes of it, that is rolled back. */
export interface LogSelfTest {
  readonly statements: readonly string[];
  /** One value, 1 when the log can be relied on. */
  readonly query: string;
}

/** No table has this number. */
const SHAPE = -1;
const NAME = "springhouse_log_test";

/** The test. When it fails, or raises, nothing may be said of rows, nor of tables. */
export function logSelfTest(): LogSelfTest {
  const triggers = logTriggers(TABLE, { level: "rows", logsMoved: false }, SHAPE);
  return {
    statements: [
      `CREATE TABLE ${NAME} (id INTEGER PRIMARY KEY, label TEXT UNIQUE)`,
      `CREATE TRIGGER ${NAME}_i AFTER INSERT ON ${NAME} BEGIN SELECT RAISE(IGNORE); END`,
      `CREATE TRIGGER ${NAME}_u AFTER UPDATE ON ${NAME} BEGIN SELECT RAISE(IGNORE); END`,
      ...triggers.map(({ sql }) => sql),
      `INSERT INTO ${NAME} VALUES (1, 'a'), (2, 'b'), (3, 'c')`,
      `INSERT OR REPLACE INTO ${NAME} VALUES (1, 'b')`,
      `UPDATE OR REPLACE ${NAME} SET label = 'b' WHERE id = 3`,
    ],
    query: `SELECT (SELECT group_concat(entry, ' ') FROM (
      SELECT kind || ':' || v0 || v1 AS entry FROM springhouse_log
      WHERE shape = ${SHAPE} ORDER BY seq)) = '${EXPECTED.join(" ")}'`,
  };
}

const EXPECTED = [
  ...["1a", "2b", "3c"].map((row) => `${KIND.insert}:${row}`),
  ...["1a", "2b"].map((row) => `${KIND.inTheWay}:${row}`),
  `${KIND.insert}:1b`,
  `${KIND.mayGo}:1b`,
  `${KIND.update}:3c`,
];

const COLUMN: Omit<FileColumn, "name" | "affinity"> = {
  collation: "binary",
  generated: undefined,
  notNull: false,
  isShort: false,
  default: undefined,
};
const TABLE: FileTable = {
  name: NAME,
  columns: [
    { ...COLUMN, name: "id", affinity: "integer" },
    { ...COLUMN, name: "label", affinity: "text" },
  ],
  rowidColumn: "id",
  rowidNames: ["rowid"],
  withoutRowid: false,
  uniques: [
    { parts: [{ name: "label", collation: "binary" }], isPrimary: false, where: undefined },
  ],
  references: [],
  isUtf16: false,
};
