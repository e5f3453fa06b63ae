/** What a database holds, as one short text for each table: two equal ones hold the same rows. */

import { createHash, type Hash } from "node:crypto";
import type { PhysicalTable } from "../schema/physical.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { Session, SqlValue } from "../store/store.ts";

/** Digests by table, over all rows in the order in which they are stored. */
export async function digestRows(
  session: Session,
  tables: readonly PhysicalTable[],
): Promise<ReadonlyMap<string, string>> {
  const digests = new Map<string, string>();
  for (const { name, columns } of tables) {
    const names = columns.map((column) => column.name).sort();
    const hash = createHash("sha256");
    const sql = `SELECT ${quoteList(names)} FROM ${quoteIdentifier(name)} NOT INDEXED`;
    for await (const { rows } of session.stream({ sql, parameters: [] })) {
      for (const row of rows) for (const value of row) addValue(hash, value);
    }
    digests.set(name, hash.digest("hex"));
  }
  return digests;
}

/** Type and length go first, so that no two lists of values look the same. */
function addValue(hash: Hash, value: SqlValue): void {
  if (value instanceof Uint8Array) hash.update(`b${value.byteLength}:`).update(value);
  else hash.update(`${typeof value === "string" ? `s${value.length}:` : "n"}${value};`);
}
