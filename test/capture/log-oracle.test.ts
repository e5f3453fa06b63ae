/**
 * The log against what really happened: after each transaction the tables are compared with what
 * they were, and whatever a query of one column with a condition on another could see differently
 * must be told of by a row of the log that such a query would be dropped for.
 */

import type { DatabaseSync } from "node:sqlite";
import { describe, expect, it } from "vitest";
import type { LoggedRow } from "../../src/capture/log-rows.ts";
import { type ImageValue, type StoredValue, UNKNOWN } from "../../src/change/value.ts";
import { scenario } from "./log-scenario.ts";
import { cover, databaseOf, lastSequence, literalOf, logAfter, rowsOf } from "./log-support.ts";

const TABLES = { parent: ["a", "b", "c", "p", "g"], child: ["n", "a", "k"] } as const;
type Table = keyof typeof TABLES;
const SEEDS = 200;
/** Seeds that have found something, or that find what is planted: kept when the number is cut. */
const TELLING_SEEDS = [358, 386, 555, 740];
const TRANSACTIONS = 12;
/** Triggers that set each other off without end take long to reach SQLite's own limit. */
const TRIGGER_DEPTH = 12;

/** How many rows have each pair of values, in each pair of columns. */
type Counts = ReadonlyMap<string, number>;

function countsOf(db: DatabaseSync, table: Table): Counts {
  const columns = TABLES[table];
  const counts = new Map<string, number>();
  for (const row of rowsOf(db, `SELECT ${columns.join(", ")} FROM ${table}`)) {
    const words = row.map((value) => literalOf(value));
    for (const [at, column] of columns.entries()) {
      for (const [other, name] of columns.entries()) {
        const key = `${column} ${name} ${words[at]} ${words[other]}`;
        counts.set(key, (counts.get(key) ?? 0) + 1);
      }
    }
  }
  return counts;
}

/** Whole rows, as one text each, and how often they are there. */
function imagesOf(db: DatabaseSync, table: Table): Counts {
  const rows = rowsOf(db, `SELECT ${TABLES[table].join(", ")} FROM ${table}`);
  const texts = Map.groupBy(rows, (row) => row.map(literalOf).join(" "));
  return new Map([...texts].map(([text, list]) => [text, list.length]));
}

/** Rows that came without a new image in the log, or went without an old one. */
function unlogged(before: Counts, after: Counts, log: readonly LoggedRow[]): readonly string[] {
  if (log.some(({ kind }) => kind === "table")) return [];
  const hasImage = (text: string, isNew: boolean): boolean =>
    log.some(({ kind, columns, values }) => {
      if (kind !== "update" && isNew !== (kind === "insert")) return false;
      const start = kind === "update" && isNew ? columns.length : 0;
      const words = text.split(" ");
      return words.every((word, at) => isValue(values[start + at], word));
    });
  return [...new Set([...before.keys(), ...after.keys()])].filter((text) => {
    const growth = (after.get(text) ?? 0) - (before.get(text) ?? 0);
    return growth !== 0 && !hasImage(text, growth > 0);
  });
}

/** Pairs whose count differs and that no row of the log accounts for. */
function missed(before: Counts, after: Counts, log: readonly LoggedRow[]): readonly string[] {
  const keys = new Set([...before.keys(), ...after.keys()]);
  return [...keys].filter((key) => {
    if (before.get(key) === after.get(key)) return false;
    const [column = "", other = "", value = ""] = key.split(" ");
    return !log.some((row) => touches(row, column, other, value));
  });
}

/** Whether a query of `other` where `column` is this value must be dropped. */
function touches(row: LoggedRow, column: string, other: string, value: string): boolean {
  if (row.kind === "table") return true;
  const count = row.columns.length;
  const at = row.columns.indexOf(column);
  const meets = (image: number): boolean => isValue(row.values[image * count + at], value);
  if (row.kind !== "update") return meets(0);
  const isChanged = [at, row.columns.indexOf(other)].some((place) => {
    return !isSame(row.values[place], row.values[count + place]);
  });
  return isChanged && (meets(0) || meets(1));
}

function isValue(value: ImageValue | undefined, wanted: string): boolean {
  return value === UNKNOWN || literalOf(value as StoredValue) === wanted;
}

function isSame(a: ImageValue | undefined, b: ImageValue | undefined): boolean {
  if (a === UNKNOWN || b === UNKNOWN) return false;
  return literalOf(a as StoredValue) === literalOf(b as StoredValue);
}

function attempt(db: DatabaseSync, sql: string): void {
  try {
    db.exec(sql);
  } catch {
    // What failed may have left something, as FAIL does, or have ended the transaction.
  }
}

const NONE: Counts = new Map();

interface Tally {
  changes: number;
  readonly levels: Record<string, number>;
}

/** What the log has missed in one scenario, in words. */
function play(seed: number, tally: Tally): readonly string[] {
  const { schema, transaction } = scenario(seed);
  using db = databaseOf();
  db.limits.triggerDepth = TRIGGER_DEPTH;
  for (const sql of schema) attempt(db, sql);
  const { tables } = cover(db);
  for (const { capture } of tables) {
    tally.levels[capture.level] = (tally.levels[capture.level] ?? 0) + 1;
  }
  const problems: string[] = [];
  const names = Object.keys(TABLES) as Table[];
  const look = (): readonly (readonly [Counts, Counts])[] =>
    names.map((table) => [countsOf(db, table), imagesOf(db, table)]);
  let before = look();
  for (let number = 0; number < TRANSACTIONS; number++) {
    const sequence = lastSequence(db);
    const statements = transaction();
    for (const sql of ["BEGIN", ...statements, "COMMIT", "ROLLBACK"]) attempt(db, sql);
    const after = look();
    const log = logAfter(db, sequence);
    for (const [at, table] of names.entries()) {
      const own = log.filter((row) => row.table === table);
      const [pairs = NONE, rows = NONE] = before[at] ?? [];
      const [newPairs = NONE, newRows = NONE] = after[at] ?? [];
      tally.changes += [...newRows].filter(([key, count]) => rows.get(key) !== count).length;
      const lost = [...missed(pairs, newPairs, own), ...unlogged(rows, newRows, own)];
      if (lost.length > 0) problems.push([...schema, ...statements, ...lost].join("\n"));
    }
    before = after;
  }
  return problems;
}

describe("the log of changes beside the tables themselves", () => {
  it("misses nothing that a statement of any kind has changed", () => {
    const tally: Tally = { changes: 0, levels: {} };
    const seeds = [...Array(SEEDS).keys(), ...TELLING_SEEDS];

    for (const seed of seeds) {
      expect(play(seed, tally), `seed ${seed}`).toEqual([]);
    }

    expect(tally.changes).toBeGreaterThan(1_500);
    expect(tally.levels["rows"]).toBeGreaterThan(SEEDS);
  });
});
