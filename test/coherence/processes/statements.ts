/** The tables that several processes write, and what programs do to them that know of no cache. */

import type { Choices } from "../../../src/testing/coherence/choices.ts";

/** Groups of items: a result belongs to one, a write mostly too. */
export const GROUPS = 40;

export const SCHEMA = `
  CREATE TABLE items (id INTEGER PRIMARY KEY, grp INTEGER, name TEXT COLLATE NOCASE UNIQUE, n);
  CREATE TABLE notes (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items (id)
    ON DELETE CASCADE ON UPDATE CASCADE, body TEXT);
  CREATE INDEX items_grp ON items (grp);
  CREATE VIEW noted AS SELECT i.grp, t.body FROM items i JOIN notes t ON t.item = i.id;`;

/** Statements in a row, and how long a writer rests after them so that something can be kept. */
export const BURST = 20;
export const REST_MS = 60;

/** Rare ones: they drop everything that is kept. */
const SCHEMA_CHANGES: readonly string[] = [
  "CREATE INDEX IF NOT EXISTS items_n ON items (n);",
  "DROP INDEX IF EXISTS items_n;",
  `BEGIN IMMEDIATE; DROP VIEW IF EXISTS noted; CREATE VIEW noted AS
    SELECT i.grp, upper(t.body) AS body FROM items i JOIN notes t ON t.item = i.id; COMMIT;`,
  // A table rebuilt by hand: the triggers on it are gone.
  `PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE;
    CREATE TABLE fresh (id INTEGER PRIMARY KEY, item INTEGER REFERENCES items (id)
      ON DELETE CASCADE ON UPDATE CASCADE, body TEXT);
    INSERT INTO fresh SELECT id, item, body FROM notes; DROP TABLE notes;
    ALTER TABLE fresh RENAME TO notes; COMMIT; PRAGMA foreign_keys = ON;`,
];
const CHECKPOINTS = ["PRAGMA wal_checkpoint(PASSIVE);", "PRAGMA wal_checkpoint(TRUNCATE);"];

/** One in so many statements changes the schema, or writes back the log of SQLite. */
const PER_SCHEMA_CHANGE = 1_000;
const PER_CHECKPOINT = 100;

/** Some statements that belong together. */
export function nextStatements(choices: Choices): string {
  if (choices.below(PER_SCHEMA_CHANGE) === 0) return choices.one(SCHEMA_CHANGES);
  if (choices.below(PER_CHECKPOINT) === 0) return choices.one(CHECKPOINTS);
  const id = choices.below(400);
  const group = id % GROUPS;
  const [name, n] = [`'Name ${choices.below(300)}'`, choices.below(1_000)];
  const writes = [
    `REPLACE INTO items VALUES (${id}, ${group}, ${name}, ${n});`,
    `INSERT OR REPLACE INTO items VALUES (${id}, ${group}, ${name}, ${n}.5);`,
    `INSERT INTO items VALUES (${id}, ${group}, ${name}, ${n})
      ON CONFLICT DO UPDATE SET n = excluded.n;`,
    `UPDATE items SET n = n + 1 WHERE grp = ${group};`,
    `UPDATE OR REPLACE items SET name = ${name} WHERE id = ${id};`,
    `UPDATE OR IGNORE items SET id = ${choices.below(400)} WHERE id = ${id};`,
    `DELETE FROM items WHERE id = ${id};`,
    `INSERT OR IGNORE INTO notes VALUES (${choices.below(400)}, ${id}, 'note ${n}');`,
    `INSERT OR IGNORE INTO notes VALUES (${choices.below(400)}, ${id}, 'note ${n}');`,
    `UPDATE notes SET body = 'again ${n}' WHERE item = ${id};`,
  ];
  const one = (): string => choices.one(writes);
  switch (choices.below(6)) {
    case 0:
      return `BEGIN IMMEDIATE; ${one()} ${one()} COMMIT;`;
    case 1:
      return `BEGIN IMMEDIATE; ${one()} SAVEPOINT s; ${one()} ROLLBACK TO s; COMMIT;`;
    case 2:
      return `BEGIN IMMEDIATE; ${one()} ROLLBACK;`;
    default:
      return one();
  }
}
