/** Random transactions, as hostile as SQLite allows: what REPLACE, cascades and rollbacks do. */

import type { Choices } from "./choices.ts";
import { quoted, randomLiteral, randomValue } from "./literals.ts";
import type { ProofTable } from "./proof-table.ts";

const CONFLICTS = ["", "", "", " OR REPLACE", " OR REPLACE", " OR IGNORE", " OR FAIL"];

/** The statements of one transaction that changes rows. */
export function randomCommit(choices: Choices, all: readonly ProofTable[]): string[] {
  const tables = all.filter(({ kind }) => kind === "table");
  if (tables.length === 0) return [];
  const statements = Array.from({ length: 1 + choices.below(3) }, () =>
    randomStatement(choices, choices.one(tables)),
  );
  if (choices.chance(0.1)) {
    const undone = randomStatement(choices, choices.one(tables));
    statements.push("SAVEPOINT s", undone, "ROLLBACK TO s");
  }
  return statements;
}

function randomStatement(choices: Choices, table: ProofTable): string {
  const kind = choices.below(12);
  if (kind < 5) return randomInsert(choices, table);
  if (kind < 6) return `${randomInsert(choices, table)} ${randomUpsert(choices, table)}`;
  if (kind < 10) return randomUpdate(choices, table);
  return `DELETE FROM ${quoted(table.name)}${where(choices, table, 0.95)}`;
}

function writable({ columns }: ProofTable): ProofTable["columns"] {
  return columns.filter(({ isGenerated }) => !isGenerated);
}

function randomInsert(choices: Choices, table: ProofTable): string {
  const columns = writable(table);
  const names = columns.map(({ name }) => quoted(name)).join(", ");
  const rows = Array.from({ length: choices.chance(0.25) ? 3 : 1 }, () => {
    return `(${columns.map((column) => randomLiteral(choices, column)).join(", ")})`;
  });
  const verb = choices.chance(0.1) ? "REPLACE" : `INSERT${choices.one(CONFLICTS)}`;
  return `${verb} INTO ${quoted(table.name)} (${names}) VALUES ${rows.join(", ")}`;
}

function randomUpsert(choices: Choices, table: ProofTable): string {
  const column = choices.one(writable(table));
  const name = quoted(column.name);
  const value = choices.one([`excluded.${name}`, randomLiteral(choices, column)]);
  return choices.chance(0.2)
    ? "ON CONFLICT DO NOTHING"
    : `ON CONFLICT DO UPDATE SET ${name} = ${value}`;
}

function randomUpdate(choices: Choices, table: ProofTable): string {
  const columns = writable(table);
  const sets = Array.from({ length: choices.chance(0.3) ? 2 : 1 }, () => {
    const column = choices.one(columns);
    const name = quoted(column.name);
    if (column.affinity === "integer" && choices.chance(0.15)) return `${name} = ${name} + 1`;
    return `${name} = ${randomLiteral(choices, column)}`;
  });
  const verb = `UPDATE${choices.one(CONFLICTS)}`;
  return `${verb} ${quoted(table.name)} SET ${sets.join(", ")}${where(choices, table, 0.92)}`;
}

function where(choices: Choices, table: ProofTable, probability: number): string {
  if (!choices.chance(probability)) return "";
  const column = choices.one(table.columns);
  const name = quoted(column.name);
  return choices.one([
    () => ` WHERE ${name} = ${randomValue(choices, column)}`,
    () => ` WHERE ${name} = ${randomValue(choices, column)}`,
    () => ` WHERE ${name} > ${randomValue(choices, column)}`,
    () => ` WHERE ${name} IS NULL`,
  ])();
}
