/** Random schemas for the differ, and a plain way to make them real. */

import { DatabaseSync } from "node:sqlite";
import fc from "fast-check";
import { type FileSchema, introspect } from "../../src/migrate/introspect.ts";
import type { PlanStep } from "../../src/migrate/plan.ts";
import { createStatements } from "../../src/schema/ddl.ts";
import type {
  PhysicalColumn,
  PhysicalIndex,
  PhysicalObject,
  PhysicalSchema,
  PhysicalTable,
} from "../../src/schema/physical.ts";
import { quoteIdentifier } from "../../src/schema/quote.ts";
import type { Session } from "../../src/store/store.ts";

const TABLES = ["alpha", "Beta", "ga mma"];
const COLUMNS = ["a", "b", "order", "Mixed", 'quo"te'];
const DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  INTEGER: ["0", "-1", "CAST(round(unixepoch('subsec') * 1000) AS INTEGER)"],
  REAL: ["1.5", "0"],
  TEXT: ["''", "'it''s (a) \"text\" -- no comment'", "date('now')"],
  BLOB: ["x'00ff'"],
};

const anyColumn = (name: string): fc.Arbitrary<PhysicalColumn> =>
  fc
    .tuple(
      fc.constantFrom("INTEGER", "REAL", "TEXT", "BLOB"),
      fc.boolean(),
      fc.option(fc.nat(2), { nil: undefined }),
    )
    .map(([type, notNull, pick]) => {
      const value = pick === undefined ? undefined : DEFAULTS[type]?.[pick];
      return { name, type, notNull, ...(value !== undefined && { default: value }) };
    });

const anyTable = (name: string): fc.Arbitrary<PhysicalTable> =>
  fc
    .tuple(
      fc.constantFrom("INTEGER", "TEXT"),
      fc.subarray(COLUMNS).chain((names) => fc.tuple(...names.map(anyColumn))),
      fc.boolean(),
      fc.record({ unique: fc.boolean(), check: fc.boolean(), composite: fc.boolean() }),
      fc.option(fc.constantFrom("cascade", "set null", "no action") as fc.Arbitrary<"cascade">, {
        nil: undefined,
      }),
    )
    .map(([keyType, columns, strict, { unique, check, composite }, onDelete]) => {
      const id: PhysicalColumn = { name: "id", type: keyType, notNull: true };
      const [first, second] = columns;
      const quoted = quoteIdentifier(first?.name ?? "id");
      return {
        name,
        columns: [id, ...columns],
        primaryKey: composite && first !== undefined ? ["id", first.name] : ["id"],
        uniques:
          unique && second !== undefined
            ? [{ name: `uq_${name}`, columns: [second.name, "id"] }]
            : [],
        checks: check ? [{ name: `ck_${name}`, expression: `length(${quoted}) < 1000` }] : [],
        foreignKeys:
          onDelete !== undefined && first !== undefined && !composite
            ? [
                {
                  columns: [first.name],
                  table: TABLES[0] ?? "",
                  references: ["id"],
                  onDelete,
                  onUpdate: "no action" as const,
                },
              ]
            : [],
        strict,
      };
    });

function indexFor({ name, columns }: PhysicalTable, partial: boolean): PhysicalIndex {
  const last = columns.at(-1)?.name ?? "id";
  return {
    name: `idx_${name}`,
    table: name,
    columns: [{ name: last, descending: partial }],
    unique: false,
    ...(partial && { where: `${quoteIdentifier(last)} IS NOT NULL AND "id" > 0` }),
  };
}

function objectsFor({ name, columns }: PhysicalTable): readonly PhysicalObject[] {
  const [quoted, last] = [quoteIdentifier(name), quoteIdentifier(columns.at(-1)?.name ?? "id")];
  return [
    {
      kind: "view",
      name: `v_${name}`,
      sql: `CREATE VIEW "v_${name}" AS SELECT ${last} FROM ${quoted}`,
    },
    {
      kind: "trigger",
      name: `t_${name}`,
      table: name,
      sql:
        `CREATE TRIGGER "t_${name}" AFTER UPDATE ON ${quoted} WHEN NEW.${last} IS NULL BEGIN\n` +
        `  SELECT CASE WHEN 1 THEN 2 END;\n  UPDATE ${quoted} SET ${last} = OLD.${last};\nEND`,
    },
  ];
}

/** Schemas over a few names, so that two of them have much in common. */
export const schemas: fc.Arbitrary<PhysicalSchema> = fc
  .tuple(
    fc.subarray(TABLES).chain((names) => fc.tuple(...names.map(anyTable))),
    fc.boolean(),
    fc.boolean(),
    fc.boolean(),
  )
  .map(([tables, indexed, partial, withObjects]) => {
    const names = tables.map(({ name }) => name);
    const whole = tables.map((entry) => ({
      ...entry,
      foreignKeys: entry.foreignKeys.filter((key) => names.includes(key.table)),
    }));
    return {
      dialect: "sqlite",
      tables: whole,
      indexes: indexed ? whole.map((entry) => indexFor(entry, partial)) : [],
      objects: withObjects ? whole.flatMap(objectsFor) : [],
    };
  });

/** A column of whole numbers. */
export const integer = (name: string, facts: Partial<PhysicalColumn> = {}): PhysicalColumn => ({
  name,
  type: "INTEGER",
  notNull: false,
  ...facts,
});

/** A table with the key `id`. */
export const table = (
  name: string,
  columns: readonly PhysicalColumn[],
  facts: Partial<PhysicalTable> = {},
): PhysicalTable => ({
  name,
  columns: [integer("id", { notNull: true }), ...columns],
  primaryKey: ["id"],
  uniques: [],
  checks: [],
  foreignKeys: [],
  strict: true,
  ...facts,
});

/** A schema of these tables. */
export const schema = (
  tables: readonly PhysicalTable[],
  facts: Partial<PhysicalSchema> = {},
): PhysicalSchema => ({ dialect: "sqlite", tables, indexes: [], objects: [], ...facts });

/** A database in memory and a session that reads it. */
export class Scratch implements Disposable {
  readonly database: DatabaseSync = new DatabaseSync(":memory:", {
    enableForeignKeyConstraints: false,
  });

  create(schema: PhysicalSchema): this {
    for (const sql of createStatements(schema)) this.database.exec(sql);
    return this;
  }

  /** Runs the steps as a migration does: in a transaction, foreign keys off. */
  run(steps: readonly PlanStep[]): this {
    this.database.exec("BEGIN");
    for (const { sql } of steps) for (const statement of sql) this.database.exec(statement);
    this.database.exec("COMMIT");
    return this;
  }

  rows(sql: string): unknown[][] {
    const statement = this.database.prepare(sql);
    statement.setReturnArrays(true);
    return statement.all() as unknown as unknown[][];
  }

  schema(): Promise<FileSchema> {
    const session = {
      dialect: "sqlite",
      read: async ({ sql }: { sql: string }) => ({ columns: [], rows: this.rows(sql), changes: 0 }),
    };
    return introspect(session as unknown as Session);
  }

  [Symbol.dispose](): void {
    this.database.close();
  }
}
