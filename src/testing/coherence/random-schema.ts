/** Random schemas, with every trait that could mislead a cache or a log of changes. */

import type { Choices } from "./choices.ts";

const COLUMN_TYPES = [
  "INTEGER",
  "INTEGER",
  "TEXT",
  "TEXT",
  "TEXT COLLATE NOCASE",
  "TEXT COLLATE NOCASE",
  "TEXT COLLATE RTRIM",
  "REAL",
  "NUMERIC",
  "BLOB",
  "",
];
const STRICT_TYPES = ["INTEGER", "TEXT", "TEXT COLLATE NOCASE", "REAL", "ANY", "BLOB"];
const ACTIONS = ["CASCADE", "CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"];
const KEYS = [
  { column: "k INTEGER PRIMARY KEY", needsKey: false },
  { column: "k INTEGER PRIMARY KEY", needsKey: false },
  { column: "k INTEGER", key: "PRIMARY KEY (k, c0)", needsKey: true },
  { column: "k TEXT PRIMARY KEY COLLATE NOCASE", needsKey: true },
  { column: "k INTEGER", needsKey: false, isKeyless: true },
];
const COMPUTED = ["length(c0) + 1", "c0 IS 1", "c1 IS 'a'", "coalesce(k, 0) + 1"];
const UNIQUES = ["(c0)", "(c1 COLLATE NOCASE)", "(k, c0)", "(c0, c1)"];
const CONDITIONS = ["c0 = 1", "c1 IS NOT NULL", "k > 1"];

/** Statements that make two to four tables, views, indexes and triggers. */
export function randomSchema(choices: Choices): string[] {
  const names = ["t0", "t1", "t2", "t3"].slice(0, 2 + choices.below(3));
  return [
    ...names.map((name, at) => randomTable(choices, name, names.slice(0, at + 1))),
    ...choices.some(names, 0.3).map((name, at) => randomIndex(choices, `i${at}`, name)),
    ...choices.some(names, 0.3).map((name, at) => randomView(choices, `w${at}`, name, names)),
    ...choices.some(names, 0.25).map((name, at) => randomTrigger(choices, `r${at}`, name, names)),
  ];
}

function randomTable(choices: Choices, name: string, names: readonly string[]): string {
  const key = choices.one(KEYS);
  const isStrict = choices.chance(0.15);
  const types = isStrict ? STRICT_TYPES : COLUMN_TYPES;
  const count = 2 + choices.below(2);
  const columns = Array.from({ length: count }, (_, at) => {
    const unique = choices.chance(0.1) ? " UNIQUE" : "";
    const notNull = choices.chance(0.08) ? " NOT NULL DEFAULT 1" : "";
    return `c${at} ${choices.one(types)}${notNull}${unique}`;
  });
  const parts = [key.column, ...columns];
  // Sometimes a table refers to itself.
  const target = choices.chance(0.2) ? name : (names.at(-2) ?? name);
  if (choices.chance(0.6)) {
    const actions = `ON DELETE ${choices.one(ACTIONS)} ON UPDATE ${choices.one(ACTIONS)}`;
    const late = choices.chance(0.15) ? " DEFERRABLE INITIALLY DEFERRED" : "";
    parts.push(`p INTEGER DEFAULT 1 REFERENCES ${target} (k) ${actions}${late}`);
  }
  if (choices.chance(0.5)) {
    const kept = choices.one(["STORED", "VIRTUAL", "VIRTUAL"]);
    parts.push(`g INTEGER GENERATED ALWAYS AS (${choices.one(COMPUTED)}) ${kept}`);
  }
  if (key.key !== undefined) parts.push(key.key);
  const options = [
    ...(key.needsKey && choices.chance(0.5) ? ["WITHOUT ROWID"] : []),
    ...(isStrict ? ["STRICT"] : []),
  ];
  return `CREATE TABLE ${name} (${parts.join(", ")}) ${options.join(", ")}`;
}

/** An index, unique or not, of a part of the rows or of all. */
export function randomIndex(choices: Choices, name: string, table: string): string {
  const unique = choices.chance(0.5) ? "UNIQUE " : "";
  const where = choices.chance(0.3) ? ` WHERE ${choices.one(CONDITIONS)}` : "";
  return `CREATE ${unique}INDEX ${name} ON ${table} ${choices.one(UNIQUES)}${where}`;
}

/** A view of one table, or of two. */
export function randomView(
  choices: Choices,
  name: string,
  table: string,
  tables: readonly string[],
): string {
  const other = choices.one(tables);
  return `CREATE VIEW ${name} AS ${choices.one([
    `SELECT k, c0, c1 FROM ${table} WHERE c0 IS NOT NULL`,
    `SELECT c0, count(*) AS n FROM ${table} GROUP BY c0`,
    `SELECT x.k, y.c1 FROM ${table} x LEFT JOIN ${other} y USING (c0)`,
    `SELECT k, c0, c1 FROM ${table} UNION ALL SELECT k, c1, c0 FROM ${other}`,
  ])}`;
}

/** A trigger such as users have: it writes other rows, and now and then ends the statement. */
export function randomTrigger(
  choices: Choices,
  name: string,
  table: string,
  tables: readonly string[],
): string {
  const other = choices.one(tables);
  const ending = (event: string, row: string): string => {
    const condition = choices.one(["c0 IS NOT 2", "c1 IS NOT 'a'", "c0 IS NOT NULL", "k > 1"]);
    const raise = choices.chance(0.15) ? "RAISE(FAIL, 'no')" : "RAISE(IGNORE)";
    return `${event} ON ${table} WHEN ${row}.${condition} BEGIN SELECT ${raise}; END`;
  };
  const made = (text: string): string => `CREATE TRIGGER ${name} ${text}`;
  if (choices.chance(0.5)) {
    const [event, row] = choices.one([
      ["AFTER INSERT", "NEW"],
      ["AFTER UPDATE", "NEW"],
      ["AFTER DELETE", "OLD"],
      ["AFTER INSERT", "NEW"],
      ["AFTER UPDATE", "NEW"],
      ["AFTER DELETE", "OLD"],
      ["BEFORE INSERT", "NEW"],
    ] as const);
    return made(ending(event, row));
  }
  return made(
    choices.one([
      `AFTER INSERT ON ${table} BEGIN UPDATE ${other} SET c1 = NEW.c1 WHERE c0 = NEW.c0; END`,
      `AFTER DELETE ON ${table} BEGIN DELETE FROM ${other} WHERE c0 = OLD.c0; END`,
      `AFTER UPDATE ON ${table} BEGIN UPDATE OR IGNORE ${other} SET c0 = OLD.c0 WHERE k = 1; END`,
      `BEFORE INSERT ON ${table} BEGIN UPDATE OR IGNORE ${table} SET k = NEW.k WHERE c0 = 1; END`,
      `BEFORE UPDATE ON ${table} BEGIN UPDATE OR IGNORE ${table} SET k = NEW.k WHERE c0 = 2; END`,
      `BEFORE INSERT ON ${table} BEGIN UPDATE OR IGNORE ${table} SET c0 = NEW.c0 WHERE k > 1; END`,
      `BEFORE INSERT ON ${table} BEGIN REPLACE INTO ${other} (k, c0) VALUES (1, 3); END`,
      `BEFORE DELETE ON ${table} BEGIN INSERT OR IGNORE INTO ${other} (k, c1) VALUES (2, 'b'); END`,
      `BEFORE UPDATE ON ${table} BEGIN DELETE FROM ${other} WHERE c0 = NEW.c0; END`,
    ]),
  );
}
