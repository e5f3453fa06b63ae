/**
 * The oracle: runs queries before and after a write, and asks whether a result that differs was
 * foretold by the footprint. Nothing is simulated; both results come from SQLite.
 */

import type { SQLInputValue, StatementSync } from "node:sqlite";
import type { RootOperationNode } from "kysely";
import type { RowChange } from "../../../src/change/change.ts";
import type { SchemaStructure } from "../../../src/change/structure.ts";
import type { StoredValue } from "../../../src/change/value.ts";
import type { NodeReading } from "../../../src/footprint/verdict.ts";
import { RandomDatabase, type Snapshot } from "./database.ts";
import { Choices } from "./random.ts";
import { RandomQueries } from "./random-query.ts";
import { touches } from "./touches.ts";

export type ReadNode = (root: RootOperationNode, schema: SchemaStructure) => NodeReading;

/** May say that a query is not worth running. */
export type ChooseReading = (...query: Parameters<ReadNode>) => NodeReading | "uninteresting";

export interface Figures {
  pairs: number;
  changed: number;
  touched: number;
  /** What touching any table of the footprint, whatever the row, would have touched. */
  tableTouched: number;
  opaque: number;
  refused: number;
  invalid: number;
  /** Results that changed though the footprint was missed. */
  stale: string[];
}

interface Watched {
  readonly sql: string;
  readonly run: () => string;
  readonly reading: Extract<NodeReading, { readonly cacheable: true }>;
  result: string;
}

export const noFigures = (): Figures => ({
  pairs: 0,
  changed: 0,
  touched: 0,
  tableTouched: 0,
  opaque: 0,
  refused: 0,
  invalid: 0,
  stale: [],
});

/** Checks one random database: `queries` queries against `writes` writes. */
export function check(
  seed: number,
  size: { readonly queries: number; readonly writes: number },
  read: ChooseReading,
  figures: Figures,
): void {
  const choices = new Choices(seed);
  const database = new RandomDatabase(choices);
  const queries = new RandomQueries(choices, database.tables);
  const watched: Watched[] = [];
  for (let index = 0; index < size.queries; index++) {
    const one = watch(queries, database, read, figures);
    if (one !== undefined) watched.push(one);
  }
  let before = database.snapshot();
  for (let index = 0; index < size.writes && watched.length > 0; index++) {
    const write = database.write(choices);
    const after = database.snapshot();
    const changes = changesBetween(database, before, after);
    before = after;
    if (changes.length === 0) continue;
    for (const one of watched) judge(one, changes, database, figures, `${seed}: ${write}`);
  }
  database.connection.close();
}

function watch(
  queries: RandomQueries,
  database: RandomDatabase,
  read: ChooseReading,
  figures: Figures,
): Watched | undefined {
  const { query, isOrdered } = queries.root();
  const compiled = query.compile();
  const reading = read(compiled.query, database.schema);
  if (reading === "uninteresting") return undefined;
  let statement: StatementSync;
  try {
    statement = database.connection.prepare(compiled.sql);
  } catch {
    figures.invalid += 1;
    return undefined;
  }
  if (reading.cacheable === undefined) figures.opaque += 1;
  if (reading.cacheable === false) figures.refused += 1;
  if (reading.cacheable !== true) return undefined;
  statement.setReadBigInts(true);
  statement.setReturnArrays(true);
  const values = compiled.parameters.map(bound) as SQLInputValue[];
  const run = (): string =>
    textOf(statement.all(...values) as unknown as StoredValue[][], isOrdered);
  const sql = `${compiled.sql} -- ${values.map(String).join()}`;
  return { sql, run, reading, result: run() };
}

/** As our driver binds: whole numbers are integers. */
function bound(value: unknown): unknown {
  return Number.isSafeInteger(value) ? BigInt(value as number) : value;
}

function textOf(rows: readonly (readonly StoredValue[])[], isOrdered: boolean): string {
  const texts = rows.map((row) => row.map((one) => `${typeof one}:${String(one)}`).join("|"));
  return (isOrdered ? texts : texts.sort()).join("\n");
}

function judge(
  one: Watched,
  changes: readonly RowChange[],
  database: RandomDatabase,
  figures: Figures,
  label: string,
): void {
  const result = one.run();
  const { footprint } = one.reading;
  const isTouched = changes.some((change) => touches(footprint, change, database.schema));
  const isOfTables = changes.some(({ table }) => footprint.atoms.some((it) => it.table === table));
  figures.pairs += 1;
  if (isTouched) figures.touched += 1;
  if (isOfTables) figures.tableTouched += 1;
  if (result === one.result) return;
  figures.changed += 1;
  if (!isTouched) figures.stale.push(`${label}\n${one.sql}\n${one.result}\n=>\n${result}`);
  one.result = result;
}

function changesBetween(database: RandomDatabase, before: Snapshot, after: Snapshot): RowChange[] {
  return database.tables.flatMap(({ name, columns }) => {
    const names = columns.map((column) => column.name);
    const old = before.get(name) ?? new Map<StoredValue, readonly StoredValue[]>();
    const now = after.get(name) ?? new Map<StoredValue, readonly StoredValue[]>();
    const image = (values: readonly StoredValue[] | undefined) =>
      values && { columns: names, values };
    return [...new Set([...old.keys(), ...now.keys()])]
      .map((id) => [old.get(id), now.get(id)] as const)
      .filter(
        ([left, right]) => !left || !right || left.some((it, at) => !Object.is(it, right[at])),
      )
      .map(([left, right]) => ({
        kind: "row" as const,
        table: name,
        before: image(left),
        after: image(right),
      }));
  });
}
