/**
 * Search: the rows that contain every word somewhere in their searched columns, upper and lower
 * case alike, `%` and `_` meaning themselves.
 *
 * On SQLite words of three characters and more are found through the trigram index, best match
 * first; shorter ones, and entities without `search`, by GLOB over the text columns, which reads
 * every row that the other conditions leave. On PostgreSQL an entity with `search` is found by the
 * beginnings of words, through its text index.
 */

import { SpringhouseError } from "../core/errors.ts";
import { searchTableName } from "../schema/ddl-search.ts";
import { quoteIdentifier } from "../schema/quote.ts";
import type { CallOptions, Statement } from "../store/store.ts";
import type { Field } from "./field.ts";
import { globOf } from "./glob.ts";
import type { Model, Part, Row } from "./model.ts";
import { orderSql, orderTerms } from "./order.ts";
import type { Narrowing } from "./permissions.ts";
import { conditionSql, type ListPlan, limitOf, offsetOf, readRows } from "./read.ts";
import type { Scope } from "./scope.ts";
import { SqlText } from "./sql-text.ts";

/** Nobody types more, and SQLite bounds the length of a pattern and the depth of a condition. */
const SEARCH_CHARACTERS_MAX = 1_000;
const WORDS_MAX = 32;
/** What the trigram tokenizer can find. */
const INDEXED_CHARACTERS_MIN = 3;

/** The rows that contain all words of `query`. */
export async function searchRows(
  scope: Scope,
  model: Model,
  query: string,
  plan: ListPlan,
  narrowing: Narrowing,
  options: CallOptions,
): Promise<Row[]> {
  const words = wordsOf(query);
  const limit = limitOf(plan.limit, scope.limits);
  const offset = offsetOf(plan);
  if (words.length === 0 || limit === 0) return [];
  const text = new SqlText(model.dialect);
  const { source, conditions, order } = searchSql(model, words, text);
  const condition = conditionSql(model, plan.where, narrowing, text);
  const page = `LIMIT ${text.bind(limit)} OFFSET ${text.bind(offset)}`;
  const statement: Statement = text.statement(
    `SELECT ${model.selection} FROM ${source} ` +
      `WHERE ${[...conditions, condition].join(" AND ")} ORDER BY ${order} ${page}`,
  );
  return readRows(scope, model, statement, options);
}

/** A text in which `%` and `_` stand for themselves; for `LIKE … ESCAPE '\'`. */
function escapeLike(text: string): string {
  return text.replace(/[\\%_]/g, "\\$&");
}

function wordsOf(query: unknown): readonly string[] {
  if (typeof query !== "string" || query.length > SEARCH_CHARACTERS_MAX || !query.isWellFormed()) {
    throw refused(`takes a text of at most ${SEARCH_CHARACTERS_MAX} characters`);
  }
  const words = query.split(/[\s\0]+/).filter((word) => word !== "");
  if (words.length > WORDS_MAX) throw refused(`takes at most ${WORDS_MAX} words`);
  return words;
}

interface SearchSql {
  readonly source: string;
  readonly conditions: readonly string[];
  readonly order: string;
}

function searchSql(model: Model, words: readonly string[], text: SqlText): SearchSql {
  const byKey = orderSql(orderTerms(model, undefined), model.dialect);
  const indexed = model.parts.filter(({ facts }) => facts.search.length > 0);
  const [only, another] = indexed;
  if (only === undefined) {
    const fields = model.fields.filter(({ column }) => column.kind === "text");
    if (fields.length === 0) throw refused(`needs a text column, and "${model.name}" has none`);
    const conditions = words.map((word) => containsSql(fields, word, text));
    return { source: model.source, conditions, order: byKey };
  }
  const long = words.filter((word) => [...word].length >= INDEXED_CHARACTERS_MIN);
  if (model.dialect === "sqlite" && another === undefined && long.length > 0) {
    const short = words.filter((word) => !long.includes(word));
    return rankedSql(model, only, long, short, byKey, text);
  }
  const conditions = words.map((word) => {
    const places = indexed.map((part) => wordSql(part, word, text));
    return places.length === 1 ? places.join("") : `(${places.join(" OR ")})`;
  });
  return { source: model.source, conditions, order: byKey };
}

/** One index: all words at once, best match first. */
function rankedSql(
  { source }: Model,
  part: Part,
  long: readonly string[],
  short: readonly string[],
  byKey: string,
  text: SqlText,
): SearchSql {
  const index = quoteIdentifier(searchTableName(part.facts.table));
  const match = `${index} MATCH ${text.bind(long.map(phrase).join(" AND "))}`;
  return {
    source: `${source} JOIN ${index} ON ${index}.rowid = ${part.table}.rowid`,
    conditions: [match, ...short.map((word) => containsSql(searched(part), word, text))],
    order: `${index}.rank, ${byKey}`,
  };
}

/** One word in one table. */
function wordSql(part: Part, word: string, text: SqlText): string {
  if (text.dialect === "postgres") {
    const query = `'${word.replaceAll("\\", "\\\\").replaceAll("'", "''")}':*`;
    const all = searched(part).map((field) => `coalesce(${field.reference}, '')`);
    const vector = `to_tsvector('simple', ${all.join(" || ' ' || ")})`;
    return `${vector} @@ to_tsquery('simple', ${text.bind(query)})`;
  }
  if ([...word].length < INDEXED_CHARACTERS_MIN) return containsSql(searched(part), word, text);
  const index = quoteIdentifier(searchTableName(part.facts.table));
  const found = `SELECT rowid FROM ${index} WHERE ${index} MATCH ${text.bind(phrase(word))}`;
  return `${part.table}.rowid IN (${found})`;
}

function containsSql(fields: readonly Field[], word: string, text: SqlText): string {
  const places = fields.map(({ reference }) =>
    text.dialect === "postgres"
      ? `${reference} ILIKE ${text.bind(`%${escapeLike(word)}%`)} ESCAPE '\\'`
      : `${reference} GLOB ${text.bind(globOf(word))}`,
  );
  return `(${places.join(" OR ")})`;
}

function searched({ facts, fields }: Part): readonly Field[] {
  return fields.filter(({ column }) => facts.search.includes(column.name));
}

/** A word that FTS5 takes as it is, whatever it contains. */
function phrase(word: string): string {
  return `"${word.replaceAll('"', '""')}"`;
}

function refused(reason: string): SpringhouseError {
  return new SpringhouseError("INVALID_ARGUMENT", `search ${reason}.`);
}
