/** Rows with children, which a foreign key changes while their parent is replaced. */

import type { Choices } from "../../../src/testing/coherence/choices.ts";

/** Keys of parents: few, so that the next one replaces one that is there. */
const PARENTS = 3;

/** Two tables, parents and children. */
export function familySchema(choices: Choices): readonly string[] {
  const action = choices.one(["SET NULL", "SET DEFAULT", "CASCADE"]);
  return [
    "CREATE TABLE parents (k INTEGER PRIMARY KEY, c0 INTEGER, c1 TEXT)",
    `CREATE TABLE children (k INTEGER PRIMARY KEY, c0 INTEGER,
      p INTEGER REFERENCES parents (k) ON DELETE ${action})`,
  ];
}

/** A child, and another parent in the place of one that has some. */
export function familyCommit(choices: Choices): readonly string[] {
  const key = choices.below(PARENTS);
  const values = `${choices.below(4)}, '${choices.one(["a", "b", "A"])}'`;
  return [
    `INSERT INTO children (c0, p) VALUES (${choices.below(4)}, ${key})`,
    `REPLACE INTO parents (k, c0, c1) VALUES (${key}, ${values})`,
  ];
}
