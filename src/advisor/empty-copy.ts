/**
 * The schema without data, in memory, with statistics put into it: SQLite plans there as it would
 * with the data, and an index that does not exist costs nothing to make.
 *
 * The planner reads `sqlite_stat1` and nothing else; a row of it says how many rows an index has
 * and how many of them share one value of its first columns. So a sample of the data is enough to
 * ask which of a hundred possible indexes SQLite would take.
 */

import type { DatabaseSync } from "node:sqlite";
import { lowerAscii } from "../core/lower-ascii.ts";
import { nodeSqlite } from "../core/node-sqlite.ts";
import { quoteIdentifier, quoteList } from "../schema/quote.ts";
import { aliasesIn } from "./aliases.ts";
import { type Candidate, type DatabaseFacts, type TableFacts, tableNamed } from "./facts.ts";
import { type Plan, type PlanLine, parsePlan } from "./plan.ts";
import type { Sampler } from "./sample.ts";
import { columnsOfStatement, type StatementColumns } from "./statement-columns.ts";
import { workOf } from "./work.ts";

/** Begins the names of candidates; no table may be called so. */
const PREFIX = "springhouse_candidate";

/** A plan and how much work it is. */
export interface Estimate {
  readonly plan: Plan;
  readonly work: number;
}

/** The empty copy of one database. */
export class EmptyCopy implements Disposable {
  readonly #database: DatabaseSync;
  readonly #facts: DatabaseFacts;
  readonly #sampler: Sampler;
  readonly #views: ReadonlySet<string>;
  /** By the name of an index that stands here: its table and named columns. */
  readonly #indexes = new Map<string, Candidate>();

  constructor(facts: DatabaseFacts, sampler: Sampler) {
    this.#facts = facts;
    this.#sampler = sampler;
    this.#database = new (nodeSqlite().DatabaseSync)(":memory:");
    this.#database.exec("PRAGMA foreign_keys = OFF");
    for (const { kind, sql, isShadow } of facts.texts) {
      if (kind !== "trigger" && !isShadow) this.#try(sql);
    }
    const views = facts.texts.filter(({ kind }) => kind === "view");
    this.#views = new Set(views.map(({ name }) => name));
    // Makes the table of statistics; there is nothing to count.
    this.#database.exec("ANALYZE");
    for (const { name, table, parts } of facts.indexes) {
      const columns = parts.map((part) => part.name);
      // Of an expression the sample knows nothing; the columns before it are known.
      const known = columns.slice(0, columns.indexOf(null) >>> 0) as readonly string[];
      this.#indexes.set(name, { table, columns: known });
      if (known.length === columns.length) this.#addStatistics(name, { table, columns: known });
    }
    for (const table of facts.tables) this.#addTableStatistics(table);
    this.#database.exec("ANALYZE sqlite_schema");
  }

  /** @throws what SQLite says when the statement does not fit the schema. */
  columnsOf(sql: string): StatementColumns {
    return columnsOfStatement(this.#database, this.#views, sql);
  }

  /** The plan with the indexes that stand in the file. */
  explain(sql: string): Estimate {
    const lines = this.#database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all();
    const plan = parsePlan(lines as unknown as readonly PlanLine[]);
    return { plan, work: workOf(plan, this.#modelOf(sql)) };
  }

  /** Runs `use` while the candidates stand; a plan names them as `nameOf` says. */
  withCandidates<T>(
    candidates: readonly Candidate[],
    use: (nameOf: ReadonlyMap<string, Candidate>) => T,
  ): T {
    const names = new Map<string, Candidate>();
    this.#database.exec("BEGIN");
    try {
      for (const [index, candidate] of candidates.entries()) {
        const name = `${PREFIX}_${index}`;
        const on = `${quoteIdentifier(candidate.table)} (${quoteList(candidate.columns)})`;
        this.#database.exec(`CREATE INDEX ${name} ON ${on}`);
        this.#addStatistics(name, candidate);
        this.#indexes.set(name, candidate);
        names.set(name, candidate);
      }
      this.#database.exec("ANALYZE sqlite_schema");
      return use(names);
    } finally {
      this.#database.exec("ROLLBACK");
      for (const name of names.keys()) this.#indexes.delete(name);
      // What the planner had read of the candidates is gone with them.
      this.#database.exec("ANALYZE sqlite_schema");
    }
  }

  [Symbol.dispose](): void {
    this.#database.close();
  }

  /** An index may need a function that only the application has; then it is left out. */
  #try(sql: string): void {
    try {
      this.#database.exec(sql);
    } catch {
      // Statements that need it fail by themselves and are named as not understood.
    }
  }

  #addStatistics(index: string, { table, columns }: Candidate): void {
    const facts = tableNamed(this.#facts, table);
    if (facts === undefined || facts.rows === 0) return;
    const perValue = columns.map((_, last) => {
      const distinct = this.#sampler.distinct(facts, columns.slice(0, last + 1));
      return Math.max(1, Math.round(facts.rows / distinct));
    });
    this.#insert(table, index, [facts.rows, ...perValue].join(" "));
  }

  /** A table without an index is known by its number of rows alone. */
  #addTableStatistics({ name, rows }: TableFacts): void {
    if (rows > 0) this.#insert(name, null, String(rows));
  }

  #insert(table: string, index: string | null, statistics: string): void {
    this.#database
      .prepare("INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES (?, ?, ?)")
      .run(table, index, statistics);
  }

  #modelOf(sql: string): Parameters<typeof workOf>[1] {
    const aliases = aliasesIn(sql, this.#facts);
    return {
      rowsOf: (name) => {
        const table = tableNamed(this.#facts, name) ?? aliases.get(lowerAscii(name));
        return table?.rows;
      },
      rowsPerValue: (index, count) => {
        const { table = "", columns = [] } = this.#indexes.get(index) ?? {};
        const facts = tableNamed(this.#facts, table);
        if (facts === undefined || columns.length === 0) return undefined;
        return facts.rows / this.#sampler.distinct(facts, columns.slice(0, count));
      },
    };
  }
}
