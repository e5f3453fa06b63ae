/** Springhouse itself as the subject of the proof. */

import type { CompiledQuery } from "kysely";
import type { Freshness } from "../../coherence/change-feed.ts";
import type { Database } from "../../open/database.ts";
import { open } from "../../open.ts";
import type { Parameter } from "../../repository/raw.ts";
import type { CoherenceQuery, CoherenceRows, CoherenceSubject, OpenSubject } from "./subject.ts";

/** Each costs more to start than a case takes; two are enough to meet each other. */
const THREADS_MAX = 2;

/** How Springhouse is opened. */
export interface SpringhouseSubjectOptions {
  /** Default: "strict". */
  readonly freshness?: Freshness;
}

/**
 * Springhouse with one cached function for all questions, by their numbers.
 *
 * @example
 * await checkCoherence({ subject: springhouseSubject({ freshness: "turn" }) });
 */
export function springhouseSubject(options: SpringhouseSubjectOptions = {}): CoherenceSubject {
  const { freshness = "strict" } = options;
  return {
    seesOthers: freshness !== "exclusive",
    open: async (path) => {
      const url = `sqlite:///${path}`;
      const db = await open({
        url,
        schema: "ignore",
        profile: "fast",
        pool: { minSize: 1, maxSize: THREADS_MAX },
        cache: { freshness },
      });
      return new SpringhouseSubject(db, freshness);
    },
  };
}

class SpringhouseSubject implements OpenSubject {
  readonly settle?: () => Promise<void>;
  readonly #db: Database;
  readonly #numbers = new Map<CoherenceQuery, number>();
  readonly #queries: CoherenceQuery[] = [];
  readonly #cached: ReturnType<typeof cachedQueries>;

  constructor(db: Database, freshness: Freshness) {
    this.#db = db;
    this.#cached = cachedQueries(db, (number) => this.#queries[number] as CoherenceQuery);
    // The next turn of the event loop.
    if (freshness === "turn") this.settle = () => new Promise((resolve) => setImmediate(resolve));
  }

  read(query: CoherenceQuery): Promise<CoherenceRows> {
    return this.#cached.one(this.#numberOf(query));
  }

  peek(query: CoherenceQuery): CoherenceRows | undefined {
    return this.#cached.one.peek(this.#numberOf(query));
  }

  readTogether(queries: readonly CoherenceQuery[]): Promise<readonly CoherenceRows[]> {
    return this.#cached.together(queries.map((query) => this.#numberOf(query)));
  }

  async write(statements: readonly string[]): Promise<void> {
    const [only, second] = statements;
    if (only !== undefined && second === undefined) return await tried(this.#db.execute(only));
    try {
      await this.#db.transaction((transaction) => runAll(transaction, statements));
    } catch {
      // A foreign key that is checked at the end, or a statement that ended the transaction.
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }

  #numberOf(query: CoherenceQuery): number {
    const known = this.#numbers.get(query);
    if (known !== undefined) return known;
    this.#numbers.set(query, this.#queries.length);
    return this.#queries.push(query) - 1;
  }
}

function cachedQueries(db: Database, queryOf: (number: number) => CoherenceQuery) {
  const one = db.cached("one", (_query, number: number) => ask(db, queryOf(number)));
  const together = db.cached("together", async (_query, numbers: readonly number[]) => {
    const all: CoherenceRows[] = [];
    for (const number of numbers) all.push(await one(number));
    return all;
  });
  return { one, together };
}

async function ask(
  db: Database,
  { sql, parameters, query }: CoherenceQuery,
): Promise<CoherenceRows> {
  if (query === undefined) return (await db.execute(sql, parameters as Parameter[])).rows;
  const compiled = { sql, parameters, query, queryId: { queryId: sql } };
  return (await db.query.executeQuery<Record<string, unknown>>(compiled as CompiledQuery)).rows;
}

type Transaction = Parameters<Parameters<Database["transaction"]>[0]>[0];

/** Statement by statement; what a `ROLLBACK TO` undoes is a transaction within. */
async function runAll(transaction: Transaction, statements: readonly string[]): Promise<void> {
  for (let at = 0; at < statements.length; at++) {
    const sql = statements[at] as string;
    if (!sql.startsWith("SAVEPOINT")) {
      await tried(transaction.execute(sql));
      continue;
    }
    const length = statements.slice(at).findIndex((text) => text.startsWith("ROLLBACK TO"));
    const end = length < 0 ? statements.length : at + length;
    const inner = statements.slice(at + 1, end);
    at = end;
    await tried(transaction.transaction((nested) => undone(nested, inner)));
  }
}

async function undone(transaction: Transaction, statements: readonly string[]): Promise<void> {
  await runAll(transaction, statements);
  throw new Error("undone");
}

/** A statement that fails leaves no trace. */
async function tried(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch {
    // The next one goes on.
  }
}
