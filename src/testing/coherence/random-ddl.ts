/** Random changes of the schema, those that programs make by hand among them. */

import type { Choices } from "./choices.ts";
import { quoted, randomValue } from "./literals.ts";
import type { ProofTable } from "./proof-table.ts";
import { randomIndex, randomTrigger, randomView } from "./random-schema.ts";

/** Names beyond any that a schema begins with. */
const NAMES = 1_000;

/** The statements of one transaction that changes the schema. */
export function randomDdl(choices: Choices, all: readonly ProofTable[]): string[] {
  const tables = all.filter(({ kind }) => kind === "table");
  const table = choices.one(tables);
  if (table === undefined) return [];
  const names = tables.map(({ name }) => name);
  const fresh = `n${choices.below(NAMES)}`;
  const dropped = all.flatMap(({ indexes, triggers }) => [
    ...indexes.map((name) => `DROP INDEX ${quoted(name)}`),
    ...triggers.map((name) => `DROP TRIGGER ${quoted(name)}`),
  ]);
  const drop = choices.one(dropped);
  const changes: (() => string[])[] = [
    () => alteredTable(choices, table, fresh),
    () => alteredTable(choices, table, fresh),
    () => [randomIndex(choices, fresh, table.name)],
    () => [randomTrigger(choices, fresh, table.name, names)],
    () => [randomTrigger(choices, fresh, table.name, names)],
    () => [randomTrigger(choices, fresh, table.name, names)],
    () => [randomTrigger(choices, fresh, table.name, names)],
    () => otherView(choices, all, names),
    () => rebuilt(table, fresh),
    () => [`DROP TABLE ${quoted(table.name)}`, table.sql],
    () => (drop === undefined ? [randomIndex(choices, fresh, table.name)] : [drop]),
  ];
  return choices.one(changes)();
}

function alteredTable(choices: Choices, { name, columns }: ProofTable, fresh: string): string[] {
  const table = quoted(name);
  const plain = columns.filter((column) => !column.isGenerated);
  const column = choices.one(plain);
  // What later statements count on is left to them.
  const last = plain.at(-1);
  return choices.one([
    () => [`ALTER TABLE ${table} ADD COLUMN ${fresh} TEXT DEFAULT ${randomValue(choices, column)}`],
    () => [`ALTER TABLE ${table} ADD COLUMN ${fresh} INTEGER`, `UPDATE ${table} SET ${fresh} = 1`],
    () => (last === undefined ? [] : [`ALTER TABLE ${table} DROP COLUMN ${quoted(last.name)}`]),
    () =>
      last === undefined
        ? []
        : [`ALTER TABLE ${table} RENAME COLUMN ${quoted(last.name)} TO ${fresh}`],
  ])();
}

/** Another view under the name of one that is there. */
function otherView(
  choices: Choices,
  all: readonly ProofTable[],
  names: readonly string[],
): string[] {
  const views = all.filter(({ kind }) => kind === "view");
  const { name } = choices.one(views) ?? { name: "w0" };
  const made = randomView(choices, name, choices.one(names), names);
  return [`DROP VIEW IF EXISTS ${quoted(name)}`, made];
}

/** A table made anew under another name, filled, and put in the place of the old one. */
function rebuilt({ name, sql, columns }: ProofTable, fresh: string): string[] {
  const list = columns
    .filter(({ isGenerated }) => !isGenerated)
    .map((column) => quoted(column.name))
    .join(", ");
  const made = sql.replace(/^CREATE TABLE\s+("[^"]+"|\w+)/i, `CREATE TABLE ${fresh}`);
  return [
    "PRAGMA defer_foreign_keys = ON",
    made,
    `INSERT OR IGNORE INTO ${fresh} (${list}) SELECT ${list} FROM ${quoted(name)}`,
    `DROP TABLE ${quoted(name)}`,
    `ALTER TABLE ${fresh} RENAME TO ${quoted(name)}`,
  ];
}
