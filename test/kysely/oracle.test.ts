/**
 * Random queries and writes by an application with Kysely, values of all types beside columns of all
 * affinities: after each write every result that the cache would give is what the file has.
 */

import { DatabaseSync } from "node:sqlite";
import { Kysely } from "kysely";
import { expect, test } from "vitest";
import { springhouseDialect } from "../../src/kysely/index.ts";
import { Choices } from "../../src/testing/coherence/choices.ts";
import { temporaryPath } from "../sqlite/support.ts";

const SCHEMA = `CREATE TABLE t (id INTEGER PRIMARY KEY, i INTEGER, r REAL, s TEXT, n NUMERIC, x,
  b BLOB, c TEXT COLLATE NOCASE, UNIQUE (c, i))`;
const COLUMNS = ["id", "i", "r", "s", "n", "x", "b", "c"] as const;
type Column = (typeof COLUMNS)[number];
type Row = Record<Column, unknown>;

const NUMBERS = [0, 1, 7, -1, 1.5, 2 ** 40, 1n, 2n ** 62n] as const;
const TEXTS = ["", "1", "1.0", "7", "7.0", "a", "A", "1e0"] as const;
const BYTES = [[], [1], [97]].map((bytes) => new Uint8Array(bytes));
const VALUES: readonly unknown[] = [null, ...NUMBERS, ...TEXTS, ...BYTES];
const OPERATORS = ["=", "<>", "<", "<=", ">", ">=", "is", "is not", "in", "not in"] as const;

type Condition = readonly [Column, (typeof OPERATORS)[number], unknown];
interface Question {
  readonly conditions: readonly Condition[];
  readonly isOr: boolean;
  readonly columns: readonly Column[];
}

const WRITES = 250;
const LIVE_MAX = 30;
const IDS = 12;

test.each([1, 2, 3])("what is kept is what the file has (seed %i)", async (seed) => {
  const choices = new Choices(seed);
  const condition = (): Condition => {
    const operator = choices.one(OPERATORS);
    const value = operator.endsWith("in")
      ? [choices.one(VALUES), choices.one(VALUES)]
      : choices.one(VALUES);
    return [choices.one(COLUMNS), operator, value];
  };
  const row = (): Row => {
    const values = COLUMNS.map((column) => [column, choices.one(VALUES)]);
    return { ...Object.fromEntries(values), id: choices.below(IDS) };
  };
  const path = temporaryPath();
  using plain = new DatabaseSync(path);
  plain.exec(SCHEMA);
  const url = `sqlite:///${path}`;
  const cache = { freshness: "strict" } as const;
  await using springhouse = await springhouseDialect({ url, profile: "fast", cache });
  const db = new Kysely<{ t: Row }>({ dialect: springhouse });
  const ask = springhouse.cached("ask", (question: Question) => build(db, question).execute());
  const fresh = (question: Question): unknown => {
    const { sql, parameters } = build(db, question).compile();
    const statement = plain.prepare(sql);
    statement.setReadBigInts(true);
    return statement.all(...(parameters as Parameters<typeof statement.all>)).map(comparable);
  };
  const write = async (): Promise<unknown> => {
    const { id, ...values } = row();
    const [column, operator, value] = condition();
    const kind = choices.fraction();
    if (kind < 0.3)
      return await db
        .insertInto("t")
        .values({ id, ...values })
        .execute();
    if (kind < 0.5)
      return await db
        .replaceInto("t")
        .values({ id, ...values })
        .execute();
    if (kind < 0.7) {
      return await db.updateTable("t").set(values).where(column, operator, value).execute();
    }
    if (kind < 0.8) return await db.deleteFrom("t").where(column, operator, value).execute();
    const replace = plain.prepare("INSERT OR REPLACE INTO t (id, x, s) VALUES (?, ?, ?)");
    return replace.run(Number(id), values.x as never, values.s as never);
  };
  const live: Question[] = [];
  let kept = 0;

  for (let writes = 0; writes < WRITES; writes++) {
    const conditions = choices.chance(0.5) ? [condition()] : [condition(), condition()];
    live.push({ conditions, isOr: choices.chance(0.3), columns: ["id", choices.one(COLUMNS)] });
    if (live.length > LIVE_MAX) live.shift();
    await ask(live.at(-1) as Question);
    await write().catch((error: unknown) => expect(String(error)).toMatch(/constraint/i));
    for (const question of live) {
      const result = ask.peek(question);
      if (result === undefined) continue;
      kept++;
      expect(result.map(comparable), JSON.stringify(question.conditions.map(String))).toEqual(
        fresh(question),
      );
    }
  }

  expect(kept).toBeGreaterThan(WRITES);
});

function build(db: Kysely<{ t: Row }>, { conditions, isOr, columns }: Question) {
  return db
    .selectFrom("t")
    .select(columns)
    .where((e) => {
      const parts = conditions.map(([column, operator, value]) => e(column, operator, value));
      return isOr ? e.or(parts) : e.and(parts);
    })
    .orderBy("id");
}

/** Integers are numbers here and bigints there. */
function comparable(row: object): unknown {
  return Object.entries(row).map(([name, value]) => {
    const isWhole = typeof value === "bigint" && Number.isSafeInteger(Number(value));
    return [name, isWhole ? Number(value) : value];
  });
}
