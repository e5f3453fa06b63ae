/** What several tests of the schema need. */

import { DatabaseSync } from "node:sqlite";
import { expect, it } from "vitest";
import type { Clock } from "../../src/core/clock.ts";
import { type Issue, SpringhouseError } from "../../src/core/errors.ts";
import { createCatalog } from "../../src/schema/catalog.ts";
import { type Columns, t } from "../../src/schema/column.ts";
import { createStatements, physicalSchema } from "../../src/schema/ddl.ts";
import { entity, factsOf } from "../../src/schema/entity.ts";
import type { EntityFacts } from "../../src/schema/facts.ts";
import type { Dialect } from "../../src/schema/physical.ts";
import type { Entity } from "../../src/schema/types.ts";
import { checkInsert } from "../../src/schema/validate.ts";
import type { ValidationContext } from "../../src/schema/validate-plan.ts";
import { PostgresSchema, skipPostgres } from "./psql.ts";

export const UUID = "0b9d3c8e-5f2a-4d1c-9e77-3a1f6b2c4d5e";
export const NOW: number = Date.UTC(2025, 11, 31, 23, 59, 59, 500);

const clock: Clock = {
  nowMs: () => NOW,
  monotonicMs: () => 0,
  schedule: () => ({ [Symbol.dispose]: () => undefined }),
};

/** A moment that stands still and a UUID that is always the same. */
export const context: ValidationContext = { clock, randomUuid: () => UUID };

/** The facts of an entity with a numbered key and these columns. */
export function factsWith(columns: Columns): EntityFacts {
  return factsOf(entity("things", { id: t.int().primaryKey(), ...columns }));
}

/** The issues of an input, as "path: message". */
export function issuesOf(facts: EntityFacts, input: unknown): readonly string[] {
  const result = checkInsert(facts, input, context);
  if (result instanceof Promise) throw new Error("expected a synchronous check");
  return (result.issues ?? []).map(describeIssue);
}

/** An issue as "path: message". */
export function describeIssue({ path, message }: Issue): string {
  return `${path.join(".")}: ${message}`;
}

/** The error that a function throws. */
export function failureOf(run: () => unknown): SpringhouseError {
  try {
    run();
  } catch (error) {
    if (error instanceof SpringhouseError) return error;
    throw error;
  }
  throw new Error("nothing was refused");
}

/** The DDL of entities. */
export function statementsOf(entities: readonly Entity[], dialect: Dialect): readonly string[] {
  return createStatements(physicalSchema(createCatalog(entities), dialect));
}

/** A database in memory with the tables of entities. */
export function sqliteWith(entities: readonly Entity[]): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const sql of statementsOf(entities, "sqlite")) db.exec(sql);
  return db;
}

/** Tests that the databases have exactly what the entities declare. */
export function conforms(entities: readonly Entity[]): void {
  it("stands in SQLite with every column and index that was declared, in STRICT tables", () => {
    using db = sqliteWith(entities);
    const names = (sql: string): readonly unknown[] =>
      db
        .prepare(sql)
        .all()
        .map(({ name }) => name);

    for (const facts of entities.map(factsOf)) {
      expect(names(`SELECT name FROM pragma_table_info('${facts.table}')`)).toEqual(
        facts.columns.map(({ name }) => name),
      );
      expect(
        names(`SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL
               AND tbl_name = '${facts.table}' ORDER BY name`),
      ).toEqual(facts.indexes.map(({ name }) => name).sort());
    }
    expect(
      names("SELECT name FROM pragma_table_list WHERE NOT strict AND name NOT LIKE 'sqlite_%'"),
    ).toEqual([]);
  });

  it.skipIf(skipPostgres)("stands in PostgreSQL with the same columns", () => {
    using schema = new PostgresSchema();
    schema.run(`${statementsOf(entities, "postgres").join(";\n")};`);

    const rows = schema.rows(
      `SELECT table_name AS name, json_agg(column_name ORDER BY ordinal_position) AS columns
       FROM information_schema.columns WHERE table_schema = current_schema GROUP BY 1`,
    );

    expect(new Map(rows.map(({ name, columns }) => [name, columns]))).toEqual(
      new Map(
        entities.map(factsOf).map((facts) => [facts.table, facts.columns.map((c) => c.name)]),
      ),
    );
  });
}
