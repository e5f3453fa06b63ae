/** Random schemas and statements, as hostile to a log of changes as SQLite allows. */

import { Choices } from "../../src/testing/coherence/choices.ts";

/** A schema, and statements for it. */
export interface Scenario {
  readonly schema: readonly string[];
  /** The statements of the next transaction. Some fail. */
  transaction(): readonly string[];
}

/** Few values, so that rows get into each other's way, and some that are equal only in part. */
const VALUES = {
  a: ["1", "2", "3", "4", "5", "6", "2.0"],
  b: ["'a'", "'A'", "'b'", "'B'", "'c'", "NULL", "1"],
  c: ["1", "2", "3", "4", "5", "1.0", "'1'", "NULL", "x'61'"],
  p: ["NULL", "NULL", "1", "2", "3"],
} as const;
const COLUMNS = ["a", "b", "c", "p"] as const;
const OR = ["", "", " OR REPLACE", " OR REPLACE", " OR IGNORE", " OR FAIL", " OR ROLLBACK"];
const ACTIONS = ["CASCADE", "SET NULL", "SET DEFAULT", "NO ACTION"];
const PRIMARY_KEYS: readonly {
  readonly column: string;
  readonly constraint?: string;
  readonly isWithoutRowid: boolean;
}[] = [
  { column: "a INTEGER PRIMARY KEY", isWithoutRowid: false },
  { column: "a INTEGER PRIMARY KEY", isWithoutRowid: false },
  { column: "a", isWithoutRowid: false },
  { column: "a TEXT PRIMARY KEY COLLATE NOCASE", isWithoutRowid: false },
  { column: "a", constraint: "PRIMARY KEY (a, c)", isWithoutRowid: false },
  { column: "a TEXT PRIMARY KEY", isWithoutRowid: true },
  { column: "a NUMERIC", constraint: "PRIMARY KEY (a, c)", isWithoutRowid: true },
];
const INDEXES = [
  "CREATE UNIQUE INDEX parent_c ON parent (c)",
  "CREATE UNIQUE INDEX parent_b ON parent (b COLLATE NOCASE)",
  "CREATE UNIQUE INDEX parent_ac ON parent (a, c COLLATE RTRIM)",
  "CREATE UNIQUE INDEX parent_part ON parent (b) WHERE c = 1",
  "CREATE UNIQUE INDEX parent_p ON parent (p)",
  "CREATE UNIQUE INDEX parent_null ON parent (c) WHERE p IS NULL",
  "CREATE UNIQUE INDEX parent_g ON parent (c) WHERE g > 1",
  "CREATE UNIQUE INDEX parent_expression ON parent (a || b)",
];
const TRIGGERS = [
  "AFTER INSERT ON parent WHEN NEW.c IS NOT 2 BEGIN UPDATE parent SET c = 2 WHERE b = NEW.b; END",
  "AFTER UPDATE OF p ON parent WHEN NEW.b IS NOT 'a' BEGIN UPDATE parent SET b = 'a' WHERE c = NEW.c; END",
  "AFTER DELETE ON child BEGIN UPDATE OR IGNORE parent SET c = 3, b = 'b' WHERE c = 1; END",
  "AFTER DELETE ON parent BEGIN UPDATE OR REPLACE parent SET c = 2 WHERE c = 3; END",
  "AFTER UPDATE ON child BEGIN INSERT OR REPLACE INTO parent (a, b) VALUES (NEW.a, 'b'); END",
  "BEFORE INSERT ON parent WHEN NEW.c = 2 BEGIN SELECT RAISE(IGNORE); END",
  "AFTER INSERT ON parent WHEN NEW.c = 3 BEGIN SELECT RAISE(IGNORE); END",
  "AFTER UPDATE ON parent WHEN NEW.c = 3 BEGIN SELECT RAISE(FAIL, 'no'); END",
  "AFTER DELETE ON child WHEN OLD.n = 1 BEGIN SELECT RAISE(FAIL, 'no'); END",
  "BEFORE UPDATE ON parent BEGIN DELETE FROM child WHERE n = NEW.c; END",
  "BEFORE INSERT ON parent WHEN NEW.c IS NOT 9 BEGIN INSERT OR IGNORE INTO parent (c, p) VALUES (9, NEW.c); END",
  "AFTER DELETE ON parent BEGIN INSERT INTO child (a, n) VALUES (NULL, 2); END",
];

/** The scenario of a seed. */
export function scenario(seed: number): Scenario {
  const choices = new Choices(seed);
  const value = (column: keyof typeof VALUES): string => choices.one(VALUES[column]);
  const { column, constraint, isWithoutRowid } = choices.one(PRIMARY_KEYS);
  const conflict = choices.chance(0.2) ? " ON CONFLICT REPLACE" : "";
  const actions = (): string =>
    `ON DELETE ${choices.one(ACTIONS)} ON UPDATE ${choices.one(ACTIONS)}`;
  const target = (): string => (column.includes("PRIMARY KEY") && choices.chance(0.5) ? "a" : "c");
  const self = choices.chance(0.5) ? ` REFERENCES parent (${target()}) ${actions()}` : "";
  const parts = [
    column,
    `b TEXT${choices.chance(0.3) ? ` NOT NULL${conflict} DEFAULT 'b'` : ""}`,
    `c${choices.chance(0.3) ? " INTEGER" : ""}${choices.chance(0.2) ? ` UNIQUE${conflict}` : ""}`,
    `p DEFAULT 3${self}`,
    `g AS (c + 1)${choices.chance(0.5) ? " STORED" : ""}`,
    ...(constraint === undefined ? [] : [constraint]),
  ];
  const schema = [
    `PRAGMA recursive_triggers = ${choices.chance(0.5) ? 1 : 0}`,
    `PRAGMA foreign_keys = ${choices.chance(0.8) ? 1 : 0}`,
    `CREATE TABLE parent (${parts.join(", ")})${isWithoutRowid ? " WITHOUT ROWID" : ""}`,
    `CREATE TABLE child (n INTEGER PRIMARY KEY, a REFERENCES parent (${target()})
      ${actions()}, k UNIQUE)`,
    // What foreign keys refer to must be unique.
    "CREATE UNIQUE INDEX parent_c0 ON parent (c)",
    ...choices.some(INDEXES, choices.one([0, 0.1, 0.2])),
    ...choices
      .some(TRIGGERS, choices.one([0, 0.1, 0.2]))
      .map((text, at) => `CREATE TRIGGER user_${at} ${text}`),
  ];
  const equal = (): string => {
    const name = choices.one(COLUMNS);
    return `${name} = ${value(name)}`;
  };
  const insert = (): string => {
    const values = COLUMNS.map(value);
    const hasRowid = !isWithoutRowid && choices.chance(0.2);
    const names = [...(hasRowid ? ["rowid"] : []), ...COLUMNS];
    if (hasRowid) values.unshift(choices.one(["1", "2", "3"]));
    return `INSERT${choices.one(OR)} INTO parent (${names.join(", ")}) VALUES (${values.join(", ")})`;
  };
  const fill = (): string => {
    const row = (c: number): string => `(${c}, ${value("b")}, ${c}, ${choices.one(["NULL", c])})`;
    const rows = [1, 2, 3, 4, 5].map(row).join(", ");
    return `INSERT OR IGNORE INTO parent (a, b, c, p) VALUES ${rows}`;
  };
  const statement = (): string =>
    choices.one<() => string>([
      insert,
      insert,
      () => `${insert()} ON CONFLICT (c) DO UPDATE SET ${equal()}`,
      () => `UPDATE${choices.one(OR)} parent SET ${equal()}, ${equal()} WHERE ${equal()}`,
      () => `UPDATE${choices.one(OR)} parent SET ${equal()} WHERE c > ${choices.one(["2", "4"])}`,
      () =>
        `UPDATE${choices.one(OR)} parent SET ${isWithoutRowid ? "a" : "oid"} = 2 WHERE ${equal()}`,
      () => `DELETE FROM parent WHERE ${equal()}`,
      () =>
        `INSERT${choices.one(OR)} INTO child VALUES (${choices.one(["1", "2", "3", "4"])}, ${value("c")}, ${value("c")})`,
      () => `UPDATE${choices.one(OR)} child SET k = ${value("c")} WHERE n > 2`,
      fill,
      () => `INSERT OR IGNORE INTO child VALUES (1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 3, 4)`,
      () => "SAVEPOINT s; DELETE FROM child; ROLLBACK TO s; RELEASE s",
    ])();
  return {
    schema: [...schema, fill(), fill()],
    transaction: () => Array.from({ length: 1 + choices.below(3) }, statement),
  };
}
