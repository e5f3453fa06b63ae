/** How the tables of a database are logged, asked through a session of its store. */

import { type Coverage, coverageOf } from "../capture/coverage.ts";
import { HAS_LOG, SELECT_SHAPES, type Shape, toShape } from "../capture/log-tables.ts";
import { fileTables, STRUCTURE_QUERIES, type StructureRows } from "../capture/table-structure.ts";
import type { ResultSet, Session } from "../store/store.ts";

/** Looks only; the session must be one snapshot, or the one transaction. */
export async function coverageIn(session: Pick<Session, "read">): Promise<Coverage> {
  const ask = (sql: string): Promise<ResultSet> => session.read({ sql, parameters: [] });
  const rows: Record<string, ResultSet["rows"]> = {};
  for (const [name, sql] of Object.entries(STRUCTURE_QUERIES)) rows[name] = (await ask(sql)).rows;
  let shapes: readonly Shape[] = [];
  if ((await ask(HAS_LOG)).rows.length > 0) shapes = (await ask(SELECT_SHAPES)).rows.map(toShape);
  return coverageOf(fileTables(rows as unknown as StructureRows), shapes);
}
