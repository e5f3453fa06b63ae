/** Users' triggers that come between a statement and what the log is told of it. */

import type { Choices } from "../../../src/testing/coherence/choices.ts";
import { quoted, randomLiteral } from "../../../src/testing/coherence/literals.ts";
import type { ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import { randomSchema, randomTrigger } from "../../../src/testing/coherence/random-schema.ts";

/** Inserts that delete what is in their way. */
export function replacing(choices: Choices, statements: readonly string[]): readonly string[] {
  return statements.map((sql) => {
    const isMade = choices.chance(0.6) && !sql.includes("ON CONFLICT");
    return isMade ? sql.replace(/^INSERT(?: OR [A-Z]+)? INTO/, "REPLACE INTO") : sql;
  });
}

/** Another trigger in the place of those of a table, so that not all of them meet. */
export function moreTriggers(choices: Choices, all: readonly ProofTable[]): readonly string[] {
  const tables = all.filter(({ kind }) => kind === "table");
  const table = choices.one(tables);
  if (table === undefined) return [];
  const { name, triggers } = table;
  const dropped = triggers.map((trigger) => `DROP TRIGGER "${trigger}"`);
  const names = tables.map((other) => other.name);
  const fresh = `n${choices.below(1_000)}`;
  const event = choices.one(["INSERT", "UPDATE", "DELETE"]);
  const made = choices.one([
    // Moves a row into the way of one that comes.
    `CREATE TRIGGER ${fresh} BEFORE INSERT ON "${name}"
      BEGIN UPDATE OR IGNORE "${name}" SET k = NEW.k WHERE k > 0; END`,
    // Keeps all triggers that come after it from being told.
    `CREATE TRIGGER ${fresh} AFTER ${event} ON "${name}" BEGIN SELECT RAISE(IGNORE); END`,
    randomTrigger(choices, fresh, name, names),
  ]);
  return [...dropped, made];
}

/** Tables whose triggers move a row into the way of each that comes. */
export function movingSchema(choices: Choices): readonly string[] {
  const schema = randomSchema(choices);
  const names = schema.flatMap((sql) => /^CREATE TABLE (\w+)/.exec(sql)?.[1] ?? []);
  return [
    ...schema,
    ...choices.some(names, 0.8).map(
      (name) => `CREATE TRIGGER m${name} BEFORE INSERT ON ${name}
        BEGIN UPDATE OR IGNORE ${name} SET k = NEW.k WHERE k IS NOT NEW.k; END`,
    ),
  ];
}

/** A row with a key that is free, until a trigger moves another one there. */
export function movingCommit(choices: Choices, all: readonly ProofTable[]): readonly string[] {
  const { name, columns } = choices.one(all.filter(({ kind }) => kind === "table"));
  const written = columns.filter((column) => !column.isGenerated && column.name !== "k");
  const names = ["k", ...written.map((column) => quoted(column.name))].join(", ");
  const key = `(SELECT coalesce(max(k), 0) + 1 FROM ${quoted(name)})`;
  const values = [key, ...written.map((column) => randomLiteral(choices, column))].join(", ");
  return [`REPLACE INTO ${quoted(name)} (${names}) VALUES (${values})`];
}
