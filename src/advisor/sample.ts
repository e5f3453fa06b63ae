/**
 * Statistics from a few thousand rows, read at random places: how many rows a table has, and how
 * many distinct values some columns have together. Nothing is scanned where there are rowids.
 *
 * The estimate of distinct values is Chao's (A. Chao, "Nonparametric estimation of the number of
 * classes in a population", 1984): the values seen, and as many unseen ones as the values seen once
 * and twice suggest.
 */

import type { DatabaseSync } from "node:sqlite";
import type { SqlValue } from "../core/statement.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import type { RowidName, TableFacts } from "./facts.ts";
import { all, rowidSpan } from "./inspect.ts";

/** Enough for two digits of a share of one in a hundred; a probe takes some microseconds. */
const PROBES = 2_000;
/** With fewer rowids that exist, the density of the table is not known well enough. */
const HITS_MIN = 100;
/** Longer values are told apart by their beginning. */
const VALUE_CHARS_MAX = 200;

/** Reads samples of one file. */
export class Sampler {
  readonly #database: DatabaseSync;
  readonly #random = randomFrom(20_260_101);
  readonly #samples = new Map<string, readonly (readonly SqlValue[])[]>();
  readonly #distinct = new Map<string, number>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** About how many rows the table has: exactly when it has no gaps, or no rowids. */
  rows(table: string, rowid: RowidName | undefined): number {
    const name = quoteIdentifier(table);
    const count = (): number => Number(all(this.#database, `SELECT count(*) FROM ${name}`)[0]?.[0]);
    if (rowid === undefined) return count();
    const ends = rowidSpan(this.#database, name, rowid);
    if (ends === undefined) return 0;
    const [low, high] = ends;
    const span = high - low + 1;
    if (span <= PROBES) return count();
    const probe = this.#database.prepare(`SELECT 1 FROM ${name} WHERE ${rowid} = ?`);
    let hits = 0;
    for (let index = 0; index < PROBES; index++) {
      if (probe.get(low + Math.floor(this.#random() * span)) !== undefined) hits++;
    }
    return hits < HITS_MIN ? count() : Math.round((span * hits) / PROBES);
  }

  /** Rows at random places, the columns in the order of the table, long values cut. */
  sample(table: TableFacts): readonly (readonly SqlValue[])[] {
    const known = this.#samples.get(table.name);
    if (known !== undefined) return known;
    const columns = table.columns.map((column) => {
      const name = quoteIdentifier(column);
      return `CASE WHEN length(${name}) > ${VALUE_CHARS_MAX}
        THEN substr(${name}, 1, ${VALUE_CHARS_MAX}) ELSE ${name} END`;
    });
    const rows = this.#rowsAt(table, columns.join(", "), PROBES);
    this.#samples.set(table.name, rows);
    return rows;
  }

  /** Whole rows at random places, for values of parameters. */
  wholeRows(table: TableFacts, count: number): readonly (readonly SqlValue[])[] {
    return this.#rowsAt(table, quoteList(table.columns), count);
  }

  /** About how many distinct values the columns have together. */
  distinct(table: TableFacts, columns: readonly string[]): number {
    // Their order makes no difference.
    const key = [table.name, ...columns.toSorted()].join("\0");
    const known = this.#distinct.get(key);
    if (known !== undefined) return known;
    const estimate = this.#estimate(table, columns);
    this.#distinct.set(key, estimate);
    return estimate;
  }

  #estimate(table: TableFacts, columns: readonly string[]): number {
    const positions = columns.map((column) => table.columns.indexOf(column));
    const seen = new Map<string, number>();
    const sample = this.sample(table);
    for (const row of sample) {
      const key = positions.map((position) => keyOf(row[position])).join("\0");
      seen.set(key, (seen.get(key) ?? 0) + 1);
    }
    return estimateDistinct([...seen.values()], table.rows);
  }

  #rowsAt(table: TableFacts, columns: string, count: number): readonly (readonly SqlValue[])[] {
    const name = quoteIdentifier(table.name);
    if (table.rows === 0) return [];
    if (table.rowid === undefined || table.rows <= count) {
      const share = Math.max(1, Math.floor(table.rows / count));
      // Not "true", which may be a column.
      const some = share === 1 ? "1" : `abs(random()) % ${share} = 0`;
      return all(this.#database, `SELECT ${columns} FROM ${name} WHERE ${some} LIMIT ${count}`);
    }
    const [low, high] = rowidSpan(this.#database, name, table.rowid) ?? [0, 0];
    const probe = this.#database.prepare(
      `SELECT ${columns} FROM ${name} t WHERE t.${table.rowid} >= ?
        ORDER BY t.${table.rowid} LIMIT 1`,
    );
    probe.setReturnArrays(true);
    probe.setReadBigInts(true);
    const rows: (readonly SqlValue[])[] = [];
    for (let index = 0; index < count; index++) {
      const row = probe.get(low + Math.floor(this.#random() * (high - low + 1)));
      if (row !== undefined) rows.push(row as unknown as SqlValue[]);
    }
    return rows;
  }
}

/**
 * Distinct values of a population of `rows`, from how often each value of a sample was seen.
 *
 * @example estimateDistinct([1, 1, 2], 1_000) // 3 seen, 2 of them once: about 4.5
 */
export function estimateDistinct(counts: readonly number[], rows: number): number {
  const once = counts.filter((count) => count === 1).length;
  const twice = counts.filter((count) => count === 2).length;
  const unseen = twice > 0 ? once ** 2 / (2 * twice) : (once * (once - 1)) / 2;
  return Math.max(1, Math.min(counts.length + unseen, rows));
}

function keyOf(value: SqlValue | undefined): string {
  if (value instanceof Uint8Array) return `b${Buffer.from(value).toString("base64")}`;
  return `${typeof value}${String(value)}`;
}

/** The same numbers for the same seed, so that advice does not change from run to run. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
