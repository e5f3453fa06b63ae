/**
 * How many rows the tables have, without counting them: a full count of a large table reads all of
 * it, and health is looked at every minute.
 *
 * Up to a thousand rows are counted. Beyond that, the range of the rowids is known from its two
 * ends, and a hundred rowids drawn from it, one from each of a hundred equal parts, tell how
 * densely it is filled. For a table whose rows are never deleted that is exact. Where rowids are
 * too sparse for that (chosen at random, or there are none) the last ANALYZE is asked.
 */

import { quoteIdentifier } from "../schema/quote.ts";
import type { SqlValue } from "../store/store.ts";
import type { HealthDatabase } from "./sources.ts";

/** The rows of one table. */
export interface TableSize {
  readonly table: string;
  /** Undefined where nothing tells. */
  readonly rows: number | undefined;
  readonly isExact: boolean;
}

/** Counting so many rows reads some dozen pages. */
const COUNTED_MAX = 1_000;
/** With 90 of 100 found, the estimate is right within 3 %. */
const PROBES = 100;
/** Fewer found say too little. */
const FOUND_MIN = 10;
/** A database with more tables than that is looked at in part. */
const TABLES_MAX = 200;

const TABLES = `SELECT l.name, l.wr,
    (SELECT group_concat(lower(x.name), char(10)) FROM pragma_table_xinfo(l.name) x)
  FROM pragma_table_list l
  WHERE l.schema = 'main' AND l.type = 'table'
    AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND l.name NOT LIKE 'springhouse\\_%' ESCAPE '\\'
  ORDER BY l.name LIMIT ${TABLES_MAX}`;
const HAS_ANALYSIS = "SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'";
const ANALYSIS = "SELECT tbl, max(CAST(stat AS INTEGER)) FROM sqlite_stat1 GROUP BY tbl";
const ROWID_NAMES = ["rowid", "_rowid_", "oid"];

/** The largest first; those of unknown size last. */
export async function tableSizes(
  database: HealthDatabase,
  random: () => number,
  signal: AbortSignal,
): Promise<readonly TableSize[]> {
  const ask: Ask = async (sql, ...parameters) =>
    (await database.read({ sql, parameters }, { signal })).rows;
  const hasAnalysis = (await ask(HAS_ANALYSIS)).length > 0;
  const analysis = new Map<unknown, SqlValue | undefined>(
    (hasAnalysis ? await ask(ANALYSIS) : []).map(([table, rows]) => [table, rows]),
  );
  const sizes: TableSize[] = [];
  for (const [name, withoutRowid, columns] of await ask(TABLES)) {
    const table = String(name);
    const taken = String(columns).split("\n");
    const rowid = withoutRowid ? undefined : ROWID_NAMES.find((one) => !taken.includes(one));
    const analysed = analysis.get(table);
    sizes.push(
      (await countUpTo(ask, table)) ?? {
        table,
        rows:
          (rowid === undefined ? undefined : await estimate(ask, table, rowid, random)) ??
          (analysed === undefined ? undefined : Number(analysed)),
        isExact: false,
      },
    );
  }
  return sizes.sort((a, b) => (b.rows ?? -1) - (a.rows ?? -1));
}

type Ask = (sql: string, ...parameters: SqlValue[]) => Promise<readonly (readonly SqlValue[])[]>;

/** Undefined when there are more rows. */
async function countUpTo(ask: Ask, table: string): Promise<TableSize | undefined> {
  const sql = `SELECT count(*) FROM (SELECT 1 FROM ${quoteIdentifier(table)} LIMIT ?)`;
  const rows = Number((await ask(sql, COUNTED_MAX + 1))[0]?.[0]);
  return rows > COUNTED_MAX ? undefined : { table, rows, isExact: true };
}

async function estimate(
  ask: Ask,
  table: string,
  rowid: string,
  random: () => number,
): Promise<number | undefined> {
  const from = `FROM ${quoteIdentifier(table)}`;
  const ends = await ask(`SELECT (SELECT min(${rowid}) ${from}), (SELECT max(${rowid}) ${from})`);
  const [low, high] = (ends[0] ?? []).map((end) => BigInt(end as number | bigint));
  if (low === undefined || high === undefined) return undefined;
  const range = Number(high - low) + 1;
  const places = Array.from({ length: PROBES }, (_, index) =>
    Math.min(range - 1, Math.floor(((index + random()) * range) / PROBES)),
  );
  const probes = `[${places.map((place) => low + BigInt(place)).join()}]`;
  const sql = `SELECT count(*) FROM json_each(?) p WHERE EXISTS (
    SELECT 1 ${from} WHERE ${rowid} = p.value)`;
  const found = Number((await ask(sql, probes))[0]?.[0]);
  return found < FOUND_MIN ? undefined : Math.round((range * found) / PROBES);
}

/** As people read it: "812 rows", "about 1,200,000 rows". */
export function formatRows({ rows, isExact }: TableSize): string {
  if (rows === undefined) return "more than 1,000 rows";
  return `${isExact ? "" : "about "}${rows.toLocaleString("en")} ${rows === 1 ? "row" : "rows"}`;
}
