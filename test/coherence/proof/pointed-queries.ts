/**
 * Questions in which what they read is named in one place only, and nothing else would notice that
 * it was changed: what a cache overlooks there makes a wrong answer at once.
 */

import type { Choices } from "../../../src/testing/coherence/choices.ts";
import type { ProofColumn, ProofTable } from "../../../src/testing/coherence/proof-table.ts";
import type { CoherenceQuery, QueryValue } from "../../../src/testing/coherence/subject.ts";
import { eb, type Operand, type Query } from "../../footprint/support/builder.ts";
import { compiled, from, joined, value, window } from "./kysely-queries.ts";

/** See above. */
export function pointedQuery(choices: Choices, all: readonly ProofTable[]): CoherenceQuery {
  const tables = all.filter(({ kind }) => kind === "table");
  const one = (): ProofTable => madeOnly(choices, withoutKey(choices.one(tables)));
  const [x, y] = [one(), one()];
  const kinds: readonly (() => Query)[] = [
    () => several(choices, x),
    () => unknowns(choices, x),
    () => either(choices, x),
    () => groups(choices, x),
    () => withoutPartner(choices, x, y),
    () => withEverybody(choices, x, y),
  ];
  return compiled(choices.one(kinds)());
}

/** The first rows in an order that says what is first, and is not to be seen itself. */
export function orderedQuery(choices: Choices, all: readonly ProofTable[]): CoherenceQuery {
  const tables = all.filter(({ kind }) => kind === "table");
  return compiled(window(choices, choices.one(tables)), true);
}

/** What a collation makes equal, or an affinity, and what neither does. */
const LETTERS: readonly QueryValue[] = ["a", "A", "ä", "Ä", "a ", 1n];
const NUMBERS: readonly QueryValue[] = ["1", "2", "1.0", 1n, 2n, 0.5];

/** Rows with a value that is equal to another one, or is not, by what the column makes of it. */
export function comparedQuery(choices: Choices, all: readonly ProofTable[]): CoherenceQuery {
  const x = withoutKey(choices.one(all.filter(({ kind }) => kind === "table")));
  const { name, affinity } = choices.one(x.columns);
  const compared = choices.one(affinity === "text" ? LETTERS : NUMBERS);
  return compiled(
    from(x.name, "x")
      .select(output(choices, "x", x, "o") as never)
      .where(eb(`x.${name}`, choices.one(["=", "<>"]), compared) as never),
  );
}

/** Keys may change without a trace. */
function withoutKey(table: ProofTable): ProofTable {
  const columns = table.columns.filter(({ name }) => name !== "k");
  return columns.length === 0 ? table : { ...table, columns };
}

/** Now and then nothing but columns that are made of others, whose values are not logged. */
function madeOnly(choices: Choices, table: ProofTable): ProofTable {
  const columns = table.columns.filter(({ isGenerated }) => isGenerated);
  return columns.length === 0 || choices.chance(0.6) ? table : { ...table, columns };
}

function path(choices: Choices, alias: string, { columns }: ProofTable): string {
  return `${alias}.${choices.one(columns).name}`;
}

function output(choices: Choices, alias: string, table: ProofTable, name: string): unknown {
  return eb.ref(path(choices, alias, table)).as(name);
}

function equal(choices: Choices, alias: string, column: ProofColumn): Operand {
  return eb(`${alias}.${column.name}`, "=", value(choices, column));
}

/** Rows with one of several values. */
function several(choices: Choices, x: ProofTable): Query {
  const column = choices.one(x.columns);
  const values = [value(choices, column), value(choices, column)];
  return from(x.name, "x")
    .select([output(choices, "x", x, "o"), output(choices, "x", x, "p")] as never)
    .where(eb(`x.${column.name}`, "in", values) as never);
}

/** Rows with a NULL, or without. */
function unknowns(choices: Choices, x: ProofTable): Query {
  return from(x.name, "x")
    .select(output(choices, "x", x, "o") as never)
    .where(eb(path(choices, "x", x), choices.one(["is", "is not"]), null) as never);
}

/** One side of the condition is nothing that can be looked up. */
function either(choices: Choices, x: ProofTable): Query {
  const sides = [
    equal(choices, "x", choices.one(x.columns)),
    eb(path(choices, "x", x), "=", eb.ref(path(choices, "x", x))),
  ];
  if (choices.chance(0.5)) sides.reverse();
  return from(x.name, "x")
    .select(output(choices, "x", x, "o") as never)
    .where(eb.or(sides as never) as never);
}

/** How many there are of each, and not of what. */
function groups(choices: Choices, x: ProofTable): Query {
  return from(x.name, "x")
    .select(eb.fn.countAll().as("n") as never)
    .groupBy(eb.ref(path(choices, "x", x)) as never);
}

/** Rows that have no partner, of all or of few. */
function withoutPartner(choices: Choices, x: ProofTable, y: ProofTable): Query {
  const right = path(choices, "y", y);
  const equality = eb(path(choices, "x", x), "=", eb.ref(right));
  const side = equal(choices, "y", choices.one(y.columns));
  const on = choices.chance(0.6) ? eb.and([equality as never, side as never]) : equality;
  return joined("leftJoin", x, y, on)
    .select(output(choices, "x", x, "o") as never)
    .where(eb(right, "is", null) as never);
}

/** All rows of both, and partners only for some. */
function withEverybody(choices: Choices, x: ProofTable, y: ProofTable): Query {
  const side = choices.chance(0.5)
    ? equal(choices, "x", choices.one(x.columns))
    : equal(choices, "y", choices.one(y.columns));
  const on = eb(path(choices, "x", x), "=", eb.ref(path(choices, "y", y)));
  return joined("fullJoin", x, y, eb.and([on as never, side as never])).select([
    output(choices, "x", x, "o"),
    output(choices, "y", y, "p"),
  ] as never);
}
