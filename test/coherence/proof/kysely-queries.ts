/** Random questions built with Kysely, so that the cache knows what they read, row by row. */

import { sql } from "kysely";
import type { Choices } from "../../../src/testing/coherence/choices.ts";
import type { ProofColumn, ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import type { CoherenceQuery, QueryValue } from "../../../src/testing/coherence/subject.ts";
import { eb, kysely, type Operand, type Query } from "../../footprint/support/builder.ts";
import type { DeclaredTable } from "../../footprint/support/database.ts";
import { RandomQueries } from "../../footprint/support/random-query.ts";

const USUAL: Readonly<Record<ProofColumn["affinity"], readonly QueryValue[]>> = {
  integer: [0n, 1n, 2n, 3n],
  real: [0, 0.5, 1n, 1.5],
  numeric: [1n, 2n, 1.5],
  text: ["a", "A", "b", "1", "ä", "Ä", "a "],
  blob: [1n, "1", "a", 2n],
};
/** Of another class than the column: what its affinity makes of them counts. */
const CONVERTED: readonly QueryValue[] = ["1", "2", 1n, 2n, "1.0", "a", 0.5];

/** A question of any kind to these tables. */
export function kyselyQuery(choices: Choices, all: readonly ProofTable[]): CoherenceQuery {
  const tables = all.filter(({ kind }) => kind === "table");
  const one = (): ProofTable => narrowed(choices, choices.one(tables));
  const kind = choices.below(10);
  if (kind < 4) return compiled(selection(choices, one()));
  if (kind < 6) return compiled(window(choices, choices.one(tables)), true);
  if (kind < 8) return compiled(outerJoin(choices, one(), one()));
  return anyQuery(choices, tables);
}

/** Half of the questions read one or two columns: the others may change without a trace. */
function narrowed(choices: Choices, table: ProofTable): ProofTable {
  if (choices.chance(0.5)) return table;
  const made = table.columns.filter(({ isGenerated }) => isGenerated);
  const columns = made.length > 0 && choices.chance(0.4) ? made : table.columns;
  const few = [choices.one(columns), ...(choices.chance(0.4) ? [choices.one(columns)] : [])];
  return { ...table, columns: few };
}

/** As the cache gets it. */
export function compiled(query: Query, isOrdered = false): CoherenceQuery {
  const { sql: text, parameters, query: node } = query.compile();
  return { sql: text, parameters: parameters as QueryValue[], query: node, isOrdered };
}

/** All that the builder can say. */
function anyQuery(choices: Choices, tables: readonly ProofTable[]): CoherenceQuery {
  const queries = new RandomQueries(choices, tables.map(declared));
  for (;;) {
    const { query, isOrdered } = queries.root();
    const made = compiled(query, isOrdered);
    // Which text stands for all that are equal would decide what comes first.
    if (isOrdered && /distinct|group by|union|intersect|except/.test(made.sql)) continue;
    return { ...made, isCollated: true };
  }
}

function declared({ name, columns }: ProofTable): DeclaredTable {
  return {
    name,
    columns: columns.map((column) => ({
      name: column.name,
      affinity: column.affinity,
      collation: "binary",
      ddl: "",
      isGenerated: column.isGenerated,
      domain: USUAL[column.affinity],
      strange: [...CONVERTED, null],
    })),
  };
}

/** A value to compare a column with. */
export function value(choices: Choices, { affinity }: ProofColumn): QueryValue {
  return choices.one(choices.chance(0.25) ? CONVERTED : USUAL[affinity]);
}

const COMPARISONS = ["=", "=", "=", "=", "<>", "<", "<=", ">", "is", "is not"] as const;

function condition(choices: Choices, alias: string, columns: readonly ProofColumn[]): Operand {
  const column = choices.one(columns);
  const path = `${alias}.${column.name}`;
  return choices.one<() => Operand>([
    () => eb(path, choices.one(COMPARISONS), value(choices, column)),
    () => eb(path, choices.one(COMPARISONS), value(choices, column)),
    () => eb(path, choices.one(COMPARISONS), value(choices, column)),
    () => eb(path, choices.one(["in", "not in"]), [value(choices, column), value(choices, column)]),
    () => eb(path, choices.one(["is", "is not"]), null),
    () => eb.not(eb(path, choices.one(COMPARISONS), value(choices, column))),
  ])();
}

/** Some columns of the rows that meet one or two conditions. */
function selection(choices: Choices, { name, columns }: ProofTable): Query {
  let query = from(name, "x").select([
    eb.ref(`x.${choices.one(columns).name}`).as("o"),
    eb.ref(`x.${choices.one(columns).name}`).as("p"),
  ] as never);
  for (let left = 1 + choices.below(2); left > 0; left--) {
    query = query.where(condition(choices, "x", columns) as never);
  }
  return query;
}

/** The first rows in an order by columns that are not selected; what is equal in it looks alike. */
export function window(choices: Choices, { name, columns }: ProofTable): Query {
  let query = from(name, "x").select(eb.ref(`x.${choices.one(columns).name}`).as("o") as never);
  if (choices.chance(0.6)) query = query.where(condition(choices, "x", columns) as never);
  const first = choices.one(columns);
  for (const column of [first, ...columns]) {
    const path = sql.ref(`x.${column.name}`);
    query = query.orderBy(eb.ref(`x.${column.name}`) as never, (order) =>
      column === first && choices.chance(0.5) ? order.desc() : order,
    );
    query = query.orderBy(sql`${path} collate binary` as never);
  }
  return query.limit(1 + choices.below(2));
}

interface Join {
  on(condition: Operand): unknown;
}

/** Two tables, as `x` and `y`. */
export function joined(
  kind: "leftJoin" | "rightJoin" | "fullJoin",
  x: ProofTable,
  y: ProofTable,
  on: Operand,
): Query {
  const start = from(x.name, "x");
  const join = start[kind] as (table: string, on: (join: Join) => unknown) => unknown;
  return join.call(start, `${y.name} as y`, (made) => made.on(on)) as Query;
}

/** Rows and their partners, or the lack of them. */
function outerJoin(choices: Choices, x: ProofTable, y: ProofTable): Query {
  const [left, right] = [choices.one(x.columns), choices.one(y.columns)];
  const kind = choices.one(["leftJoin", "leftJoin", "fullJoin", "rightJoin"] as const);
  let on: Operand = eb(`x.${left.name}`, "=", eb.ref(`y.${right.name}`));
  if (choices.chance(0.5)) {
    const side = choices.chance(0.5)
      ? condition(choices, "x", x.columns)
      : condition(choices, "y", y.columns);
    on = eb.and([on as never, side as never]);
  }
  let query = joined(kind, x, y, on).select([
    eb.ref(`x.${choices.one(x.columns).name}`).as("o"),
    eb.ref(`y.${choices.one(y.columns).name}`).as("p"),
  ] as never) as unknown as Query;
  if (choices.chance(0.8)) {
    const missing = choices.chance(0.6);
    query = query.where(
      (missing ? eb(`y.${right.name}`, "is", null) : condition(choices, "y", y.columns)) as never,
    );
  }
  if (choices.chance(0.5)) query = query.where(condition(choices, "x", x.columns) as never);
  return query;
}

/** All of a table. */
export function from(table: string, alias: string): Query {
  return kysely.selectFrom(`${table} as ${alias}`) as unknown as Query;
}
