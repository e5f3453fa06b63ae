/** Names and values inside SQL text. */

import type { Dialect, SqlValue } from "./physical.ts";

/** A name in double quotes, as both databases want it. */
export function quoteIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Names in double quotes with commas between. */
export function quoteList(names: readonly string[]): string {
  return names.map(quoteIdentifier).join(", ");
}

/** A value as a literal. Only for DDL; everything else binds parameters. */
export function literal(value: SqlValue, dialect: Dialect): string {
  if (value === null) return "NULL";
  if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
  if (!(value instanceof Uint8Array)) return String(value);
  const hex = Buffer.from(value).toString("hex");
  return dialect === "sqlite" ? `x'${hex}'` : `'\\x${hex}'`;
}
