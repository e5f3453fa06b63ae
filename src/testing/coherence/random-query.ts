/**
 * Random questions as plain SQL. Each has one right answer: LIMIT comes with an order in which only
 * rows that look the same are equal, and nothing depends on the order of equal rows.
 */

import type { Choices } from "./choices.ts";
import { quoted, randomLiteral, randomValue } from "./literals.ts";
import type { ProofColumn, ProofTable } from "./proof-table.ts";
import type { CoherenceQuery } from "./subject.ts";

/** A table under another name. */
interface Source {
  readonly table: ProofTable;
  readonly alias: string;
}

interface Text {
  readonly sql: string;
  readonly isOrdered?: boolean;
  readonly isCollated?: boolean;
}

/** A question to these tables and views. */
export function randomQuery(choices: Choices, tables: readonly ProofTable[]): CoherenceQuery {
  const [x, y, z] = ["x", "y", "z"].map((alias) => ({ table: choices.one(tables), alias })) as [
    Source,
    Source,
    Source,
  ];
  const kinds: (() => Text)[] = [
    () => plain(choices, x),
    () => plain(choices, x),
    () => everything(choices, x),
    () => first(choices, x),
    () => joined(choices, x, y),
    () => joined(choices, x, { ...x, alias: "y" }),
    () => byName(choices, x, y),
    () => byName(choices, x, y),
    () => joinedTwice(choices, x, y, z),
    () => grouped(choices, x),
    () => windows(choices, x),
    () => recursive(choices, x),
    () => compound(choices, x, y),
    () => nested(choices, x, y),
    () => nested(choices, x, y),
  ];
  return { ...choices.one(kinds)(), parameters: [] };
}

function column(choices: Choices, { table, alias }: Source): string {
  return `${alias}.${quoted(choices.one(table.columns).name)}`;
}

function from({ table, alias }: Source): string {
  return `${quoted(table.name)} AS ${alias}`;
}

const COMPARISONS = ["=", "=", "=", "<>", "<", ">=", "IS", "IS NOT"];

function condition(choices: Choices, source: Source): string {
  const named = choices.one(source.table.columns);
  const name = `${source.alias}.${quoted(named.name)}`;
  const value = (): string => randomValue(choices, named);
  return choices.one([
    () => `${name} ${choices.one(COMPARISONS)} ${value()}`,
    () => `${name} ${choices.one(COMPARISONS)} ${value()}`,
    () => `${name} IN (${value()}, ${randomLiteral(choices, named)})`,
    () => `${name} NOT IN (${value()}, ${value()})`,
    () => `${name} BETWEEN ${value()} AND ${value()}`,
    () => `${name} IS NULL`,
    () => `${name} LIKE 'a%'`,
    () => `${name} = ${value()} COLLATE NOCASE`,
    () => `NOT (${name} = ${value()} AND ${condition(choices, source)})`,
    () => `(${name} = ${value()} OR ${condition(choices, source)})`,
  ])();
}

function where(choices: Choices, ...sources: readonly Source[]): string {
  const parts = choices.some(sources, 0.6).map((source) => condition(choices, source));
  return parts.length === 0 ? "" : ` WHERE ${parts.join(" AND ")}`;
}

function plain(choices: Choices, x: Source): Text {
  const output = choices.one([
    () => column(choices, x),
    () => `coalesce(${column(choices, x)}, 'none')`,
    () => `CASE WHEN ${condition(choices, x)} THEN ${column(choices, x)} ELSE 0 END`,
    () => `typeof(${column(choices, x)})`,
    () => (x.table.hasRowid ? `${x.alias}.rowid` : column(choices, x)),
  ])();
  return {
    sql: `SELECT ${output} AS o, ${column(choices, x)} AS p FROM ${from(x)}${where(choices, x)}`,
  };
}

function everything(choices: Choices, x: Source): Text {
  return { sql: `SELECT * FROM ${from(x)}${where(choices, x)}` };
}

/** The order names all columns, so that what is equal in it looks the same. */
function first(choices: Choices, x: Source): Text {
  const named = choices.one(x.table.columns);
  const others = x.table.columns.map(({ name }) => `${x.alias}.${quoted(name)} COLLATE BINARY`);
  const order = [`${x.alias}.${quoted(named.name)} COLLATE BINARY`, ...others].join(", ");
  const direction = choices.one(["", " DESC"]);
  const offset = choices.chance(0.3) ? " OFFSET 1" : "";
  const by = order.replace(",", `${direction},`);
  const limit = ` ORDER BY ${by} LIMIT ${1 + choices.below(3)}${offset}`;
  return {
    sql: `SELECT ${column(choices, x)} AS o FROM ${from(x)}${where(choices, x)}${limit}`,
    isOrdered: true,
  };
}

const JOINS = ["JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"];

function joined(choices: Choices, x: Source, y: Source): Text {
  const on = choices.chance(0.3) ? ` AND ${condition(choices, choices.one([x, y]))}` : "";
  const equal = `${column(choices, x)} = ${column(choices, y)}`;
  const join = `${from(x)} ${choices.one(JOINS)} ${from(y)} ON ${equal}${on}`;
  const output = `${column(choices, x)} AS o, ${column(choices, y)} AS p`;
  return { sql: `SELECT ${output} FROM ${join}${where(choices, x, y)}` };
}

function joinedTwice(choices: Choices, x: Source, y: Source, z: Source): Text {
  const { sql } = joined(choices, x, y);
  const [head = "", condition] = sql.split(" WHERE ");
  const join = ` ${choices.one(JOINS)} ${from(z)} ON ${column(choices, y)} = ${column(choices, z)}`;
  return { sql: `${head}${join}${condition === undefined ? "" : ` WHERE ${condition}`}` };
}

/** Joins that name no column of the one side: the authorizer of SQLite says nothing of it. */
function byName(choices: Choices, x: Source, y: Source): Text {
  const common = x.table.columns.filter(({ name }) => hasColumn(y.table.columns, name));
  const named = choices.one(common);
  const kind = choices.one(["", "LEFT "]);
  const isNatural = named === undefined || choices.chance(0.3);
  const join = isNatural
    ? `${from(x)} NATURAL ${kind}JOIN ${from(y)}`
    : `${from(x)} ${kind}JOIN ${from(y)} USING (${quoted(named.name)})`;
  const output = choices.one([
    "count(*)",
    "1",
    named === undefined || isNatural ? "1" : `x.${quoted(named.name)}`,
  ]);
  return { sql: `SELECT ${output} AS o FROM ${join}` };
}

function hasColumn(columns: readonly ProofColumn[], name: string): boolean {
  return columns.some((other) => other.name.toLowerCase() === name.toLowerCase());
}

function grouped(choices: Choices, x: Source): Text {
  const by = column(choices, x);
  const value = column(choices, x);
  const made = choices.one(["count(*)", `count(${value})`, `min(${value})`, `max(${value})`]);
  const filter = choices.chance(0.2) ? ` FILTER (WHERE ${condition(choices, x)})` : "";
  const having = choices.chance(0.3) ? " HAVING count(*) > 1" : "";
  const group = choices.chance(0.7) ? ` GROUP BY ${by}${having}` : "";
  const head = group === "" ? "" : `${by} AS o, `;
  return {
    sql: `SELECT ${head}${made}${filter} AS n FROM ${from(x)}${where(choices, x)}${group}`,
    isCollated: true,
  };
}

/** Windows whose values do not depend on the order of equal rows. */
function windows(choices: Choices, x: Source): Text {
  const [value, part, by] = [column(choices, x), column(choices, x), column(choices, x)];
  const made = choices.one([
    `count(*) OVER (PARTITION BY ${part})`,
    `rank() OVER (ORDER BY ${by})`,
    `dense_rank() OVER (PARTITION BY ${part} ORDER BY ${by} DESC)`,
    `count(${value}) OVER (ORDER BY ${by})`,
  ]);
  return { sql: `SELECT ${value} AS o, ${made} AS n FROM ${from(x)}${where(choices, x)}` };
}

/** From row to row, at most three steps far. */
function recursive(choices: Choices, x: Source): Text {
  const [start, key, next] = [column(choices, x), column(choices, x), column(choices, x)];
  const walk = `SELECT ${start}, 0 FROM ${from(x)}${where(choices, x)} UNION
    SELECT ${next}, walk.depth + 1 FROM walk JOIN ${from(x)} ON ${key} = walk.value
    WHERE depth < 3`;
  const result = "SELECT depth, count(*) AS n FROM walk GROUP BY depth";
  return { sql: `WITH RECURSIVE walk (value, depth) AS (${walk}) ${result}` };
}

function compound(choices: Choices, x: Source, y: Source): Text {
  const kind = choices.one(["UNION", "UNION ALL", "EXCEPT", "INTERSECT"]);
  const [left, right] = [x, y].map(
    (source) =>
      `SELECT ${column(choices, source)} AS o FROM ${from(source)}${where(choices, source)}`,
  );
  return { sql: `${left} ${kind} ${right}`, isCollated: true };
}

function nested(choices: Choices, x: Source, y: Source): Text {
  const [outer, inner] = [column(choices, x), column(choices, y)];
  const correlated = `SELECT 1 FROM ${from(y)} WHERE ${inner} = ${outer}`;
  const all = `SELECT ${inner} FROM ${from(y)}`;
  const matching = `(SELECT count(*) FROM ${from(y)} WHERE ${inner} = ${outer})`;
  const made = choices.one([
    `SELECT ${outer} AS o FROM ${from(x)} WHERE EXISTS (${correlated})`,
    `SELECT ${outer} AS o FROM ${from(x)} WHERE NOT EXISTS (${correlated})`,
    `SELECT ${column(choices, x)} AS o FROM ${from(x)} WHERE ${outer} IN (${all})`,
    `SELECT ${column(choices, x)} AS o FROM ${from(x)} WHERE ${outer} NOT IN (${all})`,
    `SELECT ${outer} AS o, ${matching} AS n FROM ${from(x)}`,
    `SELECT count(*) AS n FROM (SELECT DISTINCT ${inner} FROM ${from(y)}${where(choices, y)})`,
  ]);
  return { sql: made };
}
